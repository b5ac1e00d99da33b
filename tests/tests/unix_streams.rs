//! Unix stream sockets: connecting, listening, credentials, halves, readiness.

use std::fs;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd};
use std::os::unix::net;
use std::path::Path;
use std::pin::pin;
use std::process;
use std::thread;

use executor::io::{AsyncReadExt, AsyncWriteExt, Interest};
use executor::net::unix::{ReuniteError, SocketAddr};
use executor::net::{UnixListener, UnixSocket, UnixStream};

use crate::support::{Directory, block_on, child, each_runtime, kind, poll_once, within, workers};

#[test]
fn a_listener_and_its_clients_talk() {
    each_runtime(|runtime| {
        within(30, || {
            let directory = Directory::new();
            let path = directory.file("socket");
            runtime.block_on(async {
                let listener = UnixListener::bind(&path).unwrap();
                let address = listener.local_addr().unwrap();
                assert_eq!(address.as_pathname(), Some(&*path));
                assert!(listener.take_error().unwrap().is_none());
                let server = executor::spawn(async move {
                    for _ in 0..3 {
                        let (mut stream, peer) = listener.accept().await.unwrap();
                        assert!(peer.is_unnamed());
                        executor::spawn(async move {
                            let (mut reader, mut writer) = stream.split();
                            executor::io::copy(&mut reader, &mut writer).await.unwrap();
                        });
                    }
                });
                for text in [&b"one"[..], b"two", b"three"] {
                    let mut stream = UnixStream::connect(&path).await.unwrap();
                    assert_eq!(stream.peer_addr().unwrap().as_pathname(), Some(&*path));
                    assert!(stream.local_addr().unwrap().is_unnamed());
                    stream.write_all(text).await.unwrap();
                    stream.shutdown().await.unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).await.unwrap();
                    assert_eq!(answer, text);
                }
                server.await.unwrap();
            })
        })
    });
}

/// It makes room, of which nobody needs to hear before there was none. Two streams, so that such an event would have come before the next
/// request, and with it; one has connected, one is of a pair.
#[test]
fn what_the_peer_reads_is_no_event() {
    each_runtime(|runtime| {
        within(30, || {
            let directory = Directory::new();
            let path = directory.file("socket");
            let rounds = 20_u64;
            let metrics = runtime.metrics();
            runtime.block_on(async {
                let listener = net::UnixListener::bind(&path).unwrap();
                let connected = UnixStream::connect(&path).await.unwrap();
                let (of_a_pair, other) = UnixStream::pair().unwrap();
                let other = other.into_std().unwrap();
                other.set_nonblocking(false).unwrap();
                let mut peers = [listener.accept().unwrap().0, other];
                let before = metrics.io_driver_ready_count();
                let echoes = [connected, of_a_pair].map(|mut stream| {
                    executor::spawn(async move {
                        for _ in 0..rounds {
                            let request = stream.read_u64().await.unwrap();
                            stream.write_u64(request).await.unwrap();
                        }
                        stream
                    })
                });
                let asks = executor::task::spawn_blocking(move || {
                    for round in 0..rounds {
                        for peer in &mut peers {
                            peer.write_all(&round.to_be_bytes()).unwrap();
                            let mut answer = [0; 8];
                            peer.read_exact(&mut answer).unwrap();
                            assert_eq!(u64::from_be_bytes(answer), round);
                        }
                    }
                    peers
                });
                let _open = asks.await.unwrap();
                for echo in echoes {
                    echo.await.unwrap();
                }
                assert!(metrics.io_driver_ready_count() - before <= 2 * rounds);
            })
        })
    });
}

#[test]
fn poll_accept_wakes_its_task() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let listener = UnixListener::bind(directory.file("socket")).unwrap();
            let mut accepting = pin!(poll_fn(|cx| listener.poll_accept(cx)));
            assert!(poll_once(accepting.as_mut()).is_pending());
            let connecting = UnixStream::connect(directory.file("socket"));
            let (accepted, connected) = futures::join!(accepting, connecting);
            connected.unwrap().write_all(b"x").await.unwrap();
            assert_eq!(accepted.unwrap().0.read_u8().await.unwrap(), b'x');
        })
    });
}

#[test]
fn what_the_system_refuses_is_an_error_that_names_the_path() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let names = |error: io::Error, kind: ErrorKind, path: &Path| {
                assert_eq!(error.kind(), kind);
                assert!(
                    error.to_string().contains(&*path.to_string_lossy()),
                    "{error}"
                );
            };
            let path = directory.file("missing");
            let error = UnixStream::connect(&path).await.unwrap_err();
            names(error, ErrorKind::NotFound, &path);

            let path = directory.file("socket");
            let listener = UnixListener::bind(&path).unwrap();
            names(
                UnixListener::bind(&path).unwrap_err(),
                ErrorKind::AddrInUse,
                &path,
            );
            drop(listener);
            // The file stays, and nobody listens there.
            names(
                UnixListener::bind(&path).unwrap_err(),
                ErrorKind::AddrInUse,
                &path,
            );
            let error = UnixStream::connect(&path).await.unwrap_err();
            names(error, ErrorKind::ConnectionRefused, &path);
            fs::remove_file(&path).unwrap();
            UnixListener::bind(&path).unwrap();

            let too_long = directory.file(&"x".repeat(200));
            assert_eq!(kind(UnixListener::bind(&too_long)), ErrorKind::InvalidInput);
            let error = UnixStream::connect(&too_long).await;
            assert_eq!(kind(error), ErrorKind::InvalidInput);
            let with_zero = directory.file("a\0b");
            assert_eq!(
                kind(UnixListener::bind(&with_zero)),
                ErrorKind::InvalidInput
            );
            let socket = UnixSocket::new_stream().unwrap();
            assert_eq!(kind(socket.bind(&with_zero)), ErrorKind::InvalidInput);
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_need_no_file() {
    use std::os::linux::net::SocketAddrExt;
    within(30, || {
        workers(1).block_on(async {
            let name = format!("executor-test-{}", process::id());
            let listener = UnixListener::bind(format!("\0{name}")).unwrap();
            let address = listener.local_addr().unwrap();
            assert_eq!(address.as_abstract_name(), Some(name.as_bytes()));
            assert_eq!(address.as_pathname(), None);
            let error = UnixListener::bind_addr(&address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&format!("@{name}")), "{error}");

            let mut by_path = UnixStream::connect(format!("\0{name}")).await.unwrap();
            let std = net::SocketAddr::from_abstract_name(&name).unwrap();
            let by_address = UnixStream::connect_addr(&SocketAddr::from(std))
                .await
                .unwrap();
            let socket = UnixSocket::new_stream().unwrap();
            let by_socket = socket.connect(format!("\0{name}")).await.unwrap();
            let (mut first, _) = listener.accept().await.unwrap();
            by_path.write_all(b"x").await.unwrap();
            assert_eq!(first.read_u8().await.unwrap(), b'x');
            for stream in [by_address, by_socket] {
                let peer: net::SocketAddr = stream.peer_addr().unwrap().into();
                assert_eq!(peer.as_abstract_name(), Some(name.as_bytes()));
            }
        })
    });
}

#[test]
fn a_socket_that_was_bound_connects_from_there() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let socket = UnixSocket::new_stream().unwrap();
            socket.bind(directory.file("server")).unwrap();
            let listener = socket.listen(16).unwrap();

            let socket = UnixSocket::new_stream().unwrap();
            socket.bind(directory.file("client")).unwrap();
            let stream = socket.connect(directory.file("server")).await.unwrap();
            let (accepted, peer) = listener.accept().await.unwrap();
            assert_eq!(peer.as_pathname(), Some(&*directory.file("client")));
            assert_eq!(
                accepted.peer_addr().unwrap().as_pathname(),
                stream.local_addr().unwrap().as_pathname()
            );
        })
    });
}

#[test]
fn a_socket_for_datagrams_neither_connects_nor_listens_as_a_stream() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let socket = UnixSocket::new_datagram().unwrap();
            let error = socket.connect(directory.file("x")).await.unwrap_err();
            assert!(error.to_string().contains("datagram"), "{error}");
            let socket = UnixSocket::new_datagram().unwrap();
            let error = socket.listen(1).unwrap_err();
            assert!(error.to_string().contains("datagram"), "{error}");
        })
    });
}

#[test]
fn raw_descriptors_become_sockets_in_non_blocking_mode() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let _listener = UnixListener::bind(directory.file("socket")).unwrap();
            let socket = UnixSocket::new_stream().unwrap();
            let shared: net::UnixStream = socket.as_fd().try_clone_to_owned().unwrap().into();
            shared.set_nonblocking(false).unwrap();
            let raw = socket.into_raw_fd();
            // SAFETY: the descriptor is open, and nobody else has it.
            let socket = unsafe { UnixSocket::from_raw_fd(raw) };
            let stream = socket.connect(directory.file("socket")).await.unwrap();
            assert_eq!(stream.as_raw_fd(), raw);
            // SAFETY: the descriptor is open, and the call takes no pointer.
            let flags = unsafe { libc::fcntl(raw, libc::F_GETFL) };
            assert_ne!(flags & libc::O_NONBLOCK, 0);
            // SAFETY: as above.
            let flags = unsafe { libc::fcntl(raw, libc::F_GETFD) };
            assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_queue_of_connections_is_an_error_and_no_block() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.file("socket");
        workers(1).block_on(async {
            let socket = UnixSocket::new_stream().unwrap();
            socket.bind(&path).unwrap();
            let listener = socket.listen(1).unwrap();
            let mut waiting = Vec::new();
            let error = loop {
                match UnixStream::connect(&path).await {
                    Ok(stream) => waiting.push(stream),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(!waiting.is_empty());
            listener.accept().await.unwrap();
            UnixStream::connect(&path).await.unwrap();
        })
    });
}

#[test]
fn the_peer_has_the_credentials_of_this_process() {
    within(30, || {
        let directory = Directory::new();
        workers(1).block_on(async {
            let listener = UnixListener::bind(directory.file("socket")).unwrap();
            let connected = UnixStream::connect(directory.file("socket")).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            let (one, other) = UnixStream::pair().unwrap();
            // SAFETY: these calls take nothing and cannot fail.
            let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
            for stream in [connected, accepted, one, other] {
                let peer = stream.peer_cred().unwrap();
                assert_eq!((peer.uid(), peer.gid()), (uid, gid));
                #[cfg(target_os = "linux")]
                assert_eq!(peer.pid(), Some(process::id() as i32));
            }
        })
    });
}

#[test]
fn sockets_of_the_standard_library_come_and_go() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.file("socket");
        workers(1).block_on(async {
            let listener = net::UnixListener::bind(&path).unwrap();
            let listener = UnixListener::try_from(listener).unwrap();
            assert!(poll_once(pin!(listener.accept())).is_pending());
            let mut peer = net::UnixStream::connect(&path).unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            peer.write_all(b"ab").unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'a');
            let mut std = stream.into_std().unwrap();
            assert_eq!(std.read(&mut [0; 2]).unwrap(), 1);
            // It is still in non-blocking mode.
            assert_eq!(kind(std.read(&mut [0])), ErrorKind::WouldBlock);

            let mut ours = UnixStream::try_from(peer).unwrap();
            assert!(poll_once(pin!(ours.read(&mut [0]))).is_pending());
            drop(std);
            assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
            assert_eq!(
                listener
                    .into_std()
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .as_pathname(),
                Some(&*path)
            );
        })
    });
}

#[test]
fn halves_work_in_two_tasks_at_once() {
    const BYTES: usize = 1 << 20;
    each_runtime(|runtime| {
        within(60, || {
            runtime.block_on(async {
                let (one, other) = UnixStream::pair().unwrap();
                let mut tasks = Vec::new();
                for stream in [one, other] {
                    let (mut reader, mut writer) = stream.into_split();
                    tasks.push(executor::spawn(async move {
                        for i in 0..BYTES / 4096 {
                            writer.write_all(&[i as u8; 4096]).await.unwrap();
                        }
                        BYTES
                    }));
                    tasks.push(executor::spawn(async move {
                        let mut all = Vec::new();
                        reader.read_to_end(&mut all).await.unwrap();
                        let right = |(i, byte): (usize, &u8)| *byte == (i / 4096) as u8;
                        assert!(all.iter().enumerate().all(right));
                        all.len()
                    }));
                }
                for task in tasks {
                    assert_eq!(task.await.unwrap(), BYTES);
                }
            })
        })
    });
}

#[test]
fn halves_of_one_stream_reunite_and_others_do_not() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (our_read, our_write) = ours.into_split();
            let (their_read, their_write) = theirs.into_split();
            assert!(our_read.local_addr().unwrap().is_unnamed());
            assert!(our_write.peer_addr().unwrap().is_unnamed());

            let error = our_write.reunite(their_read).unwrap_err();
            assert!(error.to_string().contains("different"));
            let ReuniteError(their_read, our_write) = error;
            let mut ours = our_read.reunite(our_write).unwrap();
            let mut theirs = their_write.reunite(their_read).unwrap();

            // Reuniting is no end of the writing direction.
            ours.write_all(b"x").await.unwrap();
            assert_eq!(theirs.read_u8().await.unwrap(), b'x');
        })
    });
}

#[test]
fn dropping_the_owned_write_half_ends_the_stream_and_forgetting_it_does_not() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, mut peer) = UnixStream::pair().unwrap();
            let (mut reader, writer) = ours.into_split();
            drop(writer);
            assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
            // The other direction goes on.
            peer.write_all(b"x").await.unwrap();
            assert_eq!(reader.read_u8().await.unwrap(), b'x');

            let (ours, mut peer) = UnixStream::pair().unwrap();
            let (mut reader, writer) = ours.into_split();
            writer.forget();
            peer.write_all(b"x").await.unwrap();
            assert_eq!(reader.read_u8().await.unwrap(), b'x');
            assert_eq!(kind(peer.try_read(&mut [0])), ErrorKind::WouldBlock);
            drop(reader);
            assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
        })
    });
}

#[test]
fn operations_that_do_not_wait_say_so_and_readiness_ends_the_wait() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let both = Interest::READABLE | Interest::WRITABLE;
            let ready = ours.ready(both).await.unwrap();
            assert!(ready.is_writable() && !ready.is_readable());
            assert!(poll_once(pin!(theirs.readable())).is_pending());
            assert_eq!(kind(theirs.try_read(&mut [0])), ErrorKind::WouldBlock);

            let slices = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
            assert_eq!(ours.try_write_vectored(&slices).unwrap(), 5);
            theirs.readable().await.unwrap();
            let (mut a, mut b) = ([0; 1], [0; 2]);
            let mut slices = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
            assert_eq!(theirs.try_read_vectored(&mut slices).unwrap(), 3);
            let mut rest = Vec::with_capacity(1);
            assert_eq!(theirs.try_read_buf(&mut rest).unwrap(), 1);
            assert_eq!((&a, &b, &rest[..]), (b"a", b"bc", &b"d"[..]));

            let (reader, writer) = theirs.into_split();
            assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), 1);
            assert_eq!(kind(reader.try_read(&mut [0])), ErrorKind::WouldBlock);
            assert!(writer.ready(both).await.unwrap().is_writable());
            writer.writable().await.unwrap();
            let mut written = 0;
            let error = loop {
                match writer.try_write(&[0; 4096]) {
                    Ok(n) => written += n,
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(writer.writable())).is_pending());
            let mut all = vec![0; written];
            let mut ours = ours;
            ours.read_exact(&mut all).await.unwrap();
            writer.writable().await.unwrap();

            drop(ours);
            assert!(
                reader
                    .ready(Interest::READABLE)
                    .await
                    .unwrap()
                    .is_read_closed()
            );
            assert_eq!(kind(writer.try_write(b"x")), ErrorKind::BrokenPipe);
        })
    });
}

#[test]
fn a_new_pair_can_be_written_and_an_accepted_stream_read_before_any_event() {
    within(30, || {
        let runtime = executor::runtime::Builder::new_current_thread().build();
        // On this flavour no event can come between two polls of one task.
        runtime.unwrap().block_on(async {
            let (one, other) = UnixStream::pair().unwrap();
            assert!(poll_once(pin!(one.writable())).is_ready());
            assert_eq!(one.try_write(b"hello").unwrap(), 5);
            assert!(poll_once(pin!(one.readable())).is_pending());
            other.readable().await.unwrap();
            assert_eq!(other.try_read(&mut [0; 16]).unwrap(), 5);

            let directory = Directory::new();
            let path = directory.file("socket");
            let listener = UnixListener::bind(&path).unwrap();
            let mut client = net::UnixStream::connect(&path).unwrap();
            client.write_all(b"request").unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            assert_eq!(accepted.try_read(&mut [0; 16]).unwrap(), 7);
            assert_eq!(kind(accepted.try_read(&mut [0; 16])), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(accepted.readable())).is_pending());
        })
    });
}

#[test]
fn an_operation_of_ones_own_waits_for_its_interest_and_forgets_it_if_it_would_block() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let never = || -> io::Result<()> { panic!("called without readiness") };
            assert_eq!(
                kind(ours.try_io(Interest::READABLE, never)),
                ErrorKind::WouldBlock
            );

            let recv = || {
                let mut byte = 0_u8;
                // SAFETY: the descriptor is open, and the pointer is good for one byte.
                match unsafe { libc::recv(ours.as_raw_fd(), (&raw mut byte).cast(), 1, 0) } {
                    1 => Ok(byte),
                    _ => Err(io::Error::last_os_error()),
                }
            };
            let mut receiving = pin!(ours.async_io(Interest::READABLE, recv));
            assert!(poll_once(receiving.as_mut()).is_pending());
            theirs.write_all(b"xy").await.unwrap();
            assert_eq!(receiving.await.unwrap(), b'x');
            assert_eq!(ours.try_io(Interest::READABLE, recv).unwrap(), b'y');
            assert_eq!(
                kind(ours.try_io(Interest::READABLE, recv)),
                ErrorKind::WouldBlock
            );
            assert_eq!(
                kind(ours.try_io(Interest::READABLE, never)),
                ErrorKind::WouldBlock
            );
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_short_read_before_a_message_with_a_descriptor_is_not_the_last() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            // The first message carries a descriptor, so a read ends behind it.
            send_with_descriptor(&theirs, b"one");
            theirs.writable().await.unwrap();
            theirs.try_write(b"two").unwrap();
            let mut buffer = [0; 16];
            assert_eq!(ours.read(&mut buffer).await.unwrap(), 3);
            assert_eq!(ours.read(&mut buffer).await.unwrap(), 3);
            assert_eq!(&buffer[..3], b"two");
        })
    });
}

/// Sends bytes, and a duplicate of the stream's own descriptor with them.
#[cfg(target_os = "linux")]
fn send_with_descriptor(stream: &UnixStream, bytes: &[u8]) {
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // Aligned for the header.
    let mut control = [0_u64; 8];
    // SAFETY: zeroes are a message without anything; the control buffer has room for the header and one descriptor.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header)
            .cast::<i32>()
            .write_unaligned(stream.as_raw_fd());
        assert_eq!(
            libc::sendmsg(stream.as_raw_fd(), &message, 0),
            bytes.len() as isize
        );
    }
}

#[test]
fn writing_to_a_stream_that_nobody_reads_is_an_error_and_raises_no_signal() {
    child(
        "unix_streams::writing_to_a_stream_that_nobody_reads_is_an_error_and_raises_no_signal",
        || {
            // SAFETY: the default action is what a program in C has.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            workers(1).block_on(async {
                let (mut ours, theirs) = UnixStream::pair().unwrap();
                ours.writable().await.unwrap();
                drop(theirs);
                assert_eq!(kind(ours.try_write(b"x")), ErrorKind::BrokenPipe);
                let slices = [IoSlice::new(b"x"), IoSlice::new(b"y")];
                assert_eq!(
                    kind(ours.try_write_vectored(&slices)),
                    ErrorKind::BrokenPipe
                );
                assert_eq!(kind(ours.write_all(b"x").await), ErrorKind::BrokenPipe);
                let written = ours.write_vectored(&slices).await;
                assert_eq!(kind(written), ErrorKind::BrokenPipe);
            });
        },
    );
}

#[test]
fn sockets_outlive_their_runtime_with_errors_and_never_a_hang() {
    within(30, || {
        let directory = Directory::new();
        let path = directory.file("socket");
        let runtime = workers(1);
        let (listener, mut stream, waiting) = runtime.block_on(async {
            let listener = UnixListener::bind(&path).unwrap();
            let (stream, waiting) = UnixStream::pair().unwrap();
            (listener, stream, waiting)
        });
        let waiter = thread::spawn(move || block_on(waiting.readable()));
        let handle = runtime.handle().clone();
        drop(runtime);
        assert!(waiter.join().unwrap().is_err());
        let _entered = handle.enter();
        block_on(async {
            assert!(listener.accept().await.is_err());
            assert!(stream.read(&mut [0]).await.is_err());
            assert!(stream.write(b"x").await.is_err());
            assert!(stream.try_write(b"x").is_err());
            assert!(stream.ready(Interest::WRITABLE).await.is_err());
            assert!(UnixStream::connect(&path).await.is_err());
            assert!(UnixStream::pair().is_err());
            fs::remove_file(&path).unwrap();
            assert!(UnixListener::bind(&path).is_err());
        });
    });
}
