//! E14 of the articles on asyncio: a coroutine that finds its argument wrong, beside two that do not.
//!
//! An exception is a `Result` here, see `seed_e02_error`. The article goes on to say that the first error that nobody caught is raised at once: so it
//! is, and the others go on, which it does not say.
//!
//! `cargo run -p executor-rt --example seed_e14_exceptions`; with `--features test-util` no time passes.

use executor::task::gather;
use executor::time::{Duration, sleep};

async fn say_hello(name: &str, delay: i64) {
    let attempt = async {
        let Ok(delay) = u64::try_from(delay) else {
            return Err(format!("Invalid delay: {delay}"));
        };
        sleep(Duration::from_secs(delay)).await;
        println!("Hello, {name}");
        Ok(())
    };
    if let Err(e) = attempt.await {
        println!("{e}");
    }
}

#[cfg_attr(not(feature = "test-util"), executor::main(flavor = "current_thread"))]
#[cfg_attr(
    feature = "test-util",
    executor::main(flavor = "current_thread", start_paused = true)
)]
async fn main() -> std::io::Result<()> {
    let tasks = [
        say_hello("Alice", 2),
        say_hello("Bob", -1),
        say_hello("Charlie", 3),
    ];
    gather(tasks).await?;
    Ok(())
}
