//! E09 of the articles on asyncio: a task that runs while other work is done.
//!
//! Python prints strings in a dictionary with single quotes, Rust's `Debug` with double ones; `shown` makes them the same.
//!
//! `cargo run -p executor-rt --example seed_e09_other_work`; with `--features test-util` no time passes.

use std::collections::BTreeMap;

use executor::time::{Duration, sleep};

async fn fetch_data() -> BTreeMap<&'static str, &'static str> {
    sleep(Duration::from_secs(2)).await;
    BTreeMap::from([("data", "sample data")])
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    // Create a task
    let task = executor::spawn(fetch_data());
    // Do some other work while waiting for fetch_data to complete
    println!("Performing other operations...");
    // Await the task result
    let result = task.await?;
    println!("Result: {}", shown(&result));
    Ok(())
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").replace('"', "'")
}
