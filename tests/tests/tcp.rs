//! TCP sockets: connecting, listening, halves, readiness, backpressure.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use executor::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use executor::runtime::Handle;
use executor::task::yield_now;

use crate::support::{
    Dead, block_on, counting_waker, current_thread, each_runtime, kind, pair, pair_with_std,
    poll_once, refusing_address, within, workers,
};

#[test]
fn connects_by_host_name() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let listener = TcpListener::bind("localhost:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                assert!(address.ip().is_loopback());
                let port = address.port();

                let by_text = TcpStream::connect(format!("localhost:{port}"))
                    .await
                    .unwrap();
                assert_eq!(by_text.peer_addr().unwrap(), address);
                let (accepted, peer) = listener.accept().await.unwrap();
                assert_eq!(peer, by_text.local_addr().unwrap());
                assert_eq!(accepted.peer_addr().unwrap(), peer);

                let by_pair = TcpStream::connect(("localhost", port)).await.unwrap();
                assert_eq!(by_pair.peer_addr().unwrap(), address);
            })
        })
    });
}

#[test]
fn looks_host_names_up() {
    within(30, || {
        workers(1).block_on(async {
            let found: Vec<_> = lookup_host(("localhost", 80)).await.unwrap().collect();
            assert!(!found.is_empty());
            assert!(found.iter().all(|a| a.ip().is_loopback() && a.port() == 80));
            // No name, no thread: an address is its own answer at the first poll.
            assert!(poll_once(pin!(lookup_host("127.0.0.1:1"))).is_ready());
            assert!(poll_once(pin!(lookup_host(("::1", 1)))).is_ready());
            assert!(lookup_host("localhost").await.is_err(), "no port");
        })
    });
}

#[test]
fn connect_tries_every_address() {
    within(30, || {
        workers(1).block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let addresses = [refusing_address(), good];
            let stream = TcpStream::connect(&addresses[..]).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), good);
            let none: &[net::SocketAddr] = &[];
            assert_eq!(
                kind(TcpStream::connect(none).await),
                ErrorKind::InvalidInput
            );
            assert_eq!(kind(TcpListener::bind(none).await), ErrorKind::InvalidInput);
        })
    });
}

#[test]
fn connect_to_nobody_is_refused() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let address = refusing_address();
                let error = TcpStream::connect(address).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                assert!(error.to_string().contains(&address.to_string()), "{error}");
            })
        })
    });
}

#[test]
fn an_address_in_use_is_refused_but_not_one_that_was() {
    within(30, || {
        workers(1).block_on(async {
            // An address of its own, so that no other test is given the port in between.
            let first = TcpListener::bind("127.0.0.37:0").await.unwrap();
            let address = first.local_addr().unwrap();
            let error = TcpListener::bind(address).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&address.to_string()), "{error}");

            // Whoever closes first makes the system remember the connection. The next server may listen nevertheless.
            let mut client = TcpStream::connect(address).await.unwrap();
            drop(first.accept().await.unwrap());
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            drop((client, first));
            TcpListener::bind(address).await.unwrap();
        })
    });
}

#[test]
fn blocking_sockets_are_made_non_blocking() {
    within(30, || {
        workers(1).block_on(async {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            assert!(poll_once(pin!(listener.accept())).is_pending());

            let ours = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut ours = TcpStream::try_from(ours).unwrap();
            assert!(poll_once(pin!(ours.read_u8())).is_pending());

            let (accepted, _) = listener.accept().await.unwrap();
            let mut accepted = accepted.into_std().unwrap();
            assert_eq!(kind(accepted.read(&mut [0])), ErrorKind::WouldBlock);
            accepted.write_all(b"x").unwrap();
            assert_eq!(ours.read_u8().await.unwrap(), b'x');

            let listener = listener.into_std().unwrap();
            assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        })
    });
}

#[test]
fn a_connection_that_is_still_being_made_is_writable_once_it_is_made() {
    within(60, || {
        current_thread().block_on(async {
            let dead = Dead::new();
            let socket = TcpSocket::new_v4().unwrap();
            let connecting = socket.as_fd().try_clone_to_owned().unwrap();
            // It has begun, and goes on with the other descriptor of the socket.
            assert!(poll_once(pin!(socket.connect(dead.address))).is_pending());
            let stream = TcpStream::from_std(connecting.into()).unwrap();
            assert_eq!(kind(stream.peer_addr()), ErrorKind::NotConnected);
            let mut writable = pin!(stream.writable());
            for _ in 0..100 {
                assert!(poll_once(writable.as_mut()).is_pending());
                yield_now().await;
            }
            assert_eq!(kind(stream.try_write(b"x")), ErrorKind::WouldBlock);
            // There is room in the backlog now, which the system finds when it knocks again, after a second.
            dead.listener.accept().await.unwrap();
            writable.await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), dead.address);
            assert_eq!(stream.try_write(b"x").unwrap(), 1);
        });
    });
}

#[test]
fn options_are_the_sockets_own() {
    within(30, || {
        workers(1).block_on(async {
            let (stream, _peer) = pair().await;
            for on in [true, false] {
                stream.set_nodelay(on).unwrap();
                assert_eq!(stream.nodelay().unwrap(), on);
            }
            stream.set_ttl(42).unwrap();
            assert_eq!(stream.ttl().unwrap(), 42);
            assert_eq!(stream.linger().unwrap(), None);
            stream.set_linger(Some(Duration::from_secs(3))).unwrap();
            assert_eq!(stream.linger().unwrap(), Some(Duration::from_secs(3)));
            stream.set_zero_linger().unwrap();
            assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO));
            #[cfg(target_os = "linux")]
            for on in [true, false] {
                stream.set_quickack(on).unwrap();
                assert_eq!(stream.quickack().unwrap(), on);
            }
            assert!(stream.take_error().unwrap().is_none());
            assert!(format!("{stream:?}").contains("127.0.0.1"));
        })
    });
}

#[test]
fn works_outside_of_any_runtime() {
    within(30, || {
        assert!(Handle::try_current().is_err());
        block_on(async {
            let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
            let mut ours = TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
            let (mut theirs, _) = listener.accept().await.unwrap();
            ours.write_all(b"ping").await.unwrap();
            let mut buffer = [0; 4];
            theirs.read_exact(&mut buffer).await.unwrap();
            assert_eq!(&buffer, b"ping");
        });
        assert!(Handle::try_current().is_err());
    });
}

#[test]
fn halves_work_in_two_tasks_at_once() {
    const BYTES: usize = 4 << 20;
    each_runtime(|runtime| {
        within(60, || {
            runtime.block_on(async {
                let (ours, theirs) = pair().await;
                let mut tasks = Vec::new();
                for stream in [ours, theirs] {
                    let (mut reader, mut writer) = stream.into_split();
                    tasks.push(executor::spawn(async move {
                        for block in 0..BYTES / 4096 {
                            writer.write_all(&[block as u8; 4096]).await.unwrap();
                        }
                        4096 * (BYTES / 4096)
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
            let (ours, theirs) = pair().await;
            let (our_read, our_write) = ours.into_split();
            let (their_read, their_write) = theirs.into_split();

            let error = our_read.reunite(their_write).unwrap_err();
            assert!(error.to_string().contains("different"));
            let executor::net::tcp::ReuniteError(our_read, their_write) = error;
            let mut ours = our_write.reunite(our_read).unwrap();
            let mut theirs = their_read.reunite(their_write).unwrap();

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
            let (ours, mut peer) = pair_with_std().await;
            let (reader, writer) = ours.into_split();
            drop(writer);
            assert_eq!(peer.read(&mut [0]).unwrap(), 0);
            drop(reader);

            let (ours, mut peer) = pair_with_std().await;
            let (mut reader, writer) = ours.into_split();
            writer.forget();
            peer.set_nonblocking(true).unwrap();
            assert_eq!(kind(peer.read(&mut [0])), ErrorKind::WouldBlock);
            peer.write_all(b"x").unwrap();
            assert_eq!(reader.read_u8().await.unwrap(), b'x');
        })
    });
}

#[test]
fn concurrent_acceptors_share_one_listener() {
    const CLIENTS: usize = 200;
    within(60, || {
        workers(2).block_on(async {
            let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
            let address = listener.local_addr().unwrap();
            let (sender, accepted) = std::sync::mpsc::channel();
            let acceptors: Vec<_> = (0..8)
                .map(|_| {
                    let (listener, sender) = (listener.clone(), sender.clone());
                    executor::spawn(async move {
                        while let Ok((mut stream, peer)) = listener.accept().await {
                            sender.send(peer).unwrap();
                            stream.write_all(b"x").await.unwrap();
                        }
                    })
                })
                .collect();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    executor::spawn(async move {
                        let mut stream = TcpStream::connect(address).await.unwrap();
                        assert_eq!(stream.read_u8().await.unwrap(), b'x');
                        stream.local_addr().unwrap()
                    })
                })
                .collect();
            let mut served = HashSet::new();
            for client in clients {
                served.insert(client.await.unwrap());
            }
            acceptors.iter().for_each(|acceptor| acceptor.abort());
            let accepted: Vec<_> = accepted.try_iter().collect();
            assert_eq!(accepted.len(), CLIENTS);
            assert_eq!(accepted.into_iter().collect::<HashSet<_>>(), served);
        })
    });
}

#[test]
fn poll_accept_wakes_its_task() {
    within(30, || {
        workers(1).block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (waker, wakes) = counting_waker();
            assert!(
                listener
                    .poll_accept(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            let _client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            std::future::poll_fn(|cx| listener.poll_accept(cx))
                .await
                .unwrap();
            // The last caller's waker is kept.
            assert!(wakes.load(SeqCst) <= 1);
        })
    });
}

#[test]
fn try_read_and_try_write_never_wait() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, mut peer) = pair_with_std().await;
            let mut buffer = [0; 16];
            assert_eq!(kind(ours.try_read(&mut buffer)), ErrorKind::WouldBlock);

            peer.write_all(b"hello").unwrap();
            ours.readable().await.unwrap();
            assert_eq!(ours.try_read(&mut buffer[..2]).unwrap(), 2);
            let (mut a, mut b) = ([0; 2], [0; 2]);
            let mut slices = [
                std::io::IoSliceMut::new(&mut a),
                std::io::IoSliceMut::new(&mut b),
            ];
            assert_eq!(ours.try_read_vectored(&mut slices).unwrap(), 3);
            assert_eq!((&a, b[0]), (b"ll", b'o'));
            assert_eq!(kind(ours.try_read(&mut buffer)), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(ours.readable())).is_pending());

            ours.writable().await.unwrap();
            assert_eq!(ours.try_write(b"ab").unwrap(), 2);
            let slices = [std::io::IoSlice::new(b"c"), std::io::IoSlice::new(b"de")];
            assert_eq!(ours.try_write_vectored(&slices).unwrap(), 3);
            let mut answer = [0; 5];
            peer.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"abcde");
        })
    });
}

#[test]
fn ready_says_what_is_there() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, mut peer) = pair_with_std().await;
            let both = Interest::READABLE | Interest::WRITABLE;
            let ready = ours.ready(both).await.unwrap();
            assert!(ready.is_writable() && !ready.is_readable());
            assert!(poll_once(pin!(ours.ready(Interest::READABLE))).is_pending());

            peer.write_all(b"hello").unwrap();
            let ready = ours.ready(Interest::READABLE).await.unwrap();
            assert!(ready.is_readable() && !ready.is_writable() && !ready.is_read_closed());
            let mut bytes = Vec::with_capacity(2);
            assert_eq!(ours.try_read_buf(&mut bytes).unwrap(), 2);
            assert_eq!(bytes, b"he");
            {
                let (reader, writer) = ours.split();
                let ready = reader.ready(Interest::READABLE).await.unwrap();
                assert!(ready.is_readable());
                assert!(writer.ready(both).await.unwrap().is_writable());
                assert_eq!(reader.try_read_buf(&mut bytes).unwrap(), bytes.len() - 2);
                assert_eq!(kind(reader.try_read(&mut [0])), ErrorKind::WouldBlock);
                assert!(poll_once(pin!(reader.ready(Interest::READABLE))).is_pending());
            }
            assert!(bytes.starts_with(b"hel"));

            peer.shutdown(net::Shutdown::Write).unwrap();
            let (reader, writer) = ours.into_split();
            let ready = reader.ready(Interest::READABLE).await.unwrap();
            assert!(ready.is_read_closed() && ready.is_readable());
            let ready = writer.ready(Interest::WRITABLE).await.unwrap();
            assert!(ready.is_writable() && !ready.is_write_closed());
        })
    });
}

#[test]
fn an_operation_of_ones_own_waits_for_its_interest_and_forgets_it_if_it_would_block() {
    within(30, || {
        workers(1).block_on(async {
            let (ours, mut peer) = pair_with_std().await;
            let never = || -> std::io::Result<()> { panic!("called without readiness") };
            let unready = ours.try_io(Interest::READABLE, never);
            assert_eq!(kind(unready), ErrorKind::WouldBlock);

            // The same socket, without the readiness that is kept for it.
            let own: net::TcpStream = ours.as_fd().try_clone_to_owned().unwrap().into();
            let read = || {
                let mut byte = [0];
                (&own).read_exact(&mut byte).map(|()| byte[0])
            };
            let mut reading = pin!(ours.async_io(Interest::READABLE, read));
            assert!(poll_once(reading.as_mut()).is_pending());
            peer.write_all(b"x").unwrap();
            assert_eq!(reading.await.unwrap(), b'x');
            // One answer of "would block", and the next call is not made.
            let empty = ours.try_io(Interest::READABLE, read);
            assert_eq!(kind(empty), ErrorKind::WouldBlock);
            let unready = ours.try_io(Interest::READABLE, never);
            assert_eq!(kind(unready), ErrorKind::WouldBlock);
            ours.writable().await.unwrap();
            ours.try_io(Interest::WRITABLE, || Ok(())).unwrap();
        })
    });
}

#[test]
fn readable_loses_no_event_when_it_is_dropped() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (ours, mut peer) = pair_with_std().await;
                // Dropped while it waits.
                assert!(poll_once(pin!(ours.readable())).is_pending());
                peer.write_all(b"x").unwrap();
                ours.readable().await.unwrap();
                // Dropped after the event: it stands until a read has answered "would block".
                assert!(poll_once(pin!(ours.readable())).is_ready());
                assert_eq!(ours.try_read(&mut [0; 8]).unwrap(), 1);
                assert_eq!(kind(ours.try_read(&mut [0; 8])), ErrorKind::WouldBlock);
                // Several may wait, and dropping one leaves the others.
                let mut first = Box::pin(ours.readable());
                let mut second = Box::pin(ours.readable());
                assert!(poll_once(first.as_mut()).is_pending());
                assert!(poll_once(second.as_mut()).is_pending());
                drop(first);
                peer.write_all(b"y").unwrap();
                second.await.unwrap();
            })
        })
    });
}

#[test]
fn peek_consumes_nothing() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, mut peer) = pair_with_std().await;
            peer.write_all(b"hello").unwrap();
            let mut buffer = [0; 5];
            let n = ours.peek(&mut buffer).await.unwrap();
            assert!(n > 0 && buffer[..n] == b"hello"[..n]);
            let mut space = executor::io::ReadBuf::new(&mut buffer);
            let n = std::future::poll_fn(|cx| ours.poll_peek(cx, &mut space)).await;
            assert_eq!(space.filled().len(), n.unwrap());
            let mut all = [0; 5];
            ours.read_exact(&mut all).await.unwrap();
            assert_eq!(&all, b"hello");
        })
    });
}

#[test]
fn a_writer_waits_for_its_reader() {
    const MOST: usize = 256 << 20;
    within(60, || {
        workers(1).block_on(async {
            let (mut ours, mut theirs) = pair().await;
            ours.writable().await.unwrap();
            let block = [7; 64 << 10];
            let mut written = 0;
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(n) = Pin::new(&mut ours).poll_write(&mut cx, &block) {
                written += n.unwrap();
                assert!(written < MOST, "nobody reads, and still there is room");
            }
            let writer = executor::spawn(async move {
                ours.write_all(&block).await.unwrap();
                ours.shutdown().await.unwrap();
            });
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            writer.await.unwrap();
            assert_eq!(all.len(), written + block.len());
        })
    });
}

#[test]
fn an_abandoned_read_loses_no_data() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, mut peer) = pair_with_std().await;
            for round in 0..100_u8 {
                assert!(poll_once(pin!(ours.read_u8())).is_pending());
                peer.write_all(&[round]).unwrap();
                assert_eq!(ours.read_u8().await.unwrap(), round);
            }
        })
    });
}

#[test]
fn an_accepted_socket_is_tried_before_it_is_announced() {
    within(30, || {
        // On this flavour no event can come between two polls of one task.
        current_thread().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(b"request").unwrap();
            let (mut accepted, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4];
            let read = poll_once(pin!(accepted.read(&mut buffer)));
            assert!(matches!(read, Poll::Ready(Ok(4))));
            let read = poll_once(pin!(accepted.read(&mut buffer)));
            assert!(matches!(read, Poll::Ready(Ok(3))));
            assert!(poll_once(pin!(accepted.read(&mut buffer))).is_pending());
            let written = poll_once(pin!(accepted.write(b"answer")));
            assert!(matches!(written, Poll::Ready(Ok(6))));

            client.write_all(b"more").unwrap();
            accepted.read_exact(&mut buffer).await.unwrap();
            assert_eq!(&buffer, b"more");
            drop(client);
            assert!(accepted.read(&mut buffer).await.unwrap_or(0) == 0);
        })
    });
}

#[test]
fn an_accepted_socket_counts_as_ready_until_an_operation_finds_nothing() {
    within(30, || {
        current_thread().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(b"request").unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            // Loopback takes its time, and an event would spoil the test: so the system is asked.
            let same = accepted.as_fd().try_clone_to_owned().unwrap();
            let same = net::TcpStream::from(same);
            while same.peek(&mut [0; 8]).is_err() {
                std::thread::yield_now();
            }

            let mut buffer = [0; 16];
            assert!(poll_once(pin!(accepted.readable())).is_ready());
            let peeked = poll_once(pin!(accepted.peek(&mut buffer)));
            assert!(matches!(peeked, Poll::Ready(Ok(7))), "{peeked:?}");
            assert_eq!(accepted.try_read(&mut buffer).unwrap(), 7);
            assert_eq!(accepted.try_write(b"answer").unwrap(), 6);
            let empty = accepted.try_read(&mut buffer).unwrap_err();
            assert_eq!(empty.kind(), ErrorKind::WouldBlock);
            assert!(poll_once(pin!(accepted.readable())).is_pending());

            client.write_all(b"more").unwrap();
            accepted.readable().await.unwrap();
            assert_eq!(accepted.try_read(&mut buffer).unwrap(), 4);
        })
    });
}

#[test]
fn a_short_read_says_that_nothing_is_left() {
    within(30, || {
        workers(1).block_on(async {
            let (mut ours, mut peer) = pair_with_std().await;
            for _ in 0..10 {
                peer.write_all(b"hello").unwrap();
                let mut buffer = [0; 5];
                ours.read_exact(&mut buffer).await.unwrap();
                assert!(
                    poll_once(pin!(ours.readable())).is_ready(),
                    "there may be more"
                );
                assert_eq!(kind(ours.try_read(&mut buffer)), ErrorKind::WouldBlock);

                peer.write_all(b"hello").unwrap();
                assert_eq!(ours.read(&mut [0; 16]).await.unwrap(), 5);
                assert!(poll_once(pin!(ours.readable())).is_pending());
            }
        })
    });
}
