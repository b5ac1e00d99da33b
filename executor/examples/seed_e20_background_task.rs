//! E20 of the articles on asyncio: a task in the background that is cancelled when it is not needed any more.
//!
//! The article cancels the task and does not wait for it; asyncio reaps it at its end. Here `main` awaits it. A task in which nothing hears of a
//! cancel is dropped where it waits. By an exact clock the fourth line and the cancel are due at the same moment; in Python every round takes a
//! little longer than five seconds, so that the cancel comes first. Here it is a millisecond early.
//!
//! `cargo run -p executor-rt --example seed_e20_background_task`; with `--features test-util` no time passes.

use executor::time::{Duration, sleep};

async fn background_task() {
    loop {
        println!("Running in the background...");
        sleep(Duration::from_secs(5)).await;
    }
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    let task = executor::spawn(background_task());
    sleep(Duration::from_millis(14_999)).await; // Sleep for a bit for demonstration purposes
    task.cancel("done"); // Cancel the background task when done
    let ended = task.await;
    assert!(ended.is_err_and(|error| error.is_cancelled()));
}
