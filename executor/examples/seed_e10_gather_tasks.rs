//! E10 of the articles on asyncio: two tasks that are gathered.
//!
//! Nothing but the quotes differs, see `seed_e09_other_work`.
//!
//! `cargo run -p executor-rt --example seed_e10_gather_tasks`; with `--features test-util` no time passes.

use executor::task::{gather, running};
use executor::time::{Duration, sleep};

async fn fetch_data(id: u32) -> String {
    sleep(Duration::from_secs(2)).await;
    format!("Data from {id}")
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    // Create multiple tasks
    let task1 = executor::spawn(fetch_data(1));
    let task2 = executor::spawn(fetch_data(2));
    // Await multiple tasks concurrently
    let results = gather(running([task1, task2])).await?;
    println!("Results: {}", shown(&results));
    Ok(())
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").replace('"', "'")
}
