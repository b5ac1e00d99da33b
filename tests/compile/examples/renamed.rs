//! `crate` names the library where `Cargo.toml` does not show the way, such as under a name given in code.

extern crate executor as tokio;

mod framework {
    pub use executor as rt;
}

#[tokio::main(crate = "tokio")]
async fn main() {
    inner();
}

#[tokio::main(crate = "crate::framework::rt", flavor = "current_thread")]
async fn nested() {}

fn inner() {
    std::thread::spawn(nested).join().unwrap();
}
