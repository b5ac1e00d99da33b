//! Which types of the features `http` and `tls` may cross threads, be shared, be moved after they were polled: checked by the compiler.
//!
//! Those of the library's core are in a file of the same name among its tests, which looks here as well whether a type is missing.

use executor::http::ServerBuilder;
use executor::hyper::TokioIo;
use executor::net::TcpStream;
use executor::tls::{TlsAcceptor, TlsConnector, TlsStream};

/// Compiles if all of the types have the trait.
macro_rules! yes {
    ($trait:path: $($type:ty),+ $(,)?) => {
        const _: () = {
            const fn has<T: $trait>() {}
            $(has::<$type>();)+
        };
    };
}

yes!(Send: ServerBuilder, TlsAcceptor, TlsConnector, TlsStream<TcpStream>, TokioIo<TcpStream>);
yes!(Sync: TlsAcceptor, TlsConnector, TlsStream<TcpStream>, TokioIo<TcpStream>);
yes!(Unpin: ServerBuilder, TlsAcceptor, TlsConnector, TlsStream<TcpStream>, TokioIo<TcpStream>);
yes!(Clone: TlsAcceptor, TlsConnector);
yes!(std::fmt::Debug: ServerBuilder, TlsAcceptor, TlsConnector, TlsStream<TcpStream>, TokioIo<TcpStream>);
yes!(futures::io::AsyncRead: TlsStream<TcpStream>);
yes!(futures::io::AsyncWrite: TlsStream<TcpStream>);
