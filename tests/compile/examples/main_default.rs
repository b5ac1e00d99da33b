//! Without arguments: a program that may be all there is to read about this library.

#[executor::main]
async fn main() {
    std::future::ready(()).await;
}
