//! Pipes and FIFOs.

use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::pin::pin;
use std::thread;

use executor::io::{AsyncReadExt, AsyncWriteExt, Interest};
use executor::net::unix::pipe;

use crate::support::{
    Directory, child, current_thread, each_runtime, kind, poll_once, until, within, workers,
};

#[test]
fn what_does_not_fit_crosses_piece_by_piece() {
    const BYTES: usize = 1 << 20;
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let (mut sender, mut receiver) = pipe::pipe().unwrap();
                let writer = executor::spawn(async move {
                    let data: Vec<_> = (0..BYTES).map(|i| (i / 1000) as u8).collect();
                    sender.write_all(&data).await.unwrap();
                    sender.shutdown().await.unwrap();
                });
                let mut all = Vec::new();
                assert_eq!(receiver.read_to_end(&mut all).await.unwrap(), BYTES);
                assert!(
                    all.iter()
                        .enumerate()
                        .all(|(i, &byte)| byte == (i / 1000) as u8)
                );
                writer.await.unwrap();
            })
        })
    });
}

/// The traits of the crate `futures` only: both families' methods have the same names.
mod with_futures {
    use std::io::{IoSlice, IoSliceMut};

    use executor::net::unix::pipe;
    use futures::io::{AsyncReadExt, AsyncWriteExt};

    use crate::support::{within, workers};

    #[test]
    fn pipes_speak_the_traits_of_futures_and_vectors_of_slices() {
        within(30, || {
            workers(1).block_on(async {
                let (mut sender, mut receiver) = pipe::pipe().unwrap();
                let slices = [IoSlice::new(b"one "), IoSlice::new(b"two")];
                assert_eq!(sender.write_vectored(&slices).await.unwrap(), 7);
                sender.flush().await.unwrap();
                let (mut a, mut b) = ([0; 5], [0; 5]);
                let mut slices = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
                assert_eq!(receiver.read_vectored(&mut slices).await.unwrap(), 7);
                assert_eq!((&a, &b[..2]), (b"one t", &b"wo"[..]));

                // More slices than the system takes at once.
                let slices: Vec<_> = (0..2000).map(|_| IoSlice::new(b"x")).collect();
                let written = sender.write_vectored(&slices).await.unwrap();
                assert!((1..=1024).contains(&written), "{written}");
                sender.close().await.unwrap();
                drop(sender);
                let mut all = Vec::new();
                receiver.read_to_end(&mut all).await.unwrap();
                assert_eq!(all, vec![b'x'; written]);
            })
        });
    }
}

#[test]
fn operations_that_do_not_wait_say_so_and_readiness_ends_the_wait() {
    within(30, || {
        workers(1).block_on(async {
            let (sender, receiver) = pipe::pipe().unwrap();
            let mut buffer = [0; 4096];
            assert_eq!(kind(receiver.try_read(&mut buffer)), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(receiver.readable())).is_pending());

            sender.writable().await.unwrap();
            assert!(
                sender
                    .ready(Interest::WRITABLE)
                    .await
                    .unwrap()
                    .is_writable()
            );
            let slices = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
            assert_eq!(sender.try_write_vectored(&slices).unwrap(), 4);
            let ready = receiver.ready(Interest::READABLE).await.unwrap();
            assert!(ready.is_readable() && !ready.is_read_closed());
            let (mut a, mut b) = ([0; 1], [0; 2]);
            let mut slices = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
            assert_eq!(receiver.try_read_vectored(&mut slices).unwrap(), 3);
            let mut rest = Vec::with_capacity(8);
            assert_eq!(receiver.try_read_buf(&mut rest).unwrap(), 1);
            assert_eq!((&a, &b, &rest[..]), (b"a", b"bc", &b"d"[..]));

            // Full, until somebody reads.
            let mut written = 0;
            let error = loop {
                match sender.try_write(&buffer) {
                    Ok(n) => written += n,
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(sender.writable())).is_pending());
            while written > 0 {
                receiver.readable().await.unwrap();
                match receiver.try_read(&mut buffer) {
                    Ok(n) => written -= n,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            sender.writable().await.unwrap();
            poll_fn(|cx| sender.poll_write_ready(cx)).await.unwrap();

            drop(sender);
            // The readiness from before may be all that is known at first: what is read then is the end, or it is forgotten.
            while !receiver
                .ready(Interest::READABLE)
                .await
                .unwrap()
                .is_read_closed()
            {
                assert!(!receiver.try_read(&mut buffer).is_ok_and(|n| n > 0));
            }
            poll_fn(|cx| receiver.poll_read_ready(cx)).await.unwrap();
        })
    });
}

#[test]
fn an_operation_of_ones_own_that_would_block_forgets_the_readiness() {
    within(30, || {
        workers(1).block_on(async {
            let (sender, receiver) = pipe::pipe().unwrap();
            let later = || io::Result::<()>::Err(ErrorKind::WouldBlock.into());

            sender.writable().await.unwrap();
            sender.try_io(|| Ok(())).unwrap();
            // A new sender counts as ready before its first event, which may come after that was forgotten.
            until(|| {
                let mut called = false;
                let result = sender.try_io(|| {
                    called = true;
                    later()
                });
                assert_eq!(kind(result), ErrorKind::WouldBlock);
                !called
            });

            let never = || -> io::Result<()> { panic!("called without readiness") };
            assert_eq!(kind(receiver.try_io(never)), ErrorKind::WouldBlock);
            let (sender, receiver) = pipe::pipe().unwrap();
            sender.writable().await.unwrap();
            sender.try_write(b"x").unwrap();
            receiver.readable().await.unwrap();
            assert_eq!(receiver.try_io(|| Ok(7)).unwrap(), 7);
            assert_eq!(kind(receiver.try_io(later)), ErrorKind::WouldBlock);
            assert_eq!(kind(receiver.try_io(never)), ErrorKind::WouldBlock);
        })
    });
}

#[test]
fn writing_to_a_pipe_that_nobody_reads_is_an_error_and_raises_no_signal() {
    child(
        "pipes::writing_to_a_pipe_that_nobody_reads_is_an_error_and_raises_no_signal",
        || {
            extern "C" fn abort(_: libc::c_int) {
                std::process::abort();
            }
            let handler = abort as extern "C" fn(libc::c_int) as libc::sighandler_t;
            for action in [libc::SIG_IGN, libc::SIG_DFL, handler] {
                // SAFETY: aborting is allowed in a signal handler.
                unsafe { libc::signal(libc::SIGPIPE, action) };
                workers(1).block_on(async {
                    let (mut sender, receiver) = pipe::pipe().unwrap();
                    sender.writable().await.unwrap();
                    drop(receiver);
                    assert_eq!(kind(sender.try_write(b"x")), ErrorKind::BrokenPipe);
                    let slices = [IoSlice::new(b"x")];
                    assert_eq!(
                        kind(sender.try_write_vectored(&slices)),
                        ErrorKind::BrokenPipe
                    );
                    assert_eq!(kind(sender.write_all(b"x").await), ErrorKind::BrokenPipe);
                    // Neither pending nor blocked.
                    assert!(!sigpipe_is(libc::sigpending));
                    assert!(!sigpipe_is(blocked));
                });
            }
            // Blocked by somebody else, and still so afterwards.
            block_sigpipe();
            workers(1).block_on(async {
                let (sender, receiver) = pipe::pipe().unwrap();
                sender.writable().await.unwrap();
                drop(receiver);
                assert_eq!(kind(sender.try_write(b"x")), ErrorKind::BrokenPipe);
                assert!(!sigpipe_is(libc::sigpending));
                assert!(sigpipe_is(blocked));
            });
            // And one that was pending before is not taken away.
            // SAFETY: the signal is blocked here, and no other thread of this process is left to take it.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGPIPE) };
            current_thread().block_on(async {
                let (sender, receiver) = pipe::pipe().unwrap();
                sender.writable().await.unwrap();
                drop(receiver);
                assert_eq!(kind(sender.try_write(b"x")), ErrorKind::BrokenPipe);
                assert!(sigpipe_is(libc::sigpending));
            });
        },
    );
}

/// Whether the set that a call fills in holds SIGPIPE.
fn sigpipe_is(fill_in: unsafe extern "C" fn(*mut libc::sigset_t) -> libc::c_int) -> bool {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: the call fills the set in.
    unsafe {
        assert_eq!(fill_in(set.as_mut_ptr()), 0);
        libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1
    }
}

/// The signals that are blocked for this thread.
unsafe extern "C" fn blocked(set: *mut libc::sigset_t) -> libc::c_int {
    // SAFETY: the caller's pointer is good for a set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set) }
}

fn block_sigpipe() {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: the set is filled in before it is used.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        assert_eq!(
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()),
            0
        );
    }
}

#[test]
fn the_reader_of_a_fifo_waits_for_a_writer_and_survives_its_going() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.fifo("fifo");
        workers(1).block_on(async {
            // Nobody reads yet.
            let error = pipe::OpenOptions::new().open_sender(&path).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENXIO));

            let mut receiver = pipe::OpenOptions::new().open_receiver(&path).unwrap();
            let mut buffer = [0; 8];
            // No end of the data before there was a writer.
            assert!(poll_once(pin!(receiver.read(&mut buffer))).is_pending());

            for text in [b"one", b"two"] {
                let mut sender = pipe::OpenOptions::new().open_sender(&path).unwrap();
                sender.write_all(text).await.unwrap();
                receiver.read_exact(&mut buffer[..3]).await.unwrap();
                assert_eq!(&buffer[..3], text);
                // With a writer there is no end either, not even the one that was there before it came.
                assert!(poll_once(pin!(receiver.read(&mut buffer))).is_pending());
                drop(sender);
                assert_eq!(receiver.read(&mut buffer).await.unwrap(), 0);
            }
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_fifo_opened_for_both_directions_needs_no_other_end() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.fifo("fifo");
        workers(1).block_on(async {
            let mut options = pipe::OpenOptions::new();
            options.read_write(true).unchecked(true);
            let mut sender = options.open_sender(&path).unwrap();
            sender.write_all(b"hello").await.unwrap();

            let mut receiver = options.open_receiver(&path).unwrap();
            let mut buffer = [0; 5];
            receiver.read_exact(&mut buffer).await.unwrap();
            assert_eq!(&buffer, b"hello");
            drop(sender);
            // It is its own writer.
            assert!(poll_once(pin!(receiver.read(&mut buffer))).is_pending());
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_short_read_of_a_pipe_in_packet_mode_is_not_the_last() {
    within(30, || {
        let mut fds = [0; 2];
        // SAFETY: the pointer is good for two descriptors.
        let made = unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_DIRECT | libc::O_CLOEXEC) };
        assert_eq!(made, 0);
        // SAFETY: both have just been opened, and belong to nobody else.
        let [receiver, mut sender] = fds.map(|fd| unsafe { File::from_raw_fd(fd) });
        sender.write_all(b"one").unwrap();
        sender.write_all(b"two").unwrap();
        workers(1).block_on(async {
            let mut receiver = pipe::Receiver::from_file(receiver).unwrap();
            let mut buffer = [0; 16];
            assert_eq!(receiver.read(&mut buffer).await.unwrap(), 3);
            assert_eq!(receiver.read(&mut buffer).await.unwrap(), 3);
            assert_eq!(&buffer[..3], b"two");
        });
    });
}

#[test]
fn what_is_no_pipe_or_the_wrong_end_is_refused() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.file("plain");
        fs::write(&path, b"text").unwrap();
        workers(1).block_on(async {
            let refused = |error: io::Error, text: &str| {
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.to_string().contains(text), "{error}");
            };
            let options = pipe::OpenOptions::new();
            refused(options.open_receiver(&path).unwrap_err(), "not a pipe");
            refused(options.open_sender(&path).unwrap_err(), "not a pipe");
            assert_eq!(
                kind(options.open_receiver(directory.file("missing"))),
                ErrorKind::NotFound
            );
            let file = || OpenOptions::new().read(true).write(true).open(&path);
            refused(
                pipe::Sender::from_file(file().unwrap()).unwrap_err(),
                "not a pipe",
            );
            refused(
                pipe::Receiver::from_file(file().unwrap()).unwrap_err(),
                "not a pipe",
            );
            let (socket, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
            refused(
                pipe::Sender::from_owned_fd(socket.into()).unwrap_err(),
                "not a pipe",
            );

            let (reader, writer) = io::pipe().unwrap();
            refused(
                pipe::Sender::from_owned_fd(reader.into()).unwrap_err(),
                "cannot be written",
            );
            refused(
                pipe::Receiver::from_owned_fd(writer.into()).unwrap_err(),
                "cannot be read",
            );
        })
    });
}

#[test]
fn descriptors_come_and_go_in_the_mode_that_was_asked_for() {
    within(30, || {
        workers(1).block_on(async {
            let (reader, mut writer) = io::pipe().unwrap();
            assert!(!is_nonblocking(&reader));
            let mut receiver = pipe::Receiver::from_owned_fd(reader.into()).unwrap();
            assert!(is_nonblocking(&receiver));
            writer.write_all(b"hello").unwrap();
            let mut buffer = [0; 2];
            receiver.read_exact(&mut buffer).await.unwrap();
            let fd = receiver.as_raw_fd();
            let reader = receiver.into_blocking_fd().unwrap();
            assert!(!is_nonblocking(&reader) && reader.as_raw_fd() == fd);
            let mut rest = [0; 3];
            File::from(reader).read_exact(&mut rest).unwrap();
            assert_eq!(&rest, b"llo");

            let (sender, receiver) = pipe::pipe().unwrap();
            for fd in [sender.as_fd(), receiver.as_fd()] {
                // SAFETY: the descriptor is open, and the call takes no pointer.
                let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
                assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
            }
            let sender = sender.into_nonblocking_fd().unwrap();
            assert!(is_nonblocking(&sender));
            let mut sender = pipe::Sender::from_owned_fd_unchecked(sender).unwrap();
            let receiver = receiver.into_nonblocking_fd().unwrap();
            let mut receiver = pipe::Receiver::from_file_unchecked(receiver.into()).unwrap();
            sender.write_all(b"again").await.unwrap();
            let mut buffer = [0; 5];
            receiver.read_exact(&mut buffer).await.unwrap();
            assert_eq!(&buffer, b"again");
            let sender: OwnedFd = sender.into_blocking_fd().unwrap();
            assert!(!is_nonblocking(&sender));
        })
    });
}

fn is_nonblocking(fd: &impl AsFd) -> bool {
    // SAFETY: the descriptor is open, and the call takes no pointer.
    let flags = unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFL) };
    flags & libc::O_NONBLOCK != 0
}

#[test]
fn pipes_outlive_their_runtime_with_errors_and_never_a_hang() {
    within(30, || {
        let runtime = workers(1);
        let (mut sender, mut receiver) = runtime.block_on(async { pipe::pipe().unwrap() });
        let (_idle, waiting) = runtime.block_on(async { pipe::pipe().unwrap() });
        let waiter = thread::spawn(move || crate::support::block_on(waiting.readable()));
        drop(runtime);
        assert!(waiter.join().unwrap().is_err());
        crate::support::block_on(async {
            assert!(receiver.read(&mut [0]).await.is_err());
            assert!(sender.write(b"x").await.is_err());
            assert!(receiver.readable().await.is_err());
            assert!(sender.ready(Interest::WRITABLE).await.is_err());
            assert!(receiver.try_read(&mut [0]).is_err());
            assert!(sender.try_write(b"x").is_err());
        });
    });
}
