//! Many tasks that sleep for a second each, together: how long that takes.
//!
//! ```text
//! cargo run --release -p executor-rt --example sleeps -- 10000
//! ```

use executor::task::gather;
use executor::time::{Duration, Instant, sleep};

#[executor::main]
async fn main() -> std::io::Result<()> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |count| count.parse());
    let count: u32 = count.map_err(std::io::Error::other)?;
    let start = Instant::now();
    let sleeps = (0..count).map(async |n| {
        sleep(Duration::from_secs(1)).await;
        n
    });
    let outputs = gather(sleeps).await?;
    let elapsed = start.elapsed();
    assert!(outputs.into_iter().eq(0..count));
    println!(
        "{count} sleeps of 1 s took {:.4} s together",
        elapsed.as_secs_f64()
    );
    Ok(())
}
