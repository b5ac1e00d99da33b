//! TLS by rustls, on our sockets and on whatever else implements tokio's I/O traits.
//!
//! A [`TlsAcceptor`] is the server's side, a [`TlsConnector`] the client's. Both limit the time of the handshake, and give a [`TlsStream`]. What
//! they do not cover, certificates of clients say, is set in a configuration of [`rustls`] itself, from which either can be made.
//!
//! The cryptography is that of the crate ring in what is made here. A configuration of your own brings its own.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use executor::io::AsyncWriteExt;
//! use executor::net::{self, TcpListener, TcpStream};
//! use executor::tls::{TlsAcceptor, TlsConnector};
//!
//! let acceptor = TlsAcceptor::from_pem(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
//! let server = net::serve(TcpListener::bind("[::]:8443").await?, move |stream: TcpStream, _peer| {
//!     let acceptor = acceptor.clone();
//!     async move {
//!         // In the connection's task: a client that is slow here keeps nobody else waiting.
//!         let Ok(mut stream) = acceptor.accept(stream).await else { return };
//!         let _ = stream.write_all(b"hello").await;
//!         let _ = stream.shutdown().await;
//!     }
//! });
//!
//! let connector = TlsConnector::with_system_roots()?;
//! let stream = connector.connect("example.com", TcpStream::connect("example.com:443").await?).await?;
//! # server.serve_forever().await;
//! # Ok(())
//! # }
//! ```

mod acceptor;
mod connector;
mod handshake;
mod roots;
mod stream;

pub use acceptor::TlsAcceptor;
pub use connector::TlsConnector;
pub use roots::{roots_from_pem, system_roots};
pub use stream::TlsStream;

#[doc(no_inline)]
pub use tokio_rustls::rustls;

/// The names of HTTP/2 and HTTP/1.1, as they are agreed on in the handshake, the better one first.
pub const HTTP: [&[u8]; 2] = [H2, b"http/1.1"];

pub(crate) const H2: &[u8] = b"h2";
