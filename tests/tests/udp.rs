//! UDP sockets: whole datagrams, refused ones, peeking, settings, many tasks on two sockets.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::sync::Arc;

use executor::io::{Interest, ReadBuf};
use executor::net::UdpSocket;
use executor::task::JoinSet;
use futures::future::join;

use crate::support::{block_on, current_thread, each_runtime, kind, poll_once, within, workers};

/// Runs a test on each kind of runtime, in its `block_on`.
fn each(test: impl AsyncFn()) {
    each_runtime(|runtime| within(30, || runtime.block_on(test())));
}

async fn bound() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// Two sockets that are connected to each other.
async fn pair() -> (UdpSocket, UdpSocket) {
    let (a, b) = (bound().await, bound().await);
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

/// An address where nobody is.
async fn nobody() -> SocketAddr {
    bound().await.local_addr().unwrap()
}

/// Each that the peer takes makes room, of which nobody needs to hear before there was none. Two sockets, so that such an event would have
/// come before the next datagram, and with it.
#[test]
fn a_datagram_that_the_peer_takes_is_no_event() {
    each(async || {
        let rounds = 20_u64;
        let metrics = executor::runtime::Handle::current().metrics();
        let before = metrics.io_driver_ready_count();
        let mut echoes = JoinSet::new();
        let mut peers = Vec::new();
        for _ in 0..2 {
            let server = bound().await;
            let peer = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            peer.connect(server.local_addr().unwrap()).unwrap();
            peers.push(peer);
            echoes.spawn(async move {
                let mut buffer = [0; 8];
                for _ in 0..rounds {
                    let (n, from) = server.recv_from(&mut buffer).await.unwrap();
                    server.send_to(&buffer[..n], from).await.unwrap();
                }
                server
            });
        }
        let asks = executor::task::spawn_blocking(move || {
            let mut buffer = [0; 8];
            for round in 0..rounds {
                for peer in &peers {
                    peer.send(&round.to_le_bytes()).unwrap();
                    assert_eq!(peer.recv(&mut buffer).unwrap(), 8);
                }
            }
        });
        asks.await.unwrap();
        let _sockets = echoes.join_all().await;
        assert!(metrics.io_driver_ready_count() - before <= 2 * rounds);
    });
}

#[test]
fn datagrams_go_to_addresses_and_back_to_where_they_came_from() {
    each(async || {
        let (server, client) = (bound().await, bound().await);
        let address = server.local_addr().unwrap();
        assert_eq!(client.send_to(b"ping", address).await.unwrap(), 4);
        let mut buffer = [0; 16];
        let (n, from) = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!(
            (&buffer[..n], from),
            (&b"ping"[..], client.local_addr().unwrap())
        );
        // A name and its port are looked up.
        let name = format!("localhost:{}", address.port());
        client.send_to(b"by name", &*name).await.unwrap();
        assert_eq!(server.recv(&mut buffer).await.unwrap(), 7);
        let nowhere: &[SocketAddr] = &[];
        assert_eq!(
            kind(client.send_to(b"x", nowhere).await),
            ErrorKind::InvalidInput
        );
    });
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    each(async || {
        let (a, b) = pair().await;
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
        let stranger = bound().await;
        assert_eq!(kind(stranger.peer_addr()), ErrorKind::NotConnected);
        stranger
            .send_to(b"stranger", a.local_addr().unwrap())
            .await
            .unwrap();
        b.send(b"peer").await.unwrap();
        let mut buffer = [0; 16];
        let n = a.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..n], b"peer");
        assert_eq!(kind(a.try_recv(&mut buffer)), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_datagram_without_bytes_arrives() {
    each(async || {
        let (a, b) = pair().await;
        a.send(b"").await.unwrap();
        a.send(b"after").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(b.recv(&mut buffer).await.unwrap(), 0);
        assert_eq!(b.recv(&mut buffer).await.unwrap(), 5);
    });
}

#[test]
fn what_does_not_fit_is_cut_off_and_does_not_come_again() {
    each(async || {
        let (a, b) = pair().await;
        a.send(b"0123456789").await.unwrap();
        a.send(b"next").await.unwrap();
        let mut small = [0; 4];
        assert_eq!(b.recv(&mut small).await.unwrap(), 4);
        assert_eq!(&small, b"0123");
        assert_eq!(b.recv(&mut small).await.unwrap(), 4);
        assert_eq!(&small, b"next");
    });
}

#[test]
fn a_datagram_that_is_too_large_is_an_error_and_the_socket_goes_on() {
    each(async || {
        let (a, b) = pair().await;
        let error = a.send(&[0; 70_000]).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        a.send(b"small").await.unwrap();
        assert_eq!(b.recv(&mut [0; 16]).await.unwrap(), 5);
    });
}

#[test]
fn what_nobody_takes_is_refused_at_the_next_operation() {
    each(async || {
        let socket = bound().await;
        socket.connect(nobody().await).await.unwrap();
        // A receive that waits already hears of it.
        let mut buffer = [0; 16];
        let mut waiting = pin!(socket.recv(&mut buffer));
        assert!(poll_once(waiting.as_mut()).is_pending());
        socket.send(b"hello").await.unwrap();
        assert_eq!(kind(waiting.await), ErrorKind::ConnectionRefused);

        socket.send(b"hello").await.unwrap();
        socket.ready(Interest::ERROR).await.unwrap();
        assert_eq!(
            kind(socket.send(b"again").await),
            ErrorKind::ConnectionRefused
        );
        assert!(socket.take_error().unwrap().is_none());
    });
}

#[test]
fn peeking_takes_nothing() {
    each(async || {
        let (a, b) = (bound().await, bound().await);
        let from = a.local_addr().unwrap();
        a.send_to(b"hello", b.local_addr().unwrap()).await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(b.peek_sender().await.unwrap(), from);
        assert_eq!(b.try_peek_sender().unwrap(), from);
        assert_eq!(poll_fn(|cx| b.poll_peek_sender(cx)).await.unwrap(), from);
        assert_eq!(b.peek(&mut buffer).await.unwrap(), 5);
        assert_eq!(b.try_peek(&mut buffer).unwrap(), 5);
        assert_eq!(b.peek_from(&mut buffer).await.unwrap(), (5, from));
        assert_eq!(b.try_peek_from(&mut buffer).unwrap(), (5, from));
        let mut read = ReadBuf::new(&mut buffer);
        poll_fn(|cx| b.poll_peek(cx, &mut read)).await.unwrap();
        let peeked = poll_fn(|cx| b.poll_peek_from(cx, &mut read)).await;
        assert_eq!(peeked.unwrap(), from);
        assert_eq!(read.filled(), b"hellohello");
        assert_eq!(b.recv_from(&mut buffer).await.unwrap(), (5, from));
        assert_eq!(kind(b.try_peek_sender()), ErrorKind::WouldBlock);
    });
}

#[test]
fn nothing_is_tried_before_the_reactor_has_said_so() {
    each(async || {
        let (a, b) = pair().await;
        let mut buffer = [0; 16];
        a.writable().await.unwrap();
        assert_eq!(a.try_send(b"one").unwrap(), 3);
        b.readable().await.unwrap();
        assert_eq!(b.try_recv(&mut buffer).unwrap(), 3);
        assert_eq!(kind(b.try_recv(&mut buffer)), ErrorKind::WouldBlock);
        assert!(poll_once(pin!(b.readable())).is_pending());
        assert_eq!(a.try_send_to(b"two", b.local_addr().unwrap()).unwrap(), 3);
        let ready = b.ready(Interest::READABLE | Interest::WRITABLE).await;
        assert!(ready.unwrap().is_writable());
        poll_fn(|cx| b.poll_recv_ready(cx)).await.unwrap();
        assert_eq!(b.try_recv_from(&mut buffer).unwrap().0, 3);
        poll_fn(|cx| b.poll_send_ready(cx)).await.unwrap();
    });
}

#[test]
fn buffers_need_not_be_initialized() {
    each(async || {
        let (a, b) = pair().await;
        let from = a.local_addr().unwrap();
        for text in ["one", "two", "three", "four", "five"] {
            poll_fn(|cx| a.poll_send(cx, text.as_bytes()))
                .await
                .unwrap();
        }
        let mut buffer = Vec::with_capacity(64);
        assert_eq!(b.recv_buf(&mut buffer).await.unwrap(), 3);
        assert_eq!(b.recv_buf_from(&mut buffer).await.unwrap(), (3, from));
        b.readable().await.unwrap();
        assert_eq!(b.try_recv_buf(&mut buffer).unwrap(), 5);
        assert_eq!(b.try_recv_buf_from(&mut buffer).unwrap(), (4, from));
        assert_eq!(buffer, b"onetwothreefour");

        let mut bytes = [0; 16];
        let mut read = ReadBuf::new(&mut bytes);
        poll_fn(|cx| b.poll_recv(cx, &mut read)).await.unwrap();
        let to = b.local_addr().unwrap();
        poll_fn(|cx| a.poll_send_to(cx, b"six", to)).await.unwrap();
        let received = poll_fn(|cx| b.poll_recv_from(cx, &mut read)).await;
        assert_eq!((received.unwrap(), read.filled()), (from, &b"fivesix"[..]));
    });
}

#[test]
fn system_calls_of_the_users_wait_as_well() {
    each(async || {
        let (a, b) = pair().await;
        let (a, b) = (&a, &b);
        let receive = b.async_io(Interest::READABLE, || {
            let mut buffer = [0; 16];
            // SAFETY: the buffer may be written for as many bytes, and the socket is open.
            let n = unsafe { libc::recv(b.as_raw_fd(), buffer.as_mut_ptr().cast(), 16, 0) };
            usize::try_from(n).map_err(|_| std::io::Error::last_os_error())
        });
        let (received, sent) = join(receive, a.send(b"hello")).await;
        assert_eq!((received.unwrap(), sent.unwrap()), (5, 5));
        a.writable().await.unwrap();
        assert!(a.try_io(Interest::WRITABLE, || Ok(())).is_ok());
        let refused = b.try_io(Interest::READABLE, || {
            Err::<(), _>(ErrorKind::WouldBlock.into())
        });
        assert_eq!(kind(refused), ErrorKind::WouldBlock);
    });
}

#[test]
fn two_sockets_serve_many_tasks() {
    each_runtime(|runtime| {
        within(60, || {
            runtime.block_on(async {
                const TASKS: usize = 20;
                const ROUNDS: usize = 50;
                let (server, client) = (Arc::new(bound().await), Arc::new(bound().await));
                let address = server.local_addr().unwrap();
                let echoes: Vec<_> = (0..TASKS)
                    .map(|_| {
                        let server = server.clone();
                        executor::spawn(async move {
                            let mut buffer = [0; 16];
                            for _ in 0..ROUNDS {
                                let (n, from) = server.recv_from(&mut buffer).await.unwrap();
                                server.send_to(&buffer[..n], from).await.unwrap();
                            }
                        })
                    })
                    .collect();
                let clients: Vec<_> = (0..TASKS)
                    .map(|task| {
                        let client = client.clone();
                        executor::spawn(async move {
                            let (mut buffer, mut sum) = ([0; 16], 0);
                            // One on its way for each task, so that nothing is thrown away.
                            for round in 0..ROUNDS {
                                let number = (task * ROUNDS + round) as u64;
                                client
                                    .send_to(&number.to_le_bytes(), address)
                                    .await
                                    .unwrap();
                                assert_eq!(client.recv(&mut buffer).await.unwrap(), 8);
                                sum += u64::from_le_bytes(buffer[..8].try_into().unwrap());
                            }
                            sum
                        })
                    })
                    .collect();
                let mut sum = 0;
                for client in clients {
                    sum += client.await.unwrap();
                }
                for echo in echoes {
                    echo.await.unwrap();
                }
                let all = (TASKS * ROUNDS) as u64;
                assert_eq!(sum, all * (all - 1) / 2);
            });
        });
    });
}

#[test]
fn the_end_of_its_runtime_ends_every_operation() {
    within(30, || {
        each_runtime(|runtime| {
            let socket = runtime.block_on(bound());
            let mut buffer = [0; 16];
            let mut waiting = Box::pin(socket.recv(&mut buffer));
            assert!(poll_once(waiting.as_mut()).is_pending());
            drop(runtime);
            assert!(block_on(waiting).is_err());
            assert!(block_on(socket.send_to(b"x", ("127.0.0.1", 1))).is_err());
            assert_ne!(kind(socket.try_recv(&mut [0])), ErrorKind::WouldBlock);
            // What belongs to the system alone still works.
            socket.local_addr().unwrap();
            socket.into_std().unwrap();
        });
    });
}

#[test]
fn it_comes_from_the_standard_library_and_goes_back() {
    within(30, || {
        let (runtime, other) = (workers(1), current_thread());
        let std = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = std.local_addr().unwrap();
        let socket = {
            let _entered = runtime.enter();
            UdpSocket::try_from(std).unwrap()
        };
        assert_eq!(socket.as_fd().as_raw_fd(), socket.as_raw_fd());
        assert!(format!("{socket:?}").contains("UdpSocket"));
        // Another runtime may use it.
        other.block_on(async {
            bound().await.send_to(b"hello", address).await.unwrap();
            assert_eq!(socket.recv(&mut [0; 16]).await.unwrap(), 5);
        });
        let std = socket.into_std().unwrap();
        assert_eq!(kind(std.recv(&mut [0; 16])), ErrorKind::WouldBlock);
    });
}

#[test]
fn an_address_that_cannot_be_bound_is_named_in_the_error() {
    each(async || {
        let taken = bound().await.into_std().unwrap();
        let address = taken.local_addr().unwrap();
        let error = UdpSocket::bind(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    });
}

#[test]
fn settings_are_the_systems() {
    each(async || {
        let socket = bound().await;
        for on in [true, false] {
            socket.set_broadcast(on).unwrap();
            assert_eq!(socket.broadcast().unwrap(), on);
            socket.set_multicast_loop_v4(on).unwrap();
            assert_eq!(socket.multicast_loop_v4().unwrap(), on);
        }
        socket.set_ttl(33).unwrap();
        assert_eq!(socket.ttl().unwrap(), 33);
        socket.set_multicast_ttl_v4(44).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 44);
        socket.set_tos_v4(0x10).unwrap();
        assert_eq!(socket.tos_v4().unwrap(), 0x10);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.device().unwrap(), None);
            let error = socket.bind_device(Some(b"no-such-device")).unwrap_err();
            assert!(matches!(
                error.raw_os_error(),
                Some(libc::ENODEV | libc::EPERM)
            ));
        }
    });
}

#[test]
fn settings_of_version_six_are_the_systems() {
    each(async || {
        // A machine may have no IPv6.
        let Ok(socket) = UdpSocket::bind("[::1]:0").await else {
            return;
        };
        socket.set_multicast_loop_v6(false).unwrap();
        assert!(!socket.multicast_loop_v6().unwrap());
        socket.set_tclass_v6(0x20).unwrap();
        assert_eq!(socket.tclass_v6().unwrap(), 0x20);
        assert!(
            socket
                .join_multicast_v6(&"::1".parse().unwrap(), 0)
                .is_err()
        );
    });
}

#[test]
fn a_group_is_joined_and_left() {
    each(async || {
        let (group, interface) = (Ipv4Addr::new(239, 1, 2, 3), Ipv4Addr::LOCALHOST);
        let member = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        member.join_multicast_v4(group, interface).unwrap();
        assert_eq!(
            kind(member.join_multicast_v4(group, interface)),
            ErrorKind::AddrInUse
        );
        member.leave_multicast_v4(group, interface).unwrap();
        assert_eq!(
            kind(member.leave_multicast_v4(group, interface)),
            ErrorKind::AddrNotAvailable
        );
        assert!(member.join_multicast_v4(interface, interface).is_err());
    });
}
