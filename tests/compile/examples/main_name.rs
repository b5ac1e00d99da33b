//! A name for the runtime.

#[executor::main(flavor = "current_thread", name = "my-server")]
async fn main() {
    assert_eq!(
        executor::runtime::Handle::current().name(),
        Some("my-server")
    );
}
