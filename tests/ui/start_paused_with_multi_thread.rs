#[executor::main(start_paused = true)]
async fn main() {}

#[executor::test(flavor = "multi_thread", start_paused = true)]
async fn test() {}
