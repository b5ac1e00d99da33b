#[executor::main(worker_threads)]
async fn main() {}

#[executor::main("multi_thread")]
async fn no_name() {}

#[executor::main(flavor = "multi_thread" worker_threads = 2)]
async fn no_comma() {}

#[executor::main(worker_threads = )]
async fn no_value() {}
