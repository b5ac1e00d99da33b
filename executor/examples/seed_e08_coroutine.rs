//! E08 of the articles on asyncio: a coroutine that prints before and after it waits.
//!
//! The dictionary that it returns, and nobody looks at, is a map.
//!
//! `cargo run -p executor-rt --example seed_e08_coroutine`; with `--features test-util` no time passes.

use std::collections::BTreeMap;

use executor::time::{Duration, sleep};

async fn fetch_data() -> BTreeMap<&'static str, &'static str> {
    println!("Start fetching data...");
    sleep(Duration::from_secs(2)).await; // Simulates an I/O-bound operation
    println!("Data fetched");
    BTreeMap::from([("data", "sample data")])
}

// Running the coroutine
#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    fetch_data().await;
}
