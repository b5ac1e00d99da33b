//! Debug mode, as `asyncio.run(main(), debug=True)`: who has held the thread, who failed unseen, who was left behind.
//!
//! ```python
//! import asyncio
//! import logging
//!
//! logging.basicConfig(level=logging.DEBUG)
//! asyncio.run(main(), debug=True)
//! ```
//! The article leaves `main` out. This one does three things that debug mode is there for.
//!
//! ```sh
//! cargo run -p executor-rt --example seed_e21_debug
//! ```

use std::thread;
use std::time::Duration;

use executor::task;

#[executor::main(debug = true)]
async fn main() {
    // Blocks its thread: here `time::sleep(..).await` is meant.
    let report = task::Builder::new().name("report");
    let report = report.spawn(async { thread::sleep(Duration::from_millis(150)) });
    report.unwrap().await.unwrap();

    // Fails, and nobody asks. The panic hook has its say as well.
    let clerk = task::Builder::new().name("clerk");
    drop(clerk.spawn(async { panic!("out of paper") }));

    // Is not done when `main` is.
    let monitor = task::Builder::new().name("monitor");
    drop(monitor.spawn(std::future::pending::<()>()));

    executor::time::sleep(Duration::from_millis(50)).await;
    println!("main is done");
}
