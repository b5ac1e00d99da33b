#[executor::main(threads = 2)]
async fn main() {}

#[executor::test(current_thread)]
async fn test() {}
