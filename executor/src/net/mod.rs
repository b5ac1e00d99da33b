//! TCP, UDP, Unix sockets, pipes, and the lookup of host names.
//!
//! Everything here has tokio's names and signatures. The sockets speak two families of I/O traits, those of the crate
//! `futures` always and tokio's with the feature `io`, so bring one family's extension traits into scope
//! (`executor::io::{AsyncReadExt, AsyncWriteExt}` or `futures::{AsyncReadExt, AsyncWriteExt}`), not both.
//!
//! A socket belongs to the runtime in which it was made: that of the task, of the `block_on`, or, outside of any, the
//! default one (see [`Handle::current`](crate::runtime::Handle::current)). It may be used from anywhere while that runtime
//! lives. Afterwards its operations end with an error; none waits for ever.
//!
//! ```
//! # #[cfg(feature = "io")]
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::io::{AsyncReadExt, AsyncWriteExt};
//! use executor::net::{TcpListener, TcpStream};
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let echo = executor::spawn(async move {
//!     let (mut stream, _) = listener.accept().await?;
//!     let (mut reader, mut writer) = stream.split();
//!     executor::io::copy(&mut reader, &mut writer).await
//! });
//!
//! let mut stream = TcpStream::connect(address).await?;
//! stream.write_all(b"hello").await?;
//! stream.shutdown().await?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "hello");
//! assert_eq!(echo.await.unwrap()?, 5);
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

mod acceptor;
mod addr;
pub(crate) mod datagram;
mod inherited;
mod no_signal;
mod serve;
pub(crate) mod stream;
pub mod tcp;
mod udp;
pub mod unix;
mod zero_copy;

pub(crate) use crate::io::readiness::{watch, watch_writable};

pub use addr::{ToSocketAddrs, lookup_host};
pub use inherited::{InheritedListener, inherited_listeners};
pub use serve::{Listener, Server, ServerBuilder, ServerReport, serve};
pub use tcp::{TcpListener, TcpSocket, TcpStream};
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixSocket, UnixStream};
pub use zero_copy::{SpliceRead, SpliceWrite, sendfile, splice, splice_bidirectional};

/// Sends without raising SIGPIPE, which would end a process that has not turned it off.
///
/// Apple's systems have an option of the socket instead, which the standard library sets.
#[cfg(target_vendor = "apple")]
pub(crate) const NO_SIGNAL: i32 = 0;
#[cfg(not(target_vendor = "apple"))]
pub(crate) const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
