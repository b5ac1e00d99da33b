//! E15 of the articles on asyncio: a task that is cancelled among others that are gathered.
//!
//! `gather_settled` is asyncio's gather with `return_exceptions=True`. Alice's task hears of the cancel and does not pass it on: so it has
//! completed, in asyncio too, and is not counted as cancelled.
//!
//! `cargo run -p executor-rt --example seed_e15_cancel_alice`; with `--features test-util` no time passes.

use executor::task::{FutureExt, gather_settled, running};
use executor::time::{Duration, sleep};

async fn say_hello(name: &str, delay: u64) {
    match sleep(Duration::from_secs(delay)).or_cancelled().await {
        Ok(()) => println!("Hello, {name}"),
        Err(_cancelled) => println!("Task for {name} was cancelled"),
    }
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    let task1 = executor::spawn(say_hello("Alice", 3));
    let task2 = executor::spawn(say_hello("Bob", 1));
    sleep(Duration::from_millis(1500)).await;
    task1.cancel("no longer needed"); // Cancel the task for Alice
    let _results = gather_settled(running([task1, task2])).await;
}
