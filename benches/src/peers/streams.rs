//! Streams as tokio's traits have them, which drivers of databases take.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use ::tokio::io::{AsyncRead, AsyncWrite};

use super::{Sockets, Tokio};

/// A runtime whose streams have tokio's traits. Called inside of it only.
pub(crate) trait Streams: Sockets {
    type Plain: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// A connection, with `TCP_NODELAY`.
    fn open(address: SocketAddr) -> impl Future<Output = io::Result<Self::Plain>> + Send;
}

/// The two have the same names and meanings here.
macro_rules! streams {
    ($runtime:ty, $library:ident $(, $parameter:tt)?) => {
        impl$(<const $parameter: u8>)? Streams for $runtime {
            type Plain = $library::net::TcpStream;

            async fn open(address: SocketAddr) -> io::Result<Self::Plain> {
                let stream = Self::Plain::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
        }
    };
}

#[cfg(feature = "sockets")]
use super::Executor;
#[cfg(feature = "sockets")]
streams!(Executor, executor);
streams!(Tokio<SETTINGS>, tokio, SETTINGS);
