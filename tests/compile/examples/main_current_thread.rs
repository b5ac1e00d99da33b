//! The body runs on the thread that called the function.

use std::thread;

#[executor::main(flavor = "current_thread")]
async fn caller() -> thread::ThreadId {
    thread::current().id()
}

fn main() {
    assert_eq!(caller(), thread::current().id());
}
