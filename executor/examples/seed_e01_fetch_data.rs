//! E01 of the articles on asyncio: a coroutine that is run, sleeps and returns.
//!
//! `asyncio.run(main())` is the attribute on `main`.
//!
//! `cargo run -p executor-rt --example seed_e01_fetch_data`; with `--features test-util` no time passes.

use executor::time::{Duration, sleep};

async fn fetch_data() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "Data fetched"
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    let result = fetch_data().await;
    println!("{result}");
}
