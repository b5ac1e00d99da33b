//! Pairs of connected sockets, addresses that refuse or do not answer, and one poll of a future.

use std::future::Future;
use std::io;
use std::net;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::net::{TcpListener, TcpSocket, TcpStream};

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

/// An address that answers nothing: a listener that never accepts, and whose backlog is full, so that the system drops who knocks.
pub(crate) struct Dead {
    pub(crate) address: net::SocketAddr,
    pub(crate) listener: TcpListener,
    _backlog: Vec<net::TcpStream>,
}

impl Dead {
    /// In the current runtime.
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut backlog = Vec::new();
        let patience = Duration::from_millis(300);
        while let Ok(stream) = net::TcpStream::connect_timeout(&address, patience) {
            backlog.push(stream);
            assert!(backlog.len() < 64, "the backlog has no end");
        }
        Self {
            address,
            listener,
            _backlog: backlog,
        }
    }
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
