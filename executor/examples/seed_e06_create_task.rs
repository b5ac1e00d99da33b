//! E06 of the articles on asyncio: a task that is made and awaited.
//!
//! Awaiting a task gives a `Result`: it may have panicked, or been aborted.
//!
//! `cargo run -p executor-rt --example seed_e06_create_task`; with `--features test-util` no time passes.

use executor::time::{Duration, sleep};

async fn my_third_coroutine() {
    sleep(Duration::from_secs(2)).await;
    println!("Finished my third coroutine");
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let task = executor::spawn(my_third_coroutine());
    task.await?;
    Ok(())
}
