//! `serve`: a task for each connection of a listener, and a handle to all of them.
//!
//! ```text
//!   accepting (a task) ──spawns──▶ handler's task ─┐ each with a place in `Connections`, which knows how to cancel and abort it,
//!        ▲      │ waits for room                   │ and a token of the tracker, which knows when all are gone
//!        └──────┴──── Server: close, close_clients, abort_clients, wait_closed
//! ```

mod accepting;
mod builder;
mod connections;
mod listener;
mod server;

use std::future::Future;

pub use builder::ServerBuilder;
pub use listener::Listener;
pub use server::{Server, ServerReport};

/// Accepts connections, and runs `handler` for each in a task of its own. Serving begins at once.
///
/// An error of [`accept`](super::TcpListener::accept) does not end the server: after one that would come again, as when there are too many open files, it
/// tries again 50 ms later. [`Server::builder`] has a limit on connections, and a function that hears of errors.
///
/// The handler's tasks are as those of [`spawn`](crate::spawn). One that panics ends its connection alone, and is told of as
/// [any whose handle was dropped](crate::runtime::Builder::on_unobserved_failure). Whatever may take long, such as the handshake of TLS, belongs
/// there: nobody else waits for it. So do the connection's options, such as [`set_nodelay`](super::TcpStream::set_nodelay) for a protocol that answers with
/// several small writes.
///
/// The connections end with the runtime, if not before, and the server with its handle: see [`Server`].
///
/// ```
/// # #[cfg(feature = "io")]
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
/// use executor::io::{self, AsyncReadExt, AsyncWriteExt};
/// use executor::net::{self, TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let server = net::serve(listener, |mut stream: TcpStream, _peer| async move {
///     let (mut reader, mut writer) = stream.split();
///     // A client that breaks off is its own affair.
///     let _ = io::copy(&mut reader, &mut writer).await;
/// });
///
/// let mut client = TcpStream::connect(server.local_addr()?).await?;
/// client.write_all(b"hello").await?;
/// client.shutdown().await?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "hello");
///
/// let report = server.shutdown(Duration::from_secs(10)).await;
/// assert_eq!((report.accepted, report.finished), (1, 1));
/// # io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
#[doc(alias = "start_server")]
#[doc(alias = "start_unix_server")]
#[doc(alias = "serve_tcp")]
#[doc(alias = "serve_listeners")]
#[track_caller]
pub fn serve<L, H, F>(listener: L, handler: H) -> Server<L::Addr>
where
    L: Listener,
    H: Fn(L::Io, L::Addr) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    ServerBuilder::default().serve(listener, handler)
}
