#[executor::main(crate = "not a path")]
async fn main() {}

#[executor::main(crate = executor)]
async fn no_quotes() {}
