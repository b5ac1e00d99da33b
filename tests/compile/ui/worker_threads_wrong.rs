#[executor::main(worker_threads = "2")]
async fn main() {}

#[executor::main(worker_threads = 0)]
async fn none() {}

const WORKERS: usize = 2;

#[executor::main(worker_threads = WORKERS)]
async fn constant() {}
