//! E25 of the articles on asyncio: a monitor that looks every ten seconds, for ever.
//!
//! The article sleeps for ten seconds after its work, so each round is late by as long as the work took, and later than the one before; an
//! interval keeps its time. For ever, unless the first argument says for how many seconds.
//!
//! `cargo run -p executor-rt --example seed_e25_periodic`; with `--features test-util` no time passes.

use executor::gather;
use executor::time::{Duration, interval, timeout};

async fn monitor() {
    let mut every = interval(Duration::from_secs(10));
    loop {
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
async fn main() {
    let seconds = std::env::args().nth(1);
    let seconds = seconds.map_or(f64::MAX, |seconds| seconds.parse().unwrap());
    let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    // It ends by the limit, or never.
    let _ = timeout(limit, gather!(monitor())).await;
}
