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

#[tokio::test]
async fn macros_find_the_new_name() {
    assert_eq!(tokio::join!(async { 1 }, async { 2 }), (1, 2));
    assert_eq!(tokio::try_join!(async { Ok::<_, ()>(1) }), Ok((1,)));
    let work = async { 3 };
    tokio::pin!(work);
    let taken = tokio::select! {
        n = &mut work => n,
        else => 0,
    };
    assert_eq!(taken, 3);
}

#[tokio::test]
async fn paths_and_features_keep_their_names() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::mpsc;

    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(async move { sender.send(42).await });
    assert_eq!(receiver.recv().await, Some(42));
    let (mut ours, mut theirs) = tokio::io::duplex(8);
    ours.write_u32(42).await.unwrap();
    assert_eq!(theirs.read_u32().await.unwrap(), 42);
}

tokio::task_local! {
    static NUMBER: u32;
}

#[tokio::test]
async fn task_locals_find_the_new_name() {
    assert_eq!(NUMBER.scope(42, async { NUMBER.get() }).await, 42);
}
