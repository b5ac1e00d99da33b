//! What networks and systems do to TCP sockets: resets, half-closed peers, too few descriptors, a runtime that is gone.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net;
use std::pin::pin;
use std::thread;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpStream};

use crate::support::{
    block_on, child, current_thread, each_runtime, fds, kind, pair, pair_with_std, poll_once,
    until, within, workers,
};

#[test]
fn a_reset_ends_a_read() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (mut ours, theirs) = pair().await;
                let reader = executor::spawn(async move { ours.read_u8().await });
                reset(theirs);
                assert_eq!(kind(reader.await.unwrap()), ErrorKind::ConnectionReset);
            })
        })
    });
}

#[test]
fn a_reset_ends_a_write() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (ours, theirs) = pair().await;
                let writer = executor::spawn(write_for_ever(ours));
                // The first byte is here, so the writer is at it.
                theirs.peek(&mut [0]).await.unwrap();
                reset(theirs);
                assert_broken(writer.await.unwrap());
            })
        })
    });
}

#[test]
fn a_reset_ends_both_directions() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                for _ in 0..50 {
                    let (ours, theirs) = pair().await;
                    let (mut reader, writer) = ours.into_split();
                    let reader = executor::spawn(async move { reader.read_u8().await });
                    let writer = executor::spawn(write_for_ever(writer));
                    theirs.peek(&mut [0]).await.unwrap();
                    reset(theirs);
                    // The system reports the reset once. Whoever comes second finds the stream at its end.
                    let read = kind(reader.await.unwrap());
                    let expected = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
                    assert!(expected.contains(&read), "{read:?}");
                    assert_broken(writer.await.unwrap());
                }
            })
        })
    });
}

#[test]
fn the_end_of_stream_wakes_a_reader() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (mut ours, peer) = pair_with_std().await;
                assert!(poll_once(pin!(ours.read_u8())).is_pending());
                peer.shutdown(net::Shutdown::Write).unwrap();
                assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
                assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0, "the end stays");
                ours.readable().await.unwrap();
            })
        })
    });
}

#[test]
fn the_end_of_stream_is_seen_behind_a_short_read() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                for _ in 0..50 {
                    let (mut ours, mut peer) = pair_with_std().await;
                    assert!(poll_once(pin!(ours.read_u8())).is_pending());
                    peer.write_all(b"last words").unwrap();
                    peer.shutdown(net::Shutdown::Write).unwrap();
                    let mut all = Vec::new();
                    ours.read_to_end(&mut all).await.unwrap();
                    assert_eq!(all, b"last words");
                }
            })
        })
    });
}

#[test]
fn a_half_closed_peer_can_still_be_written_to() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                for data in [&b""[..], b"data"] {
                    let (mut ours, mut peer) = pair_with_std().await;
                    peer.write_all(data).unwrap();
                    peer.shutdown(net::Shutdown::Write).unwrap();
                    let mut read = Vec::new();
                    ours.read_to_end(&mut read).await.unwrap();
                    assert_eq!(read, data);

                    ours.write_all(b"answer").await.unwrap();
                    ours.shutdown().await.unwrap();
                    let mut answer = String::new();
                    peer.read_to_string(&mut answer).unwrap();
                    assert_eq!(answer, "answer");
                }
            })
        })
    });
}

#[test]
fn after_its_own_shutdown_a_stream_reads_on_and_writes_no_more() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (mut ours, mut peer) = pair_with_std().await;
                ours.shutdown().await.unwrap();
                ours.shutdown().await.unwrap();
                assert_eq!(peer.read(&mut [0]).unwrap(), 0);
                peer.write_all(b"x").unwrap();
                assert_eq!(ours.read_u8().await.unwrap(), b'x');
                assert_eq!(kind(ours.write(b"x").await), ErrorKind::BrokenPipe);
                drop(peer);
                assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
            })
        })
    });
}

#[test]
fn shutting_a_reset_connection_down_is_no_error() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, theirs) = pair().await;
            reset(theirs);
            assert_eq!(kind(ours.read_u8().await), ErrorKind::ConnectionReset);
            ours.shutdown().await.unwrap();
        })
    });
}

#[test]
fn accept_reports_that_descriptors_are_short_and_recovers() {
    child(
        "tcp_faults::accept_reports_that_descriptors_are_short_and_recovers",
        || {
            workers(2).block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let mut clients: Vec<_> = (0..3)
                    .map(|_| net::TcpStream::connect(address).unwrap())
                    .collect();
                allow_no_more_descriptors();
                for _ in 0..5 {
                    let error = listener.accept().await.unwrap_err();
                    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                }
                // No event comes when a descriptor is freed, and none is needed.
                clients.pop();
                let (mut accepted, _) = listener.accept().await.unwrap();
                accepted.write_all(b"x").await.unwrap();
                assert!(listener.accept().await.is_err());
                drop(accepted);
                listener.accept().await.unwrap();
            });
        },
    );
}

#[test]
fn no_write_raises_sigpipe() {
    child("tcp_faults::no_write_raises_sigpipe", || {
        // SAFETY: this process runs nothing but this test, and SIG_DFL is no function that could do harm.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        workers(1).block_on(async {
            let slices = [IoSlice::new(b"a"), IoSlice::new(b"b")];
            let mut ours = broken().await;
            assert_eq!(kind(ours.write(b"x").await), ErrorKind::BrokenPipe);
            assert_eq!(
                kind(ours.write_vectored(&slices).await),
                ErrorKind::BrokenPipe
            );
            assert_eq!(kind(ours.try_write(b"x")), ErrorKind::BrokenPipe);
            assert_eq!(
                kind(ours.try_write_vectored(&slices)),
                ErrorKind::BrokenPipe
            );
            futures_writes_break(&mut ours, &slices).await;
        });
    });
}

#[test]
fn a_socket_outlives_its_runtime_with_errors() {
    for make in [|| workers(2), current_thread] {
        within(30, || {
            let runtime = make();
            let (mut ours, mut peer) = runtime.block_on(pair_with_std());
            let (listener, mut accepted) = runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let _client = TcpStream::connect(listener.local_addr().unwrap()).await;
                let (accepted, _) = listener.accept().await.unwrap();
                (listener, accepted)
            });
            drop(runtime);
            block_on(async {
                assert!(ours.read_u8().await.is_err());
                assert!(ours.write(b"x").await.is_err());
                assert!(ours.readable().await.is_err());
                assert!(ours.writable().await.is_err());
                assert!(ours.peek(&mut [0]).await.is_err());
                assert!(accepted.read_u8().await.is_err());
                assert!(accepted.write(b"x").await.is_err());
                assert!(listener.accept().await.is_err());
            });
            drop(ours);
            assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the descriptor is closed");
        });
    }
}

#[test]
fn a_waiting_reader_is_told_that_its_runtime_ends() {
    within(30, || {
        let runtime = workers(1);
        let (mut ours, _peer) = runtime.block_on(pair_with_std());
        let reader = thread::spawn(move || block_on(ours.read_u8()));
        // Whether the reader waits by then or not, it must not wait for ever.
        drop(runtime);
        assert!(reader.join().unwrap().is_err());
    });
}

#[test]
fn sockets_cannot_be_made_in_a_runtime_that_has_ended() {
    within(30, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(block_on(TcpListener::bind("127.0.0.1:0")).is_err());
        assert!(block_on(TcpStream::connect(address)).is_err());
        assert!(block_on(TcpStream::connect(("localhost", address.port()))).is_err());
        assert!(TcpListener::from_std(listener).is_err());
    });
}

#[test]
fn connections_leave_no_descriptors_behind() {
    child(
        "tcp_faults::connections_leave_no_descriptors_behind",
        || {
            let before = fds();
            let runtime = workers(2);
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let server = executor::spawn(async move {
                    loop {
                        let (mut stream, _) = listener.accept().await.unwrap();
                        executor::spawn(async move {
                            let (mut reader, mut writer) = stream.split();
                            executor::io::copy(&mut reader, &mut writer).await
                        });
                    }
                });
                for _ in 0..20 {
                    let clients: Vec<_> = (0..20).map(|_| executor::spawn(talk(address))).collect();
                    for client in clients {
                        client.await.unwrap();
                    }
                    // An attempt that is given up closes its socket.
                    let _ = poll_once(pin!(TcpStream::connect(address)));
                }
                server.abort();
                assert!(server.await.unwrap_err().is_cancelled());
            });
            drop(runtime);
            until(|| fds() == before);
        },
    );
}

async fn futures_writes_break(ours: &mut TcpStream, slices: &[IoSlice<'_>]) {
    use futures::AsyncWriteExt as Futures;
    let written = Futures::write(ours, b"x").await;
    assert_eq!(kind(written), ErrorKind::BrokenPipe);
    let written = Futures::write_vectored(ours, slices).await;
    assert_eq!(kind(written), ErrorKind::BrokenPipe);
}

async fn talk(address: net::SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ping");
}

async fn write_for_ever(mut writer: impl executor::io::AsyncWrite + Unpin) -> std::io::Result<()> {
    loop {
        writer.write_all(&[0; 4096]).await?;
    }
}

#[track_caller]
fn assert_broken(result: std::io::Result<()>) {
    let kind = kind(result);
    let expected = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(expected.contains(&kind), "{kind:?}");
}

/// Closes a connection so that its peer gets a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

/// A connection that every write finds broken.
async fn broken() -> TcpStream {
    let (mut ours, theirs) = pair().await;
    ours.writable().await.unwrap();
    reset(theirs);
    assert_eq!(kind(ours.read_u8().await), ErrorKind::ConnectionReset);
    ours
}

/// Lowers the limit so that the next descriptor would exceed it.
fn allow_no_more_descriptors() {
    // SAFETY: the descriptor belongs to nobody else: it is made and closed here.
    let next = unsafe {
        let next = libc::dup(0);
        assert!(next > 0);
        libc::close(next);
        next
    };
    let limit = libc::rlimit {
        rlim_cur: next as libc::rlim_t,
        rlim_max: next as libc::rlim_t,
    };
    // SAFETY: the pointer is good, and this process runs nothing but this test.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
}
