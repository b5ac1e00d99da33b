//! E25 of the articles on asyncio: a monitor that looks every ten seconds, for ever.
//!
//! The article sleeps for ten seconds after its work, so each round is late by as long as the work took, and later than the one before; an
//! interval keeps its time. For ever, unless the first argument says how many rounds.
//!
//! `cargo run -p executor-rt --example seed_e25_periodic`; with `--features test-util` no time passes.

use executor::gather;
use executor::time::{Duration, interval};

async fn monitor(rounds: Option<usize>) {
    let mut every = interval(Duration::from_secs(10));
    for _ in 0..rounds.unwrap_or(usize::MAX) {
        every.tick().await;
        // Perform the monitoring task
        println!("Monitoring system status...");
    }
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|rounds| rounds.parse().ok());
    gather!(monitor(rounds)).await?;
    Ok(())
}
