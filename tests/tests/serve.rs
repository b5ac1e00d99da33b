//! `net::serve`: each connection is a task, nothing that happens to one concerns another, and the end is in order.

use std::collections::HashMap;
use std::future::pending;
use std::io::{Read, Write};
use std::net;
use std::os::unix::net as unix;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use executor::io::{self, AsyncReadExt, AsyncWriteExt};
use executor::net::{Server, TcpListener, TcpStream, UnixListener, serve};
use executor::runtime::Builder;
use executor::task::{FutureExt, shield, spawn_blocking, yield_now};
use executor::time::sleep;

use crate::support::{Directory, Drops, each_runtime, paused, within, workers};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

async fn echo(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    let _ = io::copy(&mut reader, &mut writer).await;
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap()
}

async fn ask(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, text.as_bytes());
}

/// True: the peer has closed the connection, in order or not.
async fn is_at_end(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]).await, Ok(0) | Err(_))
}

/// Until nobody listens there any more.
async fn refuses(address: net::SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        yield_now().await;
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now().await;
    }
}

#[test]
fn many_connections_are_served_at_once_and_counted() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let peers = Arc::new(Mutex::new(HashMap::new()));
                let seen = peers.clone();
                let server = serve(listen().await, move |stream, peer| {
                    seen.lock().unwrap().insert(peer, ());
                    echo(stream)
                });
                let mut clients = Vec::new();
                for n in 0..50 {
                    let mut client = connect(&server).await;
                    ask(&mut client, &format!("hello {n}")).await;
                    clients.push(client);
                }
                assert_eq!((server.connections(), server.is_serving()), (50, true));
                for client in &clients {
                    assert!(
                        peers
                            .lock()
                            .unwrap()
                            .contains_key(&client.local_addr().unwrap())
                    );
                }
                drop(clients);
                until(|| server.connections() == 0).await;
                let report = server.report();
                assert_eq!((report.accepted, report.finished, report.open), (50, 50, 0));
                assert_eq!((report.panicked, report.dropped), (0, 0));
            });
        });
    });
}

#[test]
fn a_handler_that_panics_ends_its_own_connection_and_is_told_of() {
    within(60, || {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = told.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .on_unobserved_failure(move |failure| {
                hears
                    .lock()
                    .unwrap()
                    .push(failure.message().map(str::to_owned));
            })
            .build()
            .unwrap();
        runtime.block_on(async {
            let count = AtomicUsize::new(0);
            let server = serve(listen().await, move |stream, _| {
                let number = count.fetch_add(1, SeqCst);
                // Once before there is a future, once in it.
                assert_ne!(number, 1, "the second");
                async move {
                    assert_ne!(number, 2, "the third");
                    echo(stream).await;
                }
            });
            let mut first = connect(&server).await;
            ask(&mut first, "a").await;
            for _ in 0..2 {
                assert!(is_at_end(&mut connect(&server).await).await);
            }
            ask(&mut first, "b").await;
            ask(&mut connect(&server).await, "c").await;
            until(|| server.report().panicked == 2).await;
        });
        let told = told.lock().unwrap();
        for text in ["the second", "the third"] {
            let has = |message: &Option<String>| message.as_ref().is_some_and(|m| m.contains(text));
            assert!(told.iter().any(has), "{told:?}");
        }
    });
}

#[test]
fn beyond_the_limit_a_connection_waits_until_another_ends() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = Server::builder()
                    .max_connections(2)
                    .serve(listen().await, |stream, _| echo(stream));
                let (mut first, mut second) = (connect(&server).await, connect(&server).await);
                ask(&mut first, "1").await;
                ask(&mut second, "2").await;
                let mut third = connect(&server).await;
                third.write_all(b"3").await.unwrap();
                // The others go on meanwhile.
                for _ in 0..100 {
                    ask(&mut first, "again").await;
                }
                assert_eq!((server.connections(), server.report().accepted), (2, 2));
                drop(second);
                let mut answer = [0];
                third.read_exact(&mut answer).await.unwrap();
                assert_eq!((answer, server.report().accepted), (*b"3", 3));
                // And closed while it waits for room.
                let waiting = connect(&server).await;
                assert!(server.close());
                drop((first, third));
                server.wait_closed().await;
                drop(waiting);
            });
        });
    });
}

#[test]
#[should_panic(expected = "give max_connections at least 1")]
fn a_server_without_room_is_refused() {
    let _ = Server::builder().max_connections(0);
}

#[test]
fn a_closed_server_accepts_nobody_and_its_connections_go_on() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = serve(listen().await, |stream, _| echo(stream));
                let address = server.local_addr().unwrap();
                let mut client = connect(&server).await;
                ask(&mut client, "before").await;
                assert!(server.close());
                assert!(!server.close());
                assert!(!server.is_serving());
                refuses(address).await;
                ask(&mut client, "after").await;
                // A handle that is dropped does as much.
                drop(server);
                ask(&mut client, "without a handle").await;
            });
        });
    });
}

#[test]
fn a_dropped_server_is_closed() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = serve(listen().await, |stream, _| echo(stream));
                let address = server.local_addr().unwrap();
                drop(server);
                refuses(address).await;
            });
        });
    });
}

#[test]
fn clients_that_are_closed_get_what_their_handlers_say_last() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = serve(listen().await, |mut stream: TcpStream, _| async move {
                    let request = stream.read_u8().or_cancelled().await.unwrap_err();
                    stream.write_all(request.reason().as_bytes()).await.unwrap();
                });
                let mut client = connect(&server).await;
                until(|| server.connections() == 1).await;
                server.close_clients();
                let mut said = String::new();
                client.read_to_string(&mut said).await.unwrap();
                assert_eq!(said, "the server closes its connections");
                // It serves on.
                let mut next = connect(&server).await;
                until(|| server.report().accepted == 2).await;
                server.abort_clients();
                assert!(is_at_end(&mut next).await);
                server.close();
                server.wait_closed().await;
                let report = server.report();
                assert_eq!((report.finished, report.dropped), (1, 1));
            });
        });
    });
}

#[test]
fn a_shutdown_lets_finish_then_asks_then_aborts() {
    within(60, || {
        let drops = Drops::default();
        let runtime = paused();
        runtime.block_on(async {
            let (number, counted) = (AtomicUsize::new(0), drops.clone());
            let server = serve(listen().await, move |stream: TcpStream, _| {
                let number = number.fetch_add(1, SeqCst);
                let counted = counted.value();
                async move {
                    let _both = (stream, counted);
                    match number {
                        0 => sleep(Duration::from_secs(1)).await,
                        1 => drop(sleep(LONG).or_cancelled().await),
                        2 => drop(shield(LONG, sleep(LONG)).await),
                        _ => sleep(LONG).await,
                    }
                }
            });
            let mut clients = Vec::new();
            for n in 0..4 {
                clients.push(net::TcpStream::connect(server.local_addr().unwrap()).unwrap());
                until(|| server.report().accepted == n + 1).await;
            }
            let report = server.shutdown(Duration::from_secs(10)).await;
            // The first in time, the second when it is asked; the third and the fourth do not listen.
            assert_eq!(
                (report.accepted, report.finished, report.dropped),
                (4, 2, 2)
            );
            assert_eq!((report.open, drops.count()), (0, 4));
            assert_eq!(
                report.to_string(),
                "4 connections: 2 finished, 0 panicked, 2 dropped, 0 open; 0 errors of accept"
            );
        });
    });
}

#[test]
fn a_shutdown_reaches_connections_that_come_at_that_moment() {
    within(60, || {
        let runtime = workers(2);
        runtime.block_on(async {
            for _ in 0..300 {
                let server = serve(listen().await, |stream: TcpStream, _| async move {
                    let _stream = stream;
                    pending::<()>().await;
                });
                let address = server.local_addr().unwrap();
                let clients = executor::spawn(async move {
                    let mut clients = Vec::new();
                    while let Ok(client) = TcpStream::connect(address).await {
                        clients.push(client);
                    }
                });
                until(|| server.report().accepted > 0).await;
                let report = server.shutdown(Duration::ZERO).await;
                assert_eq!((report.open, report.dropped), (0, report.accepted));
                clients.await.unwrap();
            }
        });
    });
}

#[test]
fn a_shutdown_reports_a_handler_that_never_waits() {
    within(60, || {
        let runtime = workers(2);
        let (begin, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, may_end) = (begin.clone(), go_on.clone());
        runtime.block_on(async move {
            let server = serve(listen().await, move |_stream: TcpStream, _| {
                let (begin, go_on) = (begin.clone(), go_on.clone());
                async move {
                    begin.store(1, SeqCst);
                    while go_on.load(SeqCst) == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            let _client = connect(&server).await;
            until(|| begun.load(SeqCst) == 1).await;
            assert_eq!(server.shutdown(Duration::from_millis(10)).await.open, 1);
            may_end.store(1, SeqCst);
        });
    });
}

#[test]
fn any_number_of_tasks_wait_for_the_end() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = Arc::new(serve(listen().await, |stream, _| echo(stream)));
                let waiting: Vec<_> = (0..10)
                    .map(|_| {
                        let server = server.clone();
                        executor::spawn(async move { server.wait_closed().await })
                    })
                    .collect();
                let client = connect(&server).await;
                until(|| server.connections() == 1).await;
                server.close();
                drop(client);
                for task in waiting {
                    task.await.unwrap();
                }
            });
        });
    });
}

#[test]
fn serve_forever_closes_the_server_when_it_is_given_up() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let server = serve(listen().await, |stream, _| echo(stream));
                let address = server.local_addr().unwrap();
                let serving = executor::spawn(server.serve_forever());
                let mut client = TcpStream::connect(address).await.unwrap();
                ask(&mut client, "hello").await;
                serving.abort();
                refuses(address).await;
                ask(&mut client, "still").await;
            });
        });
    });
}

#[test]
fn a_server_on_a_unix_socket() {
    within(60, || {
        let directory = Directory::new();
        let path = directory.file("s");
        workers(2).block_on(async {
            let server = serve(
                UnixListener::bind(&path).unwrap(),
                |mut stream, _| async move {
                    let (mut reader, mut writer) = stream.split();
                    let _ = io::copy(&mut reader, &mut writer).await;
                },
            );
            assert_eq!(server.local_addr().unwrap().as_pathname(), Some(&*path));
            let said = spawn_blocking(move || {
                let mut client = unix::UnixStream::connect(path).unwrap();
                client.write_all(b"hello").unwrap();
                client.shutdown(net::Shutdown::Write).unwrap();
                let mut said = String::new();
                client.read_to_string(&mut said).unwrap();
                said
            });
            assert_eq!(said.await.unwrap(), "hello");
            assert_eq!(server.shutdown(LONG).await.finished, 1);
        });
    });
}

#[test]
fn a_server_ends_with_its_runtime_or_with_that_of_its_listener() {
    within(60, || {
        let (own, other) = (workers(1), workers(1));
        let foreign = own.block_on(async { serve(listen().await, |stream, _| echo(stream)) });
        let listener = other.block_on(listen());
        let borrowed = own.block_on(async { serve(listener, |stream, _| echo(stream)) });
        drop(other);
        own.block_on(borrowed.wait_closed());
        assert!(!borrowed.is_serving());
        assert!(foreign.is_serving());
        let client = net::TcpStream::connect(foreign.local_addr().unwrap()).unwrap();
        own.block_on(until(|| foreign.connections() == 1));
        drop(own);
        assert!(!foreign.is_serving());
        assert_eq!((foreign.report().dropped, foreign.connections()), (1, 0));
        drop(client);
    });
}
