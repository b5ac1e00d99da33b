//! Which types of the features `http`, `tls` and `tokio-compat` may cross threads, be shared, be moved after they were polled: checked by the compiler.
//!
//! Those of the library's core are in a file of the same name among its tests, which looks here as well whether a type is missing.

use executor::http::client::{Body, ClientBuilder, Error};
use executor::http::{Client, ServerBuilder};
use executor::hyper::TokioIo;
use executor::net::TcpStream;
use executor::tls::{TlsAcceptor, TlsConnector, TlsStream};
use executor::tokio_compat::InTokio;

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

yes!(Send: Body, Client, ClientBuilder, Error, InTokio<std::future::Ready<u8>>);
yes!(Sync: Body, Client, ClientBuilder, Error, InTokio<std::future::Ready<u8>>);
yes!(Unpin: Body, Client, ClientBuilder, Error, InTokio<std::future::Ready<u8>>);
yes!(Clone: Client, ClientBuilder);
yes!(std::error::Error: Error);
yes!(std::fmt::Debug: Body, Client, ClientBuilder, Error, InTokio<std::future::Ready<u8>>);
