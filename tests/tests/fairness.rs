//! Every operation that may always be ready counts in the task's budget: a task that does nothing else lets others run.
//!
//! The tables are the tests: each row is one operation, made so that it never has to wait.

use std::fs;
use std::future::{Future, pending, poll_fn, ready};
use std::io::{IoSlice, IoSliceMut, Write};
use std::net;
use std::os::unix::net as unix;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use executor::io::unix::AsyncFd;
use executor::io::{Interest, ReadBuf};
use executor::net::unix::pipe;
use executor::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
    lookup_host, sendfile, splice,
};
use executor::process::Command;
use executor::signal::unix::{SignalKind, signal};
use executor::task::coop::{consume_budget, cooperative, has_budget_remaining};
use executor::task::{AbortHandle, JoinHandle, JoinSet};
use executor::time::{Instant, interval, sleep, sleep_until, timeout};

use crate::support::{Directory, child, current_thread, pair_with_std, until, within, workers};

/// Makes each of the operations again and again, until the task beside it has run.
macro_rules! each_counts {
    ($($operation:expr;)+) => {$(
        let mut row = Row::new(stringify!($operation));
        while row.goes_on() {
            let operation = pin!($operation);
            row.once(operation).await;
        }
    )+};
}

/// One operation, and a task beside the one that repeats it.
struct Row {
    operation: &'static str,
    made: usize,
    refused: bool,
    sibling_ran: Arc<AtomicBool>,
}

impl Row {
    fn new(operation: &'static str) -> Self {
        let sibling_ran = Arc::new(AtomicBool::new(false));
        let ran = sibling_ran.clone();
        executor::spawn(async move { ran.store(true, Relaxed) });
        Self {
            operation,
            made: 0,
            refused: false,
            sibling_ran,
        }
    }

    fn goes_on(&self) -> bool {
        assert!(self.made < MOST, "{} never let go", self.operation);
        // A worker that does not get on may be helped by others; that would not be the budget's doing.
        !(self.refused && self.sibling_ran.load(Relaxed))
    }

    /// The operation must be ready, unless the budget is used up.
    async fn once<F: Future>(&mut self, mut operation: Pin<&mut F>) {
        self.made += 1;
        let output = poll_fn(|cx| {
            let poll = operation.as_mut().poll(cx);
            if poll.is_pending() {
                assert!(!has_budget_remaining(), "{} has to wait", self.operation);
                self.refused = true;
            }
            poll
        });
        drop(output.await);
    }
}

/// Some seconds' worth of the slowest, and far more than a budget.
const MOST: usize = 200_000;

/// Runs a table in a task, on a worker and on the thread of the caller.
fn in_a_task<F: Future<Output = ()> + Send + 'static>(table: impl Fn() -> F) {
    for runtime in [workers(1), current_thread()] {
        within(60, || runtime.block_on(runtime.spawn(table())).unwrap());
    }
}

/// Of a stream at its end, from which nothing can be read for ever, or any from which nothing is asked.
async fn reads<R>(reader: &mut R, room: usize)
where
    R: futures::AsyncRead + executor::io::AsyncRead + Unpin,
{
    let buffer = &mut [0; 1][..room];
    // The end may still be under way.
    poll_fn(|cx| futures::AsyncRead::poll_read(Pin::new(&mut *reader), cx, buffer))
        .await
        .unwrap();
    each_counts! {
        poll_fn(|cx| futures::AsyncRead::poll_read(Pin::new(&mut *reader), cx, buffer));
        poll_fn(|cx| {
            let slices = &mut [IoSliceMut::new(buffer)];
            futures::AsyncRead::poll_read_vectored(Pin::new(&mut *reader), cx, slices)
        });
        poll_fn(|cx| {
            executor::io::AsyncRead::poll_read(Pin::new(&mut *reader), cx, &mut ReadBuf::new(buffer))
        });
    }
}

/// Of a stream that has room, to which nothing is written.
async fn writes<W>(writer: &mut W)
where
    W: futures::AsyncWrite + executor::io::AsyncWrite + Unpin,
{
    let slices = [IoSlice::new(b"")];
    each_counts! {
        poll_fn(|cx| futures::AsyncWrite::poll_write(Pin::new(&mut *writer), cx, b""));
        poll_fn(|cx| futures::AsyncWrite::poll_write_vectored(Pin::new(&mut *writer), cx, &slices));
        poll_fn(|cx| executor::io::AsyncWrite::poll_write(Pin::new(&mut *writer), cx, b""));
        poll_fn(|cx| executor::io::AsyncWrite::poll_write_vectored(Pin::new(&mut *writer), cx, &slices));
    }
}

/// Of what flushes through the pool, and has nothing to flush.
async fn flushes<W>(writer: &mut W)
where
    W: futures::AsyncWrite + executor::io::AsyncWrite + Unpin,
{
    each_counts! {
        poll_fn(|cx| futures::AsyncWrite::poll_flush(Pin::new(&mut *writer), cx));
        poll_fn(|cx| futures::AsyncWrite::poll_close(Pin::new(&mut *writer), cx));
        poll_fn(|cx| executor::io::AsyncWrite::poll_flush(Pin::new(&mut *writer), cx));
        poll_fn(|cx| executor::io::AsyncWrite::poll_shutdown(Pin::new(&mut *writer), cx));
    }
}

#[test]
fn tcp_streams() {
    in_a_task(|| async {
        let (mut ours, mut peer) = pair_with_std().await;
        peer.write_all(b"x").unwrap();
        ours.readable().await.unwrap();
        ours.writable().await.unwrap();
        let byte = &mut [0];
        each_counts! {
            ours.readable();
            ours.writable();
            ours.ready(Interest::READABLE | Interest::WRITABLE);
            poll_fn(|cx| ours.poll_read_ready(cx));
            poll_fn(|cx| ours.poll_write_ready(cx));
            ours.async_io(Interest::WRITABLE, || Ok(()));
            ours.peek(byte);
            poll_fn(|cx| ours.poll_peek(cx, &mut ReadBuf::new(byte)));
        }
        writes(&mut ours).await;
        let file = fs::File::open("/dev/null").unwrap();
        let nothing = &mut (0..0);
        each_counts! {
            sendfile(&file, nothing, &mut ours);
        }
        assert_eq!(ours.try_read(byte).unwrap(), 1);
        drop(peer);
        reads(&mut ours, 1).await;
        let (mut goal, _peer) = pair_with_std().await;
        each_counts! {
            splice(&mut ours, &mut goal);
        }

        let (mut reader, mut writer) = ours.into_split();
        each_counts! {
            reader.readable();
            reader.ready(Interest::READABLE);
            reader.peek(byte);
            poll_fn(|cx| reader.poll_peek(cx, &mut ReadBuf::new(byte)));
            writer.writable();
            writer.ready(Interest::WRITABLE);
        }
        reads(&mut reader, 1).await;
        writes(&mut writer).await;
    });
}

#[test]
fn connecting_over_tcp() {
    in_a_task(|| async {
        // Whether it is refused or not, the system says so at once.
        let nowhere = "255.255.255.255:1".parse::<net::SocketAddr>().unwrap();
        each_counts! {
            lookup_host(nowhere);
            TcpStream::connect(nowhere);
            TcpStream::connect(&[][..]);
            async { TcpSocket::new_v4().unwrap().connect(nowhere).await };
        }
    });
}

#[test]
fn tcp_listeners() {
    in_a_task(|| async {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        each_counts! {
            TcpListener::bind("127.0.0.1:0");
            TcpListener::bind(address);
        }
        let _backlog: Vec<_> = (0..2 * BACKLOG)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        taken.accept().await.unwrap();
        each_counts! {
            taken.accept();
            poll_fn(|cx| taken.poll_accept(cx));
        }
    });
}

/// More than a budget.
const BACKLOG: usize = 250;

#[test]
fn udp_sockets() {
    in_a_task(|| async {
        let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (here, there) = (ours.local_addr().unwrap(), peer.local_addr().unwrap());
        peer.connect(here).unwrap();
        peer.send(b"x").unwrap();
        ours.readable().await.unwrap();
        ours.writable().await.unwrap();
        let byte = &mut [0];
        let mut room = Vec::new();
        // What nobody reads is lost, and what is read is there again at once.
        each_counts! {
            UdpSocket::bind("127.0.0.1:0");
            UdpSocket::bind(here);
            ours.readable();
            ours.writable();
            ours.ready(Interest::READABLE);
            poll_fn(|cx| ours.poll_recv_ready(cx));
            poll_fn(|cx| ours.poll_send_ready(cx));
            ours.async_io(Interest::WRITABLE, || Ok(()));
            ours.send_to(b"x", there);
            poll_fn(|cx| ours.poll_send_to(cx, b"x", there));
            ours.peek(byte);
            ours.peek_from(byte);
            ours.peek_sender();
            poll_fn(|cx| ours.poll_peek(cx, &mut ReadBuf::new(byte)));
            poll_fn(|cx| ours.poll_peek_from(cx, &mut ReadBuf::new(byte)));
            poll_fn(|cx| ours.poll_peek_sender(cx));
            { again(&peer); ours.recv(byte) };
            { again(&peer); ours.recv_from(byte) };
            { again(&peer); room.clear(); ours.recv_buf(&mut room) };
            { again(&peer); room.clear(); ours.recv_buf_from(&mut room) };
            { again(&peer); poll_fn(|cx| ours.poll_recv(cx, &mut ReadBuf::new(byte))) };
            { again(&peer); poll_fn(|cx| ours.poll_recv_from(cx, &mut ReadBuf::new(byte))) };
            ours.connect(there);
            ours.send(b"x");
            poll_fn(|cx| ours.poll_send(cx, b"x"));
        }
    });

    fn again(peer: &net::UdpSocket) {
        peer.send(b"x").unwrap();
    }
}

#[test]
fn unix_streams() {
    in_a_task(|| async {
        let (mut ours, peer) = UnixStream::pair().unwrap();
        ours.writable().await.unwrap();
        each_counts! {
            ours.writable();
            ours.ready(Interest::WRITABLE);
            poll_fn(|cx| ours.poll_write_ready(cx));
            ours.async_io(Interest::WRITABLE, || Ok(()));
        }
        writes(&mut ours).await;
        drop(peer);
        ours.readable().await.unwrap();
        reads(&mut ours, 1).await;
    });
}

#[test]
fn unix_listeners_and_connecting_to_them() {
    in_a_task(|| async {
        let directory = Directory::new();
        let path = directory.file("s");
        let _listener = UnixListener::bind(&path).unwrap();
        each_counts! {
            // When the backlog is full it is refused.
            UnixStream::connect(&path);
            UnixStream::connect(directory.file("nobody"));
        }
        let path = directory.file("t");
        let listener = UnixListener::bind(&path).unwrap();
        let _backlog: Vec<_> = (0..2 * BACKLOG)
            .map(|_| unix::UnixStream::connect(&path).unwrap())
            .collect();
        listener.accept().await.unwrap();
        each_counts! {
            listener.accept();
            poll_fn(|cx| listener.poll_accept(cx));
        }
    });
}

#[test]
fn unix_datagrams() {
    in_a_task(|| async {
        let directory = Directory::new();
        let (here, there) = (directory.file("here"), directory.file("there"));
        let ours = UnixDatagram::bind(&here).unwrap();
        let peer = unix::UnixDatagram::bind(&there).unwrap();
        ours.connect(&there).unwrap();
        peer.connect(&here).unwrap();
        peer.send(b"x").unwrap();
        ours.readable().await.unwrap();
        ours.writable().await.unwrap();
        let byte = &mut [0];
        let mut room = Vec::new();
        // The queue is short.
        let take = || peer.recv(&mut [0]).unwrap();
        let again = || peer.send(b"x").unwrap();
        each_counts! {
            ours.readable();
            ours.writable();
            ours.ready(Interest::READABLE);
            poll_fn(|cx| ours.poll_recv_ready(cx));
            poll_fn(|cx| ours.poll_send_ready(cx));
            ours.async_io(Interest::WRITABLE, || Ok(()));
            async { ours.send(b"x").await.unwrap(); take() };
            async { ours.send_to(b"x", &there).await.unwrap(); take() };
            async { poll_fn(|cx| ours.poll_send(cx, b"x")).await.unwrap(); take() };
            async { poll_fn(|cx| ours.poll_send_to(cx, b"x", &there)).await.unwrap(); take() };
            { again(); ours.recv(byte) };
            { again(); ours.recv_from(byte) };
            { again(); room.clear(); ours.recv_buf(&mut room) };
            { again(); room.clear(); ours.recv_buf_from(&mut room) };
            { again(); poll_fn(|cx| ours.poll_recv(cx, &mut ReadBuf::new(byte))) };
            { again(); poll_fn(|cx| ours.poll_recv_from(cx, &mut ReadBuf::new(byte))) };
        }
    });
}

#[test]
fn pipes() {
    in_a_task(|| async {
        let (mut sender, mut receiver) = pipe::pipe().unwrap();
        sender.writable().await.unwrap();
        each_counts! {
            sender.writable();
            sender.ready(Interest::WRITABLE);
            poll_fn(|cx| sender.poll_write_ready(cx));
        }
        writes(&mut sender).await;
        drop(sender);
        receiver.readable().await.unwrap();
        each_counts! {
            receiver.readable();
            receiver.ready(Interest::READABLE);
            poll_fn(|cx| receiver.poll_read_ready(cx));
        }
        reads(&mut receiver, 1).await;
    });
}

#[test]
fn descriptors_of_any_kind() {
    in_a_task(|| async {
        let (ours, mut peer) = unix::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        peer.write_all(b"x").unwrap();
        let mut ours = AsyncFd::new(ours).unwrap();
        ours.readable().await.unwrap().retain_ready();
        ours.writable().await.unwrap().retain_ready();
        each_counts! {
            ours.readable();
            ours.readable_mut();
            ours.writable();
            ours.writable_mut();
            ours.ready(Interest::READABLE);
            ours.ready_mut(Interest::READABLE);
            async { poll_fn(|cx| ours.poll_read_ready(cx).map_ok(drop)).await };
            async { poll_fn(|cx| ours.poll_read_ready_mut(cx).map_ok(drop)).await };
            async { poll_fn(|cx| ours.poll_write_ready(cx).map_ok(drop)).await };
            async { poll_fn(|cx| ours.poll_write_ready_mut(cx).map_ok(drop)).await };
            ours.async_io(Interest::READABLE, |_| Ok(()));
            ours.async_io_mut(Interest::READABLE, |_| Ok(()));
        }
    });
}

#[test]
fn standard_streams() {
    in_a_task(|| async {
        reads(&mut executor::io::stdin(), 0).await;
        let (mut out, mut err) = (executor::io::stdout(), executor::io::stderr());
        writes(&mut out).await;
        writes(&mut err).await;
        flushes(&mut out).await;
        flushes(&mut err).await;
    });
}

#[test]
fn files_and_directories() {
    in_a_task(|| async {
        let directory = Directory::new();
        let path = directory.file("f");
        fs::write(&path, b"x").unwrap();
        let mut file = executor::fs::File::open(&path).await.unwrap();
        reads(&mut file, 0).await;
        writes(&mut file).await;
        flushes(&mut file).await;
        let mut entries = executor::fs::read_dir(directory.file(".")).await.unwrap();
        let entry = entries.next_entry().await.unwrap().unwrap();
        each_counts! {
            file.try_clone();
            entry.file_type();
            entries.next_entry();
            poll_fn(|cx| entries.poll_next_entry(cx));
        }
    });
}

#[test]
fn timers() {
    in_a_task(|| async {
        let mut interval = interval(Duration::from_nanos(1));
        let now = Instant::now();
        each_counts! {
            sleep(Duration::ZERO);
            sleep_until(now);
            timeout(Duration::ZERO, pending::<()>());
            interval.tick();
            poll_fn(|cx| interval.poll_tick(cx));
        }
    });
}

#[test]
fn handles_and_sets_of_tasks() {
    let other = workers(1);
    let other = other.handle();
    in_a_task(|| {
        let other = other.clone();
        let (mut a, mut b, mut c) = (all_finished(), all_finished(), all_finished());
        let (mut d, mut e) = (all_finished(), all_finished());
        async move {
            let mut empty = JoinSet::<()>::new();
            each_counts! {
                ended(other.spawn(async {}));
                ended(other.spawn_blocking(|| ()));
                a.join_next();
                b.join_next_with_id();
                poll_fn(|cx| c.poll_join_next(cx));
                poll_fn(|cx| d.poll_join_next_with_id(cx));
                e.shutdown();
                empty.join_next();
                empty.join_next_with_id();
                empty.shutdown();
                JoinSet::<()>::new().join_all();
                consume_budget();
                cooperative(ready(()));
            }
        }
    });

    fn ended<T>(handle: JoinHandle<T>) -> JoinHandle<T> {
        while !handle.is_finished() {
            std::thread::yield_now();
        }
        handle
    }

    /// More than a budget. They have told the set so, too, when their runtime has ended.
    fn all_finished() -> JoinSet<()> {
        let runtime = workers(1);
        let mut set = JoinSet::new();
        let tasks: Vec<_> = (0..5000)
            .map(|_| set.spawn_on(async {}, runtime.handle()))
            .collect();
        until(|| tasks.iter().all(AbortHandle::is_finished));
        drop(runtime);
        set
    }
}

#[test]
fn processes() {
    in_a_task(|| async {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().await.unwrap();
        each_counts! {
            child.wait();
            child.kill();
            Command::new("/nowhere/to/be/found").status();
            Command::new("/nowhere/to/be/found").output();
        }
    });
}

#[test]
fn signals() {
    child("fairness::signals", || {
        in_a_task(|| async {
            let mut signal = signal(SignalKind::user_defined1()).unwrap();
            // SAFETY: a call with a number, and this process has a handler for it. It has run when the call returns.
            let raise = || assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
            each_counts! {
                { raise(); signal.recv() };
                { raise(); poll_fn(|cx| signal.poll_recv(cx)) };
            }
        });
    });
}
