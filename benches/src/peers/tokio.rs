//! tokio's multi-thread runtime.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::join::Joined;
use super::{Runtime, Sockets};
use crate::Result;

/// As it is without settings, or with [`TUNED`] or [`UNSTABLE`] ones.
pub(crate) struct Tokio<const SETTINGS: u8 = USUAL>(pub(super) tokio::runtime::Runtime);

const USUAL: u8 = 0;

/// Looks at timers and sockets after 13 polls, not 61, and at what other threads have spawned after 7, not when it thinks fit: what its documentation offers to
/// those whose tasks come from elsewhere.
pub(crate) const TUNED: u8 = 1;

/// With its unstable timers and hand-over of the driver, which exist in a build with `--cfg tokio_unstable`.
pub(crate) const UNSTABLE: u8 = 2;

impl<const SETTINGS: u8> Runtime for Tokio<SETTINGS> {
    const NAME: &'static str = match SETTINGS {
        TUNED => "tokio-tuned",
        UNSTABLE => "tokio-unstable",
        _ => "tokio",
    };

    type Join<T: Send + 'static> = Joined<tokio::task::JoinHandle<T>>;

    fn start(workers: usize) -> Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if SETTINGS == TUNED {
            builder.event_interval(13).global_queue_interval(7);
        }
        #[cfg(tokio_unstable)]
        if SETTINGS == UNSTABLE {
            builder.enable_alt_timer().enable_eager_driver_handoff();
        }
        Ok(Self(builder.worker_threads(workers).enable_all().build()?))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Joined(tokio::spawn(future))
    }

    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(future));
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }
}

impl<const SETTINGS: u8> Sockets for Tokio<SETTINGS> {
    type Listener = TcpListener;
    type Stream = TokioIo<TcpStream>;

    fn bind(address: SocketAddr) -> impl Future<Output = io::Result<TcpListener>> + Send {
        TcpListener::bind(address)
    }

    fn local_addr(listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<TokioIo<TcpStream>> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    async fn connect(address: SocketAddr) -> io::Result<TokioIo<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }

    fn sleep_until(deadline: Instant) -> impl Future<Output = ()> + Send {
        tokio::time::sleep_until(deadline.into())
    }
}
