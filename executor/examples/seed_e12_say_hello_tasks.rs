//! E12 of the articles on asyncio: three tasks that are awaited one after the other.
//!
//! The article says that they are awaited concurrently. They *run* concurrently; the awaits are in a row, and Bob greets before the first one
//! has ended.
//!
//! `cargo run -p executor-rt --example seed_e12_say_hello_tasks`; with `--features test-util` no time passes.

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
    let task1 = executor::spawn(say_hello("Alice", 2));
    let task2 = executor::spawn(say_hello("Bob", 1));
    let task3 = executor::spawn(say_hello("Charlie", 3));
    task1.await?;
    task2.await?;
    task3.await?;
    Ok(())
}
