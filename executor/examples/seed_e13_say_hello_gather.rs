//! E13 of the articles on asyncio: three coroutines that are gathered.
//!
//! The article says that gather returns a coroutine: it is a future, which can be dropped
//! and then cancels its tasks.
//!
//! `cargo run -p executor-rt --example seed_e13_say_hello_gather`; with `--features test-util` no time passes.

use executor::task::gather;
use executor::time::{Duration, sleep};

async fn say_hello(name: &str, delay: u64) {
    sleep(Duration::from_secs(delay)).await;
    println!("Hello, {name}");
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let tasks = [
        say_hello("Alice", 2),
        say_hello("Bob", 1),
        say_hello("Charlie", 3),
    ];
    gather(tasks).await?;
    Ok(())
}
