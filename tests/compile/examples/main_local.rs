//! Tasks stay on the thread that called the function, and need not be `Send`.

use std::rc::Rc;
use std::thread;

use executor::task::spawn_local;

#[executor::main(flavor = "local")]
async fn caller() -> thread::ThreadId {
    let shared = Rc::new(());
    let task = spawn_local({
        let shared = shared.clone();
        async move {
            drop(shared);
            thread::current().id()
        }
    });
    let id = task.await.unwrap();
    drop(shared);
    id
}

fn main() {
    assert_eq!(caller(), thread::current().id());
}
