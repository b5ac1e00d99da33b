//! Worker threads by number, a `Result` to return, and `?` to return it early.

use std::num::ParseIntError;

#[executor::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), ParseIntError> {
    let number: u32 = "2".parse()?;
    assert_eq!(std::future::ready(number).await, 2);
    Ok(())
}
