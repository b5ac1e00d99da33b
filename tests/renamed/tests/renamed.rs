//! `#[tokio::main]` and `#[tokio::test]` reach this library when `Cargo.toml` calls it `tokio`, without a `crate`
//! argument: that this file compiles is most of the test.

#[tokio::main(flavor = "current_thread")]
async fn doubled(number: u32) -> u32 {
    std::future::ready(number * 2).await
}

#[test]
fn main_finds_the_new_name() {
    assert_eq!(doubled(21), 42);
}

#[tokio::test]
async fn test_finds_the_new_name() {
    assert_eq!(std::future::ready(42).await, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_finds_the_new_name_on_worker_threads() -> Result<(), std::num::ParseIntError> {
    assert_eq!("42".parse::<u32>()?, 42);
    Ok(())
}
