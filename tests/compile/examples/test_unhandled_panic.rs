//! What a task's panic leads to.

#[executor::main(flavor = "local", unhandled_panic = "shutdown_runtime")]
async fn ends() {
    executor::task::spawn_local(async { panic!("the task") });
    std::future::pending().await
}

#[executor::main(unhandled_panic = "ignore")]
async fn main() {
    let error = std::panic::catch_unwind(ends).unwrap_err();
    assert!(error.downcast_ref::<String>().unwrap().contains("the task"));
    executor::spawn(async { panic!("nobody") })
        .await
        .unwrap_err();
}
