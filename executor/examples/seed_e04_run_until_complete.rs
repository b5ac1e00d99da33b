//! E04 of the articles on asyncio: a loop that blocks its caller until a coroutine has ended.
//!
//! The article takes the loop from `get_event_loop` while none runs, which Python refuses since 3.14: a runtime is made by name here.
//! "Asyncio" stays in the greeting, so that the outputs are the same.
//!
//! `cargo run -p executor-rt --example seed_e04_run_until_complete`; with `--features test-util` no time passes.

use executor::runtime::Builder;
use executor::time::{Duration, sleep};

async fn my_coroutine() {
    println!("Hello, Asyncio!");
    sleep(Duration::from_secs(1)).await;
    println!("Goodbye, Asyncio!");
}

fn main() -> std::io::Result<()> {
    let mut builder = Builder::new_current_thread();
    #[cfg(feature = "test-util")]
    builder.start_paused(true);
    let runtime = builder.build()?;
    runtime.block_on(my_coroutine()); // Blocks this thread
    Ok(())
}
