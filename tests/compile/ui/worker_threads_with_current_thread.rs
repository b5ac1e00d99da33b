#[executor::main(flavor = "current_thread", worker_threads = 2)]
async fn main() {}

#[executor::test(worker_threads = 2)]
async fn test() {}
