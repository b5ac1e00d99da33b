#[executor::main(flavor = "threaded")]
async fn main() {}

#[executor::main(flavor = multi_thread)]
async fn no_quotes() {}
