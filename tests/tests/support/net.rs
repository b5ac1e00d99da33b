//! Pairs of connected sockets, and one poll of a future.

use std::future::Future;
use std::io;
use std::net;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use executor::net::{TcpListener, TcpStream};

/// Two connected sockets of the current runtime: the one that connected, and the one that was accepted.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    (connected, accepted)
}

/// A socket of the current runtime, and its peer, which blocks and belongs to no runtime.
pub(crate) async fn pair_with_std() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (peer, _) = listener.accept().unwrap();
    (ours, peer)
}

/// An address where nobody listens.
pub(crate) fn refusing_address() -> net::SocketAddr {
    // No test listens there again.
    let listener = net::TcpListener::bind("127.0.0.38:0").unwrap();
    listener.local_addr().unwrap()
}

/// Polls once, with a waker that does nothing.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The kind of the error that this must be.
#[track_caller]
pub(crate) fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> io::ErrorKind {
    result.unwrap_err().kind()
}
