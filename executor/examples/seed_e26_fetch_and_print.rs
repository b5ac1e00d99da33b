//! E26 of the articles on asyncio: a coroutine that awaits another, both of which say what they do.
//!
//! The dictionary is a map, printed as Python does, see `seed_e09_other_work`.
//!
//! `cargo run -p executor-rt --example seed_e26_fetch_and_print`; with `--features test-util` no time passes.

use std::collections::BTreeMap;

use executor::time::{Duration, sleep};

async fn fetch_data() -> BTreeMap<&'static str, &'static str> {
    println!("Start fetching data");
    sleep(Duration::from_secs(2)).await; // Simulate an I/O operation
    println!("Data fetched");
    BTreeMap::from([("data", "sample")])
}

// Run the main coroutine
#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    println!("Start main");
    let data = fetch_data().await; // Await the coroutine fetch_data
    println!("Received data: {}", shown(&data));
    println!("End main");
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").replace('"', "'")
}
