//! What the tests share: socket pairs, wakers that count, and a turn with a limit.

use std::future::Future;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::{Direction, Interest, Reactor, Source};

/// Long enough for any machine, short enough to end a test that hangs.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn both() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

pub(super) fn unix_pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

pub(super) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, theirs)
}

/// Makes the next close of `stream` send a reset instead of a FIN.
pub(super) fn close_by_reset(stream: TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // SAFETY: the descriptor is open, and `linger` is a `linger` of the size that is given.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of_val(&linger) as libc::socklen_t,
        )
    };
    assert_eq!(result, 0);
    drop(stream);
}

/// Fills the socket until the operating system takes no more.
pub(super) fn fill(mut stream: &UnixStream) {
    let block = [0; 64 * 1024];
    loop {
        match stream.write(&block) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => panic!("filling a socket: {error}"),
        }
    }
}

/// A waker that counts.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(super) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    pub(super) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Turns and wakes until `done`; fails past the limit.
pub(super) fn turn_until(reactor: &mut Reactor, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    let mut wakers = Vec::new();
    while !done() {
        assert!(start.elapsed() < LIMIT, "nothing happened");
        reactor
            .turn(Some(Duration::from_millis(100)), &mut wakers)
            .unwrap();
        wakers.drain(..).for_each(Waker::wake);
    }
}

/// One look that must not wait; gives the number of wakers it handed out.
pub(super) fn look(reactor: &mut Reactor) -> usize {
    let mut wakers = Vec::new();
    reactor.turn(Some(Duration::ZERO), &mut wakers).unwrap();
    let count = wakers.len();
    wakers.into_iter().for_each(Waker::wake);
    count
}

/// Runs a future on this thread, turning the reactor while it waits.
pub(super) fn block_on<F: Future>(reactor: &mut Reactor, future: F) -> F::Output {
    let mut future = pin!(future);
    let (count, waker) = Count::new();
    loop {
        let before = count.wakes();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        turn_until(reactor, || count.wakes() > before);
    }
}

/// A Unix stream registered in both directions whose first event (writable) has been seen and forgotten.
pub(super) fn quiet(
    reactor: &mut Reactor,
    handle: &crate::Handle,
) -> (Source<UnixStream>, UnixStream) {
    let (ours, peer) = unix_pair();
    let source = handle.register(ours, both()).unwrap();
    turn_until(reactor, || source.readiness(Direction::Write).is_some());
    source.clear_ready(source.readiness(Direction::Write).unwrap());
    assert_eq!(source.readiness(Direction::Read), None);
    assert_eq!(source.readiness(Direction::Write), None);
    (source, peer)
}
