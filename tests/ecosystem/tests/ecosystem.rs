//! Programs and crates that were written for tokio, on this library.

mod auto_traits;
mod codec;
mod compat;
mod database_seeds;
mod hostile;
mod http_client;
mod http_seeds;
mod http_server;
mod https_client;
mod mysql;
mod pool;
mod postgres;
mod postgres_tls;
mod processes;
mod proxy;
mod quic;
mod redis;
mod sqlx;
mod tls;
mod tls_server;
mod web;
mod websocket;

use std::future::Future;

use executor::net::{TcpListener, TcpStream};
use executor::runtime::Builder;

/// Runs a future in a task of a runtime with two workers.
fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let task = runtime.spawn(future);
    let done = runtime.block_on(async { executor::time::timeout(PATIENCE, task).await });
    done.expect("it hangs").unwrap()
}

/// The two ends of a connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = executor::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// How long a test waits for what should come at once.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
