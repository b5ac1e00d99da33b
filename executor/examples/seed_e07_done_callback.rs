//! E07 of the articles on asyncio: a callback when a task is done.
//!
//! The article says that the callback is executed immediately: it is scheduled, in asyncio and here. It takes a look at the result, and whoever
//! awaits the task has it afterwards.
//!
//! `cargo run -p executor-rt --example seed_e07_done_callback`; with `--features test-util` no time passes.

use executor::task::JoinError;
use executor::time::{Duration, sleep};

fn on_task_done(result: &Result<&'static str, JoinError>) {
    match result {
        Ok(result) => println!("Task completed with result: {result}"),
        Err(error) => println!("{error}"),
    }
}

async fn sample_coroutine() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "Hello from coroutine!"
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let task = executor::spawn(sample_coroutine()).on_complete(on_task_done);
    task.await?;
    Ok(())
}
