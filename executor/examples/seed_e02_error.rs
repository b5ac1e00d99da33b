//! E02 of the articles on asyncio: an error that is raised and caught inside of a coroutine.
//!
//! An exception is a `Result` here: what raises is a block that returns one, what catches is a `match`.
//!
//! `cargo run -p executor-rt --example seed_e02_error`; with `--features test-util` no time passes.

use executor::time::{Duration, sleep};

async fn fetch_data() {
    let attempt = async {
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>("Something went wrong")
    };
    if let Err(e) = attempt.await {
        println!("Exception caught: {e}");
    }
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() {
    fetch_data().await;
}
