//! E11 of the articles on asyncio: a task that is cancelled, says so, and passes it on.
//!
//! `or_cancelled` marks the wait that hears of a cancel; nothing else fails by it. To raise the error again is to return it. The task has then
//! returned an error, which `main` finds as the task's output.
//!
//! `cargo run -p executor-rt --example seed_e11_cancel`; with `--features test-util` no time passes.

use executor::task::{Cancelled, FutureExt};
use executor::time::{Duration, sleep};

async fn fetch_data() -> Result<(), Cancelled> {
    sleep(Duration::from_secs(5))
        .or_cancelled()
        .await
        .inspect_err(|_| {
            println!("Task was cancelled");
        })
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let task = executor::spawn(fetch_data());
    sleep(Duration::from_secs(1)).await; // Simulate some delay
    task.cancel("it takes too long"); // Cancel the task
    if let Err(_cancelled) = task.await? {
        println!("Handled task cancellation");
    }
    Ok(())
}
