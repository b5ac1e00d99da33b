//! Our runtime.

use std::future::Future;

use super::Runtime;
use super::join::Joined;
use crate::Result;

pub(crate) struct Executor(pub(crate) executor::runtime::Runtime);

impl Runtime for Executor {
    const NAME: &'static str = "executor";

    type Join<T: Send + 'static> = Joined<executor::task::JoinHandle<T>>;

    fn start(workers: usize) -> Result<Self> {
        // The system cuts the names of threads after 15 bytes: with this one the guard's still says what it is.
        let runtime = executor::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .thread_name("executor")
            .build()?;
        Ok(Self(runtime))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Joined(executor::spawn(future))
    }

    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
        drop(executor::spawn(future));
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        executor::task::yield_now()
    }
}

#[cfg(feature = "sockets")]
mod sockets {
    //! Our sockets, which speak hyper's I/O traits themselves.

    use std::future::Future;
    use std::io;
    use std::net::SocketAddr;
    use std::time::{Duration, Instant};

    use executor::net::{TcpListener, TcpStream};

    use super::Executor;
    use crate::peers::Sockets;

    impl Sockets for Executor {
        type Listener = TcpListener;
        type Stream = TcpStream;

        fn bind(address: SocketAddr) -> impl Future<Output = io::Result<TcpListener>> + Send {
            TcpListener::bind(address)
        }

        fn local_addr(listener: &TcpListener) -> io::Result<SocketAddr> {
            listener.local_addr()
        }

        async fn accept(listener: &mut TcpListener) -> io::Result<TcpStream> {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }

        async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }

        fn sleep(duration: Duration) -> impl Future<Output = ()> + Send {
            executor::time::sleep(duration)
        }

        fn sleep_until(deadline: Instant) -> impl Future<Output = ()> + Send {
            executor::time::sleep_until(deadline.into())
        }
    }
}
