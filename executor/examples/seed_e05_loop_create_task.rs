//! E05 of the articles on asyncio: a task that is made through the loop, and run to its end.
//!
//! A runtime is made by name, as in `seed_e04_run_until_complete`.
//!
//! `cargo run -p executor-rt --example seed_e05_loop_create_task`; with `--features test-util` no time passes.

use executor::runtime::Builder;
use executor::time::{Duration, sleep};

async fn my_other_coroutine() {
    sleep(Duration::from_secs(2)).await;
    println!("Completed my other coroutine");
}

fn main() -> std::io::Result<()> {
    let mut builder = Builder::new_current_thread();
    #[cfg(feature = "test-util")]
    builder.start_paused(true);
    let runtime = builder.build()?;
    let task = runtime.spawn(my_other_coroutine());
    runtime.block_on(task)?;
    Ok(())
}
