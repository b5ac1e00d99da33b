//! TCP sockets that are set up before they connect or listen.

use std::io::ErrorKind;
use std::net::{self, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{block_on, each_runtime, kind, refusing_address, within, workers};

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

#[test]
fn a_socket_that_was_bound_connects_from_there() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind(any_port()).unwrap();
                let listener = socket.listen(16).unwrap();

                let socket = TcpSocket::new_v4().unwrap();
                socket.bind(any_port()).unwrap();
                let local = socket.local_addr().unwrap();
                assert_ne!(local.port(), 0);
                let mut stream = socket
                    .connect(listener.local_addr().unwrap())
                    .await
                    .unwrap();
                let (mut accepted, peer) = listener.accept().await.unwrap();
                assert_eq!(peer, local);
                assert_eq!(stream.local_addr().unwrap(), local);

                stream.write_all(b"x").await.unwrap();
                assert_eq!(accepted.read_u8().await.unwrap(), b'x');
            })
        })
    });
}

#[test]
fn an_ipv6_socket_connects_to_its_kind_only() {
    within(30, || {
        workers(1).block_on(async {
            let socket = TcpSocket::new_v6().unwrap();
            // Not every machine has it.
            if socket.bind("[::1]:0".parse().unwrap()).is_err() {
                return;
            }
            let listener = socket.listen(16).unwrap();
            let address = listener.local_addr().unwrap();
            assert!(address.is_ipv6());
            let stream = TcpSocket::new_v6().unwrap().connect(address).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
            assert!(TcpSocket::new_v4().unwrap().connect(address).await.is_err());
        })
    });
}

#[test]
fn what_the_system_refuses_is_an_error() {
    within(30, || {
        workers(1).block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            let result = socket.connect(refusing_address()).await;
            assert_eq!(kind(result), ErrorKind::ConnectionRefused);

            let listener = TcpListener::bind(any_port()).await.unwrap();
            let taken = listener.local_addr().unwrap();
            let socket = TcpSocket::new_v4().unwrap();
            assert_eq!(kind(socket.bind(taken)), ErrorKind::AddrInUse);
            assert!(socket.take_error().unwrap().is_none());
        })
    });
}

#[test]
fn several_listeners_share_an_address_if_all_of_them_agree() {
    within(30, || {
        workers(1).block_on(async {
            let listen = |address, shared| {
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_reuseport(shared).unwrap();
                assert_eq!(socket.reuseport().unwrap(), shared);
                socket.bind(address).and_then(|()| socket.listen(16))
            };
            let first = listen(any_port(), true).unwrap();
            let address = first.local_addr().unwrap();
            let second = listen(address, true).unwrap();
            assert_eq!(kind(listen(address, false)), ErrorKind::AddrInUse);

            let _stream = TcpStream::connect(address).await.unwrap();
            // Whichever the system has chosen.
            executor::select! {
                accepted = first.accept() => accepted.unwrap(),
                accepted = second.accept() => accepted.unwrap(),
            };
        })
    });
}

#[test]
fn options_are_the_systems() {
    let socket = TcpSocket::new_v4().unwrap();
    let std = shared(&socket);
    assert!(!socket.reuseaddr().unwrap() && !socket.keepalive().unwrap());
    socket.set_reuseaddr(true).unwrap();
    socket.set_keepalive(true).unwrap();
    socket.set_nodelay(true).unwrap();
    assert!(socket.reuseaddr().unwrap() && socket.keepalive().unwrap());
    assert!(socket.nodelay().unwrap() && std.nodelay().unwrap());

    assert_eq!(socket.linger().unwrap(), None);
    socket.set_linger(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(3)));
    socket.set_zero_linger().unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));
    socket.set_linger(None).unwrap();
    assert_eq!(socket.linger().unwrap(), None);

    socket.set_send_buffer_size(20_000).unwrap();
    socket.set_recv_buffer_size(30_000).unwrap();
    assert!((20_000..=40_000).contains(&socket.send_buffer_size().unwrap()));
    assert!((30_000..=60_000).contains(&socket.recv_buffer_size().unwrap()));

    socket.set_tos_v4(0x10).unwrap();
    assert_eq!(socket.tos_v4().unwrap(), 0x10);
    if let Ok(socket) = TcpSocket::new_v6() {
        socket.set_tclass_v6(0x20).unwrap();
        assert_eq!(socket.tclass_v6().unwrap(), 0x20);
    }
}

/// Another handle to the same socket.
fn shared(socket: &TcpSocket) -> net::TcpStream {
    use std::os::fd::AsFd;
    socket.as_fd().try_clone_to_owned().unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_is_bound_to_an_interface_that_exists() {
    let socket = TcpSocket::new_v4().unwrap();
    assert_eq!(socket.device().unwrap(), None);
    assert!(socket.bind_device(Some(b"no-such-device")).is_err());
    // Older systems allow it to root only.
    if socket.bind_device(Some(b"lo")).is_ok() {
        assert_eq!(socket.device().unwrap().as_deref(), Some(&b"lo"[..]));
        socket.bind_device(None).unwrap();
        assert_eq!(socket.device().unwrap(), None);
    }
}

#[test]
fn a_blocking_socket_from_elsewhere_does_not_block() {
    within(30, || {
        workers(1).block_on(async {
            let listener = TcpListener::bind(any_port()).await.unwrap();
            let address = listener.local_addr().unwrap();
            let blocking = TcpSocket::new_v4().unwrap();
            // Blocking mode belongs to what both handles share.
            shared(&blocking).set_nonblocking(false).unwrap();
            let raw = blocking.into_raw_fd();
            // SAFETY: the descriptor is open, and nobody else has it.
            let socket = unsafe { TcpSocket::from_raw_fd(raw) };
            assert_eq!(socket.as_raw_fd(), raw);
            let stream = socket.connect(address).await.unwrap();
            // SAFETY: the descriptor is open, and the call takes no pointer.
            let flags = unsafe { libc::fcntl(stream.as_raw_fd(), libc::F_GETFL) };
            assert_ne!(flags & libc::O_NONBLOCK, 0);

            let socket = TcpSocket::new_v4().unwrap();
            socket.set_nodelay(true).unwrap();
            let socket = TcpSocket::from_std_stream(shared(&socket));
            assert!(socket.nodelay().unwrap());
            socket.connect(address).await.unwrap();
        })
    });
}

#[test]
fn a_runtime_that_has_ended_takes_no_socket() {
    within(30, || {
        let runtime = workers(1);
        let address = runtime.block_on(async {
            let listener = TcpListener::bind(any_port()).await.unwrap();
            listener.local_addr().unwrap()
        });
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        block_on(async {
            assert!(TcpSocket::new_v4().unwrap().connect(address).await.is_err());
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(any_port()).unwrap();
            assert!(socket.listen(1).is_err());
        });
    });
}
