//! A clock that starts paused, and a comma after the last argument.

#[executor::main(flavor = "current_thread", start_paused = true)]
async fn main() {}
