//! `AsyncFd`: waits for descriptors of any kind, through guards that say what has become of the readiness.

use std::fs::{File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll};
use std::thread;

use executor::io::unix::{AsyncFd, AsyncFdReadyGuard};
use executor::io::{Interest, Ready};
use futures::future::{join, join_all};

use crate::support::{block_on, counting_waker, current_thread, each_runtime, poll_once, within};

/// Two connected streams of the standard library in non-blocking mode.
fn pair() -> (UnixStream, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    peer.set_nonblocking(true).unwrap();
    (ours, peer)
}

/// Writes until nothing more goes in, and returns how much did.
fn fill(mut stream: &UnixStream) -> usize {
    let mut bytes = 0;
    while let Ok(n) = stream.write(&[0; 4096]) {
        bytes += n;
    }
    bytes
}

fn drain(mut stream: &UnixStream, mut bytes: usize) {
    let mut buffer = [0; 4096];
    while bytes > 0 {
        bytes -= stream.read(&mut buffer).unwrap();
    }
}

/// Runs a test on each kind of runtime, in its `block_on`.
fn each(test: impl AsyncFn()) {
    each_runtime(|runtime| within(30, || runtime.block_on(test())));
}

/// Returns once the reactor has reported all that had happened before the call.
async fn events_are_in() {
    for _ in 0..2 {
        let (ours, mut peer) = pair();
        let ours = AsyncFd::new(ours).unwrap();
        peer.write_all(b"x").unwrap();
        ours.readable().await.unwrap().retain_ready();
    }
}

fn would_block() -> io::Result<()> {
    Err(ErrorKind::WouldBlock.into())
}

/// A path for a test's own file, which is removed with it.
struct TempPath(PathBuf);

impl TempPath {
    fn new(name: &str) -> Self {
        let file = format!("executor-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_new_stream_is_writable_and_not_readable() {
    each(async || {
        let (ours, _peer) = pair();
        let ours = AsyncFd::new(ours).unwrap();
        assert_eq!(ours.writable().await.unwrap().ready(), Ready::WRITABLE);
        events_are_in().await;
        assert!(poll_once(pin!(ours.readable())).is_pending());
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(ours.ready(both).await.unwrap().ready(), Ready::WRITABLE);
    });
}

#[test]
fn a_cleared_readiness_comes_back_with_the_next_event() {
    each(async || {
        let (ours, mut peer) = pair();
        let ours = AsyncFd::new(ours).unwrap();
        peer.write_all(b"0").unwrap();
        // An event that came after the look would make the clear late.
        events_are_in().await;
        let mut guard = ours.readable().await.unwrap();
        let n = guard.try_io(|fd| fd.get_ref().read(&mut [0])).unwrap();
        assert_eq!(n.unwrap(), 1);
        // Nothing has said yet that nothing is left.
        ours.readable().await.unwrap().retain_ready();
        guard.clear_ready();
        assert!(guard.ready().is_empty());
        let mut waiting = pin!(ours.readable());
        assert!(poll_once(waiting.as_mut()).is_pending());
        peer.write_all(b"0").unwrap();
        assert!(waiting.await.unwrap().ready().is_readable());
    });
}

#[test]
fn a_late_clear_does_not_forget_the_next_event() {
    each(async || {
        let (ours, mut peer) = pair();
        let ours = AsyncFd::new(ours).unwrap();
        peer.write_all(b"0").unwrap();
        let mut first = ours.readable().await.unwrap();
        let mut late = ours.readable().await.unwrap();
        first.clear_ready();
        peer.write_all(b"0").unwrap();
        ours.readable().await.unwrap().retain_ready();
        late.clear_ready();
        assert!(poll_once(pin!(ours.readable())).is_ready());
    });
}

#[test]
fn a_full_stream_is_writable_again_when_the_peer_has_read() {
    each(async || {
        let (ours, peer) = pair();
        let ours = AsyncFd::new(ours).unwrap();
        let mut guard = ours.writable().await.unwrap();
        let mut bytes = 0;
        while let Ok(n) = guard.try_io(|fd| fd.get_ref().write(&[0; 4096])) {
            bytes += n.unwrap();
        }
        assert!(guard.ready().is_empty(), "WouldBlock clears");
        let mut waiting = pin!(ours.writable());
        assert!(poll_once(waiting.as_mut()).is_pending());
        drain(&peer, bytes);
        waiting.await.unwrap().retain_ready();
    });
}

#[test]
fn dropping_closes_and_taking_apart_does_not() {
    each(async || {
        let (ours, mut peer) = pair();
        let ours = AsyncFd::new(ours).unwrap().into_inner();
        assert_eq!(
            peer.read(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        let again = AsyncFd::new(ours).unwrap();
        again.writable().await.unwrap().retain_ready();
        drop(again);
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn try_io_runs_its_closure_only_while_the_descriptor_is_known_to_be_ready() {
    each(async || {
        let (ours, mut peer) = pair();
        let mut ours = AsyncFd::new(ours).unwrap();
        events_are_in().await;
        let called = |result: io::Result<()>| result.is_ok();
        assert!(!called(ours.try_io_mut(Interest::READABLE, |_| Ok(()))));
        assert!(called(ours.try_io(Interest::WRITABLE, |_| Ok(()))));
        let either = Interest::READABLE | Interest::WRITABLE;
        assert!(called(ours.try_io(either, |_| Ok(()))));

        peer.write_all(b"0").unwrap();
        ours.readable().await.unwrap().retain_ready();
        for interest in [Interest::READABLE, Interest::WRITABLE] {
            assert!(called(ours.try_io_mut(interest, |_| Ok(()))));
            let error = ours.try_io(interest, |_| would_block()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(!called(ours.try_io(interest, |_| Ok(()))));
        }
    });
}

#[test]
fn async_io_calls_again_until_the_answer_is_not_would_block() {
    each(async || {
        let (ours, mut peer) = pair();
        let mut ours = AsyncFd::new(ours).unwrap();
        let writer = executor::spawn(async move {
            executor::task::yield_now().await;
            peer.write_all(b"ab").unwrap();
            peer
        });
        let mut buffer = [0];
        let read = ours.async_io(Interest::READABLE, |mut fd| fd.read(&mut buffer));
        assert_eq!(read.await.unwrap(), 1);
        assert_eq!(buffer, *b"a");
        let read = ours.async_io_mut(Interest::READABLE, |fd| fd.read(&mut buffer));
        assert_eq!(read.await.unwrap(), 1);
        assert_eq!(buffer, *b"b");
        drop(writer.await.unwrap());
        let read = ours.async_io_mut(Interest::READABLE, |fd| fd.read(&mut buffer));
        assert_eq!(read.await.unwrap(), 0);
    });
}

#[test]
fn guards_that_lend_for_change_clear_as_well() {
    each(async || {
        let (ours, mut peer) = pair();
        let mut ours = AsyncFd::new(ours).unwrap();
        peer.write_all(b"0").unwrap();
        let mut guard = ours.readable_mut().await.unwrap();
        assert_eq!(guard.get_inner_mut().read(&mut [0]).unwrap(), 1);
        assert!(guard.try_io(|fd| fd.get_mut().read(&mut [0])).is_err());
        assert!(guard.ready().is_empty());
        // The event of the write may be told a second time, when what it is about has been read.
        while let Poll::Ready(guard) = poll_once(pin!(ours.readable_mut())) {
            assert!(
                guard
                    .unwrap()
                    .try_io(|fd| fd.get_mut().read(&mut [0]))
                    .is_err()
            );
        }
        let mut guard = poll_fn(|cx| match ours.poll_write_ready_mut(cx) {
            Poll::Ready(guard) => Poll::Ready(guard.map(|guard| guard.ready())),
            Poll::Pending => Poll::Pending,
        });
        assert_eq!((&mut guard).await.unwrap(), Ready::WRITABLE);
        ours.writable_mut().await.unwrap().clear_ready();
        assert!(poll_once(pin!(ours.writable_mut())).is_pending());
    });
}

#[test]
fn a_part_of_a_readiness_can_be_cleared() {
    each(async || {
        let (ours, mut peer) = pair();
        let mut ours = AsyncFd::new(ours).unwrap();
        peer.write_all(b"0").unwrap();
        ours.readable().await.unwrap().retain_ready();
        ours.writable().await.unwrap().retain_ready();
        let both = Interest::READABLE | Interest::WRITABLE;

        let mut guard = ours.ready(both).await.unwrap();
        assert_eq!(guard.ready(), Ready::READABLE | Ready::WRITABLE);
        guard.clear_ready_matching(Ready::READABLE);
        assert_eq!(guard.ready(), Ready::WRITABLE);
        assert!(poll_once(pin!(ours.readable())).is_pending());

        let mut guard = ours.ready_mut(both).await.unwrap();
        assert_eq!(guard.ready(), Ready::WRITABLE);
        guard.clear_ready_matching(Ready::WRITABLE);
        assert!(guard.ready().is_empty());
        assert!(poll_once(pin!(ours.ready(both))).is_pending());
    });
}

#[test]
fn clearing_a_hang_up_leaves_what_can_be_read() {
    each(async || {
        let (ours, mut peer) = pair();
        let ours = AsyncFd::with_interest(ours, Interest::READABLE).unwrap();
        peer.write_all(b"last words").unwrap();
        drop(peer);
        events_are_in().await;
        let mut guard = ours.readable().await.unwrap();
        assert_eq!(guard.ready(), Ready::READABLE | Ready::READ_CLOSED);
        guard.clear_ready_matching(Ready::READ_CLOSED);
        let seen = ours.readable().await.unwrap().ready();
        assert_eq!(seen, Ready::READABLE | Ready::READ_CLOSED);
    });
}

#[test]
fn one_event_wakes_all_who_wait() {
    each(async || {
        let (ours, mut peer) = pair();
        let ours = Arc::new(AsyncFd::new(ours).unwrap());
        let (waiting, mut announced) = futures::channel::mpsc::unbounded();
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (ours, waiting) = (ours.clone(), waiting.clone());
                executor::spawn(async move {
                    let mut guard = pin!(ours.readable());
                    assert!(poll_once(guard.as_mut()).is_pending());
                    let guard = poll_fn(|cx| {
                        let polled = guard.as_mut().poll(cx);
                        waiting.unbounded_send(()).unwrap();
                        polled
                    });
                    guard.await.unwrap().retain_ready();
                })
            })
            .collect();
        for _ in 0..10 {
            futures::StreamExt::next(&mut announced).await.unwrap();
        }
        peer.write_all(b"0").unwrap();
        for task in join_all(tasks).await {
            task.unwrap();
        }
    });
}

#[test]
fn the_polls_keep_the_last_waker_of_each_direction() {
    each(async || {
        let (ours, mut peer) = pair();
        let bytes = fill(&ours);
        let ours = AsyncFd::new(ours).unwrap();
        let wakers = [(); 4].map(|()| counting_waker());
        let [replaced, reader, writer, listed] = &wakers;
        let cx = |waker: &(std::task::Waker, _)| waker.0.clone();
        let woken = || wakers.each_ref().map(|(_, count)| count.load(SeqCst));

        for waker in [replaced, reader] {
            let waker = cx(waker);
            let polled = ours.poll_read_ready(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        let waker = cx(writer);
        let polled = ours.poll_write_ready(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        let waker = cx(listed);
        let mut readable = pin!(ours.readable());
        assert!(
            readable
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );

        peer.write_all(b"0").unwrap();
        while woken() != [0, 1, 0, 1] {
            assert_eq!((woken()[0], woken()[2]), (0, 0));
            executor::task::yield_now().await;
        }
        drain(&peer, bytes);
        while woken() != [0, 1, 1, 1] {
            assert_eq!(woken()[0], 0);
            executor::task::yield_now().await;
        }
    });
}

#[test]
fn the_end_of_its_runtime_wakes_who_waits_with_an_error() {
    within(30, || {
        each_runtime(|runtime| {
            let (ours, _peer) = pair();
            fill(&ours);
            let ours = {
                let _entered = runtime.enter();
                AsyncFd::new(ours).unwrap()
            };
            let both = Interest::READABLE | Interest::WRITABLE;
            let mut waits = (
                pin!(ours.ready(both)),
                pin!(poll_readable(&ours)),
                pin!(ours.async_io(Interest::WRITABLE, |_| would_block())),
            );
            assert!(poll_once(waits.0.as_mut()).is_pending());
            assert!(poll_once(waits.1.as_mut()).is_pending());
            assert!(poll_once(waits.2.as_mut()).is_pending());
            drop(runtime);
            assert!(block_on(waits.0).is_err());
            assert!(block_on(waits.1).is_err());
            assert!(block_on(waits.2).is_err());
            // And so for whoever comes later.
            assert!(block_on(ours.readable()).is_err());
            let error = ours.try_io(Interest::READABLE, |_| Ok(())).unwrap_err();
            assert_ne!(error.kind(), ErrorKind::WouldBlock);
        });
    });
}

async fn poll_readable<T: AsRawFd>(fd: &AsyncFd<T>) -> io::Result<AsyncFdReadyGuard<'_, T>> {
    poll_fn(|cx| fd.poll_read_ready(cx)).await
}

#[test]
fn a_wait_and_the_end_of_the_runtime_at_the_same_time() {
    within(30, || {
        for _ in 0..50 {
            let runtime = current_thread();
            let (ours, _peer) = pair();
            let entered = runtime.enter();
            let ours = AsyncFd::new(ours).unwrap();
            drop(entered);
            let end = thread::spawn(move || drop(runtime));
            assert!(block_on(ours.readable()).is_err());
            end.join().unwrap();
            assert!(block_on(poll_readable(&ours)).is_err());
        }
    });
}

#[test]
fn a_guard_may_outlive_the_runtime() {
    within(30, || {
        let runtime = current_thread();
        let (ours, _peer) = pair();
        let entered = runtime.enter();
        let ours = AsyncFd::new(ours).unwrap();
        drop(entered);
        let mut guard = runtime.block_on(ours.writable()).unwrap();
        drop(runtime);
        guard.clear_ready();
        assert!(guard.try_io(|_| would_block()).is_err());
        drop(ours.into_inner());
    });
}

#[test]
fn it_is_used_from_another_runtime_than_its_own() {
    within(30, || {
        let (own, other) = (crate::support::workers(1), current_thread());
        let (ours, mut peer) = pair();
        let entered = own.enter();
        let ours = AsyncFd::new(ours).unwrap();
        drop(entered);
        other.block_on(async {
            let mut readable = pin!(ours.readable());
            assert!(poll_once(readable.as_mut()).is_pending());
            peer.write_all(b"0").unwrap();
            readable.await.unwrap().retain_ready();
        });
        drop(own);
        assert!(other.block_on(ours.readable()).is_err());
    });
}

#[derive(Debug, PartialEq)]
struct Closed;

impl AsRawFd for Closed {
    fn as_raw_fd(&self) -> RawFd {
        -1
    }
}

#[test]
fn what_cannot_be_watched_comes_back_with_the_reason() {
    each(async || {
        let (value, error) = AsyncFd::register(Closed).unwrap_err().into_parts();
        assert_eq!(
            (value, error.raw_os_error()),
            (Closed, Some(libc::EBADF)),
            "no such descriptor"
        );
        let error = AsyncFd::try_with_interest(Closed, Interest::READABLE).unwrap_err();
        assert!(error.to_string().contains("os error"), "{error}");
        assert!(AsyncFd::new(Closed).is_err() && AsyncFd::try_new(Closed).is_err());

        let (ours, _peer) = pair();
        let ours = Arc::new(ours);
        let first = AsyncFd::new(ours.clone()).unwrap();
        let (again, error) = AsyncFd::register(ours.clone()).unwrap_err().into_parts();
        assert!(Arc::ptr_eq(&again, &ours));
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        drop(first);
        AsyncFd::new(again).unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_regular_file_is_refused_with_the_systems_error() {
    each(async || {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let error = AsyncFd::with_interest(file, Interest::READABLE).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    });
}

#[test]
fn a_number_closed_while_a_duplicate_lives_disturbs_nobody() {
    each(async || {
        let (ours, mut peer) = pair();
        let duplicate = ours.try_clone().unwrap();
        let watched = AsyncFd::with_interest(ours.as_raw_fd(), Interest::READABLE).unwrap();
        // The system still watches the stream, under a number that is not open: it cannot be told to stop.
        drop(ours);
        drop(watched);
        let (next, mut next_peer) = pair();
        let next = AsyncFd::new(next).unwrap();
        peer.write_all(b"x").unwrap();
        events_are_in().await;
        assert!(poll_once(pin!(next.readable())).is_pending());
        next_peer.write_all(b"x").unwrap();
        next.readable().await.unwrap().retain_ready();
        drop(duplicate);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn urgent_data_is_a_priority_event() {
    each(async || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.set_nonblocking(true).unwrap();
        let (peer, _) = listener.accept().unwrap();
        let interest = Interest::PRIORITY | Interest::READABLE;
        let ours = AsyncFd::with_interest(ours, interest).unwrap();

        (&peer).write_all(b"plain").unwrap();
        ours.readable().await.unwrap().retain_ready();
        let mut waiting = pin!(ours.ready(Interest::PRIORITY));
        assert!(
            poll_once(waiting.as_mut()).is_pending(),
            "plain data is none"
        );
        // SAFETY: the buffer is readable for as many bytes, and the socket is open.
        let sent = unsafe { libc::send(peer.as_raw_fd(), b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
        assert_eq!(sent, 1);
        let mut guard = waiting.await.unwrap();
        assert_eq!(guard.ready(), Ready::PRIORITY);
        // Who reads takes no priority event away, and the other way round.
        let read = ours.try_io(Interest::READABLE, |_| would_block());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(poll_once(pin!(ours.ready(Interest::PRIORITY))).is_ready());
        guard.clear_ready();
        assert!(poll_once(pin!(ours.ready(Interest::PRIORITY))).is_pending());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_wakes_who_waits_for_errors_and_no_reader_takes_it_away() {
    each(async || {
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let on: libc::c_int = 1;
        // SAFETY: the option is an integer of the size that is passed.
        let set = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_IP,
                libc::IP_RECVERR,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        assert_eq!(set, 0);
        let socket = AsyncFd::new(socket).unwrap();
        events_are_in().await;
        let mut error = pin!(socket.ready(Interest::ERROR));
        assert!(poll_once(error.as_mut()).is_pending());

        // Nobody listens there: the port was bound, and is not any more.
        let nobody = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        socket.get_ref().send_to(b"hello", address).unwrap();
        let seen = socket.readable().await.unwrap().ready();
        assert!(seen.is_readable());
        let taken = socket.try_io(Interest::READABLE, |_| would_block());
        assert!(taken.is_err());
        assert_eq!(error.await.unwrap().ready(), Ready::ERROR);
        let again = socket.ready(Interest::ERROR | Interest::WRITABLE).await;
        assert!(again.unwrap().ready().is_error());
        socket
            .ready(Interest::ERROR)
            .await
            .unwrap()
            .clear_ready_matching(Ready::ERROR);
        assert!(poll_once(pin!(socket.ready(Interest::ERROR))).is_pending());
    });
}

#[test]
fn a_fifo_that_gets_a_new_writer_is_waited_for_again() {
    each(async || {
        let path = TempPath::new("async-fd-fifo");
        let name = std::ffi::CString::new(path.0.to_str().unwrap()).unwrap();
        // SAFETY: the name ends with a zero byte and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let open = |options: &mut OpenOptions| {
            options
                .custom_flags(libc::O_NONBLOCK)
                .open(&path.0)
                .unwrap()
        };
        let reader = open(OpenOptions::new().read(true));
        let reader = AsyncFd::with_interest(reader, Interest::READABLE).unwrap();
        let read = async || {
            let mut buffer = [0; 16];
            let read = |mut file: &File| file.read(&mut buffer);
            let n = reader.async_io(Interest::READABLE, read).await.unwrap();
            buffer[..n].to_vec()
        };

        let mut first = open(OpenOptions::new().write(true));
        first.write_all(b"first").unwrap();
        assert_eq!(read().await, b"first");
        drop(first);
        assert_eq!(read().await, b"", "no writer is left");
        let mut second = open(OpenOptions::new().write(true));
        // Were the old hang-up believed for ever, this would call `read` again and again.
        let mut waiting = pin!(read());
        assert!(poll_once(waiting.as_mut()).is_pending());
        second.write_all(b"second").unwrap();
        assert_eq!(waiting.await, b"second");
    });
}

#[test]
fn both_directions_serve_tasks_of_their_own() {
    each(async || {
        let (ours, peer) = pair();
        let (ours, peer) = (AsyncFd::new(ours).unwrap(), AsyncFd::new(peer).unwrap());
        let bytes = vec![7; 1_000_000];
        let write = async {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let write = |mut stream: &UnixStream| stream.write(rest);
                let n = ours.async_io(Interest::WRITABLE, write).await.unwrap();
                rest = &rest[n..];
            }
        };
        let read = async {
            let (mut total, mut buffer) = (0, [0; 10_000]);
            while total < bytes.len() {
                let mut guard = peer.readable().await.unwrap();
                if let Ok(n) = guard.try_io(|fd| fd.get_ref().read(&mut buffer)) {
                    total += n.unwrap();
                }
            }
            total
        };
        assert_eq!(join(write, read).await.1, bytes.len());
    });
}

#[test]
fn it_lends_its_descriptor() {
    each(async || {
        let (ours, _peer) = pair();
        let number = ours.as_raw_fd();
        let ours = AsyncFd::new(ours).unwrap();
        assert_eq!(ours.as_raw_fd(), number);
        assert_eq!(ours.as_fd().as_raw_fd(), number);
        assert!(format!("{ours:?}").contains("UnixStream"));
        let guard = ours.writable().await.unwrap();
        assert_eq!(guard.get_inner().as_raw_fd(), number);
        assert!(std::ptr::eq(guard.get_ref(), &ours));
        assert!(format!("{guard:?}").contains("is_writable: true"));
    });
}
