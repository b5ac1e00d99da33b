//! Unix datagram sockets: paths, abstract names, none; what is full, refused or shut down.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::Shutdown;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use executor::io::{Interest, ReadBuf};
use executor::net::{UnixDatagram, UnixSocket};
use executor::time::sleep;

use crate::support::{Directory, block_on, current_thread, each_runtime, kind, poll_once, within};

/// Runs a test on each kind of runtime, in its `block_on`.
fn each(test: impl AsyncFn()) {
    each_runtime(|runtime| within(30, || runtime.block_on(test())));
}

#[test]
fn datagrams_go_to_paths_and_back() {
    each(async || {
        let directory = Directory::new();
        let (here, there) = (directory.file("here"), directory.file("there"));
        let (one, other) = (
            UnixDatagram::bind(&here).unwrap(),
            UnixDatagram::bind(&there).unwrap(),
        );
        assert_eq!(one.send_to(b"ping", &there).await.unwrap(), 4);
        let mut buffer = [0; 16];
        let (n, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!(
            (&buffer[..n], from.as_pathname()),
            (&b"ping"[..], Some(&*here))
        );
        other.connect(from.as_pathname().unwrap()).unwrap();
        assert_eq!(other.peer_addr().unwrap().as_pathname(), Some(&*here));
        other.send(b"pong").await.unwrap();
        assert_eq!(one.recv(&mut buffer).await.unwrap(), 4);
        assert_eq!(kind(UnixDatagram::bind(&here)), ErrorKind::AddrInUse);
        assert_eq!(kind(one.peer_addr()), ErrorKind::NotConnected);
    });
}

#[test]
fn a_new_pair_can_send_before_any_event() {
    within(30, || {
        // On this flavour no event can come between two polls of one task.
        current_thread().block_on(async {
            let (one, other) = UnixDatagram::pair().unwrap();
            assert_eq!(one.try_send(b"ping").unwrap(), 4);
            assert!(poll_once(pin!(other.readable())).is_pending());
            let mut buffer = [0; 16];
            assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
            while one.try_send(b"again").is_ok() {}
            assert!(poll_once(pin!(one.writable())).is_pending());
            // The system tells of room when enough of it is there.
            other.readable().await.unwrap();
            while other.try_recv(&mut buffer).is_ok() {}
            one.send(b"more").await.unwrap();
        })
    });
}

#[test]
fn a_socket_that_was_bound_becomes_one_for_datagrams() {
    each(async || {
        let directory = Directory::new();
        let (here, there) = (directory.file("here"), directory.file("there"));
        let at = |path| {
            let socket = UnixSocket::new_datagram().unwrap();
            socket.bind(path).unwrap();
            socket.datagram().unwrap()
        };
        let (one, other) = (at(&here), at(&there));
        one.send_to(b"ping", &there).await.unwrap();
        let mut buffer = [0; 16];
        let (n, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!((n, from.as_pathname()), (4, Some(&*here)));

        let refused = UnixSocket::new_stream().unwrap().datagram().unwrap_err();
        assert!(refused.to_string().contains("stream"), "{refused}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_need_no_file() {
    each(async || {
        let directory = Directory::new();
        let name = format!("\0{}", directory.file("abstract").display());
        let server = UnixDatagram::bind(&name).unwrap();
        let address = server.local_addr().unwrap();
        assert_eq!(address.as_abstract_name(), Some(&name.as_bytes()[1..]));
        assert!(address.as_pathname().is_none() && !address.is_unnamed());
        let client = UnixDatagram::unbound().unwrap();
        client.send_to(b"hello", &name).await.unwrap();
        let (n, from) = server.recv_from(&mut [0; 16]).await.unwrap();
        assert!(n == 5 && from.is_unnamed());
        client.connect(&name).unwrap();
        client.send(b"again").await.unwrap();
        assert_eq!(server.recv(&mut [0; 16]).await.unwrap(), 5);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_sender_with_an_abstract_name_can_be_answered_however_it_was_heard() {
    each(async || {
        let directory = Directory::new();
        let [here, there] =
            ["here", "there"].map(|name| format!("\0{}", directory.file(name).display()));
        let (one, other) = (
            UnixDatagram::bind(&here).unwrap(),
            UnixDatagram::bind(&there).unwrap(),
        );
        one.send_to(b"ping", &there).await.unwrap();
        let (_, from) = other.recv_from(&mut [0; 16]).await.unwrap();
        assert_eq!(from.as_abstract_name(), Some(&here.as_bytes()[1..]));

        one.send_to(b"ping", &there).await.unwrap();
        let mut buffer = Vec::with_capacity(16);
        let (_, from) = other.recv_buf_from(&mut buffer).await.unwrap();
        assert_eq!(from.as_abstract_name(), Some(&here.as_bytes()[1..]));

        one.send_to(b"ping", &there).await.unwrap();
        let mut room = [0; 16];
        let mut buffer = ReadBuf::new(&mut room);
        let from = poll_fn(|cx| other.poll_recv_from(cx, &mut buffer))
            .await
            .unwrap();
        assert_eq!(from.as_abstract_name(), Some(&here.as_bytes()[1..]));
    });
}

#[test]
fn a_pair_needs_no_address_and_keeps_datagrams_whole() {
    each(async || {
        let (one, other) = UnixDatagram::pair().unwrap();
        assert!(one.local_addr().unwrap().is_unnamed());
        for datagram in [&b""[..], b"0123456789", b"next"] {
            one.send(datagram).await.unwrap();
        }
        let mut small = [0; 4];
        assert_eq!(other.recv(&mut small).await.unwrap(), 0);
        assert_eq!(other.recv(&mut small).await.unwrap(), 4);
        assert_eq!(&small, b"0123");
        assert_eq!(other.recv(&mut small).await.unwrap(), 4);
        assert_eq!(&small, b"next");
        assert_eq!(kind(other.try_recv(&mut small)), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_sender_waits_for_a_full_receiver_and_loses_nothing() {
    each(async || {
        let (one, other) = UnixDatagram::pair().unwrap();
        let sender = executor::spawn(async move {
            for number in 0..2_000_u32 {
                one.send(&number.to_le_bytes()).await.unwrap();
            }
        });
        let mut buffer = [0; 4];
        for number in 0..2_000_u32 {
            assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
            assert_eq!(u32::from_le_bytes(buffer), number);
        }
        sender.await.unwrap();
    });
}

#[test]
fn a_sender_without_a_peer_waits_for_a_full_receiver_and_loses_nothing() {
    each(async || {
        let directory = Directory::new();
        let path = directory.file("socket");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let sender = executor::spawn(async move {
            let socket = UnixDatagram::unbound().unwrap();
            for number in 0..2_000_u32 {
                socket.send_to(&number.to_le_bytes(), &path).await.unwrap();
            }
        });
        let mut buffer = [0; 4];
        for number in 0..2_000_u32 {
            assert_eq!(receiver.recv(&mut buffer).await.unwrap(), 4);
            assert_eq!(u32::from_le_bytes(buffer), number);
        }
        sender.await.unwrap();
    });
}

#[test]
fn a_sender_without_a_peer_does_not_spin_while_its_receiver_is_full() {
    within(30, || {
        current_thread().block_on(async {
            let directory = Directory::new();
            let path = directory.file("socket");
            let receiver = UnixDatagram::bind(&path).unwrap();
            let filler = UnixDatagram::unbound().unwrap();
            while filler.try_send_to(b"full", &path).is_ok() {}
            let polls = Arc::new(AtomicUsize::new(0));
            let count = polls.clone();
            let sender = executor::spawn(async move {
                let socket = UnixDatagram::unbound().unwrap();
                let mut sending = pin!(socket.send_to(b"last", &path));
                poll_fn(|cx| {
                    count.fetch_add(1, SeqCst);
                    sending.as_mut().poll(cx)
                })
                .await
            });
            // Real time must pass: it is what the test is about. A sender that spins is polled thousands of times meanwhile.
            sleep(Duration::from_millis(200)).await;
            let polls = polls.load(SeqCst);
            assert!((2..100).contains(&polls), "{polls}");
            let mut buffer = [0; 16];
            while buffer[..4] != *b"last" {
                assert_eq!(receiver.recv(&mut buffer).await.unwrap(), 4);
            }
            sender.await.unwrap().unwrap();
        });
    });
}

#[test]
fn nobody_and_too_much_are_errors() {
    each(async || {
        let directory = Directory::new();
        let path = directory.file("gone");
        let socket = UnixDatagram::unbound().unwrap();
        assert_eq!(kind(socket.send_to(b"x", &path).await), ErrorKind::NotFound);
        drop(UnixDatagram::bind(&path).unwrap());
        let refused = socket.send_to(b"x", &path).await;
        assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
        assert_eq!(kind(socket.connect(&path)), ErrorKind::ConnectionRefused);
        assert_eq!(kind(socket.send(b"x").await), ErrorKind::NotConnected);

        let (one, _other) = UnixDatagram::pair().unwrap();
        let error = one.send(&vec![0; 8 << 20]).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        let (one, other) = UnixDatagram::pair().unwrap();
        drop(other);
        assert_eq!(kind(one.send(b"x").await), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn shutting_a_direction_down_makes_sending_an_error() {
    each(async || {
        let (one, other) = UnixDatagram::pair().unwrap();
        one.send(b"before").await.unwrap();
        other.shutdown(Shutdown::Read).unwrap();
        assert_eq!(kind(one.send(b"x").await), ErrorKind::BrokenPipe);
        let (one, _other) = UnixDatagram::pair().unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(kind(one.send(b"x").await), ErrorKind::BrokenPipe);
    });
}

#[test]
fn polls_and_tries_and_buffers_that_need_not_be_initialized() {
    each(async || {
        let directory = Directory::new();
        let path = directory.file("socket");
        let server = UnixDatagram::bind(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.writable().await.unwrap();
        assert_eq!(client.try_send_to(b"one", &path).unwrap(), 3);
        poll_fn(|cx| client.poll_send_to(cx, b"two", &path))
            .await
            .unwrap();
        client.connect(&path).unwrap();
        poll_fn(|cx| client.poll_send(cx, b"three")).await.unwrap();
        assert_eq!(client.try_send(b"four").unwrap(), 4);
        client.send(b"five").await.unwrap();
        client.send(b"six").await.unwrap();

        let mut buffer = Vec::with_capacity(64);
        assert_eq!(server.recv_buf(&mut buffer).await.unwrap(), 3);
        let (n, from) = server.recv_buf_from(&mut buffer).await.unwrap();
        assert!(n == 3 && from.is_unnamed());
        assert_eq!(server.try_recv_buf(&mut buffer).unwrap(), 5);
        assert_eq!(server.try_recv_buf_from(&mut buffer).unwrap().0, 4);
        assert_eq!(buffer, b"onetwothreefour");
        let mut bytes = [0; 16];
        let mut read = ReadBuf::new(&mut bytes);
        poll_fn(|cx| server.poll_recv(cx, &mut read)).await.unwrap();
        let from = poll_fn(|cx| server.poll_recv_from(cx, &mut read)).await;
        assert!(from.unwrap().is_unnamed());
        assert_eq!(read.filled(), b"fivesix");
        assert_eq!(kind(server.try_recv_from(&mut [0])), ErrorKind::WouldBlock);
        let ready = server.ready(Interest::READABLE | Interest::WRITABLE).await;
        assert!(ready.unwrap().is_writable());
    });
}

#[test]
fn many_tasks_share_a_pair() {
    each(async || {
        let (one, other) = UnixDatagram::pair().unwrap();
        let (one, other) = (Arc::new(one), Arc::new(other));
        let senders: Vec<_> = (0..10_u8)
            .map(|task| {
                let one = one.clone();
                executor::spawn(async move {
                    for _ in 0..100 {
                        one.send(&[task]).await.unwrap();
                    }
                })
            })
            .collect();
        let receivers: Vec<_> = (0..10)
            .map(|_| {
                let other = other.clone();
                executor::spawn(async move {
                    let (mut sum, mut buffer) = (0, [0; 2]);
                    for _ in 0..100 {
                        assert_eq!(other.recv(&mut buffer).await.unwrap(), 1);
                        sum += u32::from(buffer[0]);
                    }
                    sum
                })
            })
            .collect();
        let mut sum = 0;
        for receiver in receivers {
            sum += receiver.await.unwrap();
        }
        assert_eq!(sum, 100 * 45);
        for sender in senders {
            sender.await.unwrap();
        }
    });
}

#[test]
fn the_end_of_its_runtime_ends_every_operation() {
    within(30, || {
        each_runtime(|runtime| {
            let (one, other) = {
                let _entered = runtime.enter();
                UnixDatagram::pair().unwrap()
            };
            let mut buffer = [0; 4];
            let mut waiting = Box::pin(one.recv(&mut buffer));
            assert!(poll_once(waiting.as_mut()).is_pending());
            drop(runtime);
            assert!(block_on(waiting).is_err());
            assert!(block_on(other.send(b"x")).is_err());
            let std = one.into_std().unwrap();
            assert_eq!(kind(std.recv(&mut [0])), ErrorKind::WouldBlock);
        });
    });
}
