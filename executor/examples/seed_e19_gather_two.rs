//! E19 of the articles on asyncio: two coroutines of different functions that are gathered.
//!
//! `gather!` takes futures of different types, and gives a tuple; it is printed as Python prints a list.
//!
//! `cargo run -p executor-rt --example seed_e19_gather_two`; with `--features test-util` no time passes.

use executor::gather;
use executor::time::{Duration, sleep};

async fn fetch_data_1() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "Data 1 fetched"
}

async fn fetch_data_2() -> &'static str {
    sleep(Duration::from_secs(2)).await;
    "Data 2 fetched"
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let (one, two) = gather!(fetch_data_1(), fetch_data_2()).await?;
    println!("{}", shown(&[one, two]));
    Ok(())
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").replace('"', "'")
}
