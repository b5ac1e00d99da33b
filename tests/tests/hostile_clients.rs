//! Clients that come in floods, never read, or send their requests a byte at a time: a server bears them, and the others do not notice.
//!
//! Those that need many descriptors run in a process of their own.

use std::fs;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use executor::io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use executor::net::{Server, TcpListener, TcpSocket, TcpStream, serve};
use executor::runtime::Runtime;
use executor::task::{JoinHandle, yield_now};
use executor::time::{sleep, timeout};

use crate::support::{child, current_thread, more_descriptors, within, workers};

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Sends a line, and expects it back.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"hello\n").await.unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello\n");
}

/// A client that asks again and again until `over`, and says how often it was answered.
fn asks_until(over: &Arc<AtomicBool>, mut stream: TcpStream) -> JoinHandle<usize> {
    let over = over.clone();
    executor::spawn(async move {
        let mut answers = 0;
        while !over.load(SeqCst) {
            ask(&mut stream).await;
            answers += 1;
        }
        answers
    })
}

/// So many connections, whose both ends are in this process, or as many as there may be.
fn connections(wanted: usize) -> usize {
    wanted.min((more_descriptors() - 100) / 2)
}

/// Serves in one runtime, and runs the clients in another.
fn against<F: Future<Output = ()>>(
    runtime: &Runtime,
    server: impl Future<Output = Server>,
    clients: impl FnOnce(SocketAddr) -> F + Send,
) {
    thread::scope(|scope| {
        runtime.block_on(async {
            let server = server.await;
            let address = server.local_addr().unwrap();
            let clients = scope.spawn(move || workers(1).block_on(clients(address)));
            until(|| clients.is_finished()).await;
            clients.join().unwrap();
        });
    });
}

#[test]
fn a_flood_of_connections_is_served_and_keeps_no_other_waiting() {
    const NAME: &str =
        "hostile_clients::a_flood_of_connections_is_served_and_keeps_no_other_waiting";
    child(NAME, || {
        let flood = connections(2000);
        for runtime in [workers(2), current_thread()] {
            for most in [flood + 8, 64] {
                flooded(&runtime, flood, most);
            }
        }
    });
}

/// So many come at once, of whom at most `most` are to be served at a time, beside eight that are there already.
fn flooded(runtime: &Runtime, flood: usize, most: usize) {
    let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = peak.clone();
    let server = async {
        let builder = Server::builder().max_connections(most);
        builder.serve(listen().await, move |mut stream: TcpStream, _| {
            let (now, peak) = (now.clone(), peak.clone());
            async move {
                peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                let (mut reader, mut writer) = stream.split();
                // Who breaks off is gone as well.
                let _ = io::copy(&mut reader, &mut writer).await;
                now.fetch_sub(1, SeqCst);
            }
        })
    };
    against(runtime, server, |address| async move {
        let over = Arc::new(AtomicBool::new(false));
        // Not in line with those that come.
        let elsewhere = workers(1);
        let mut others = Vec::new();
        for _ in 0..8 {
            let over = over.clone();
            let connected = elsewhere.spawn(async move {
                let mut stream = connect(address).await;
                ask(&mut stream).await;
                // In a tuple, because it is a task to be awaited later.
                (asks_until(&over, stream),)
            });
            others.push(connected.await.unwrap().0);
        }
        let flood: Vec<_> = (0..flood)
            .map(|_| {
                executor::spawn(async move {
                    let mut stream = connect(address).await;
                    ask(&mut stream).await;
                })
            })
            .collect();
        for client in flood {
            client.await.unwrap();
        }
        over.store(true, SeqCst);
        for other in others {
            let answers = other.await.unwrap();
            assert!(answers >= 3, "{answers}");
        }
        elsewhere.shutdown_background();
    });
    assert!(highest.load(SeqCst) <= most, "{highest:?} of {most}");
}

#[test]
fn a_server_that_accepts_a_flood_lets_other_tasks_run_between() {
    const FLOOD: u64 = 1000;
    for runtime in [workers(1), current_thread()] {
        within(30, || {
            runtime.block_on(async {
                let listener = listen().await;
                let address = listener.local_addr().unwrap();
                // They wait in the backlog.
                let clients: Vec<_> = (0..FLOOD)
                    .map(|_| std::net::TcpStream::connect(address).unwrap())
                    .collect();
                let server = serve(listener, |stream: TcpStream, _| async move {
                    let _until_it_is_dropped = stream.readable().await;
                });
                let watching = executor::spawn(async move {
                    let mut seen = std::collections::BTreeSet::new();
                    while server.report().accepted < FLOOD {
                        seen.insert(server.report().accepted);
                        yield_now().await;
                    }
                    seen.len()
                });
                let turns = watching.await.unwrap();
                assert!(
                    turns > 3,
                    "one other task ran {turns} times beside {FLOOD} connections"
                );
                drop(clients);
            });
        });
    }
}

#[test]
fn clients_that_never_read_take_no_memory_and_end_by_the_handlers_timeout() {
    const NAME: &str =
        "hostile_clients::clients_that_never_read_take_no_memory_and_end_by_the_handlers_timeout";
    /// What each is sent: much more than the system takes in for it.
    const ANSWER: usize = 4 << 20;
    child(NAME, || {
        let clients = connections(1000);
        workers(2).block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            // Accepted connections have the same.
            socket.set_send_buffer_size(16 << 10).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let listener = socket.listen(1024).unwrap();
            let address = listener.local_addr().unwrap();
            let timed_out = Arc::new(AtomicUsize::new(0));
            let counted = timed_out.clone();
            let answer: Arc<[u8]> = vec![7; ANSWER].into();
            let server = serve(listener, move |mut stream: TcpStream, _| {
                let (answer, timed_out) = (answer.clone(), counted.clone());
                async move {
                    match stream.read_u8().await {
                        Ok(b's') => {
                            let write = stream.write_all(&answer);
                            if timeout(Duration::from_millis(500), write).await.is_err() {
                                timed_out.fetch_add(1, SeqCst);
                            }
                        }
                        Ok(b'r') => stream.write_all(&answer).await.unwrap(),
                        _ => {
                            let (mut reader, mut writer) = stream.split();
                            let _ = io::copy(&mut reader, &mut writer).await;
                        }
                    }
                }
            });
            let mut good = connect(address).await;
            good.write_all(b"e").await.unwrap();
            ask(&mut good).await;
            let before = resident("VmRSS");
            let over = Arc::new(AtomicBool::new(false));
            let good = asks_until(&over, good);
            let mut slow = Vec::new();
            for _ in 0..clients {
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_recv_buffer_size(4 << 10).unwrap();
                let mut stream = socket.connect(address).await.unwrap();
                stream.write_all(b"s").await.unwrap();
                slow.push(stream);
            }
            until(|| timed_out.load(SeqCst) == clients).await;
            let grown = resident("VmHWM").saturating_sub(before);
            println!("{clients} clients that never read: the process grew by {grown} KiB at most");
            // The answers together are 4 GB.
            assert!(grown < 32 << 10, "{grown} KiB");

            // What each has got ends early.
            for mut stream in slow {
                let mut got = 0;
                let mut buffer = [0; 16 << 10];
                while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                    got += n;
                }
                assert!(got < ANSWER);
            }
            let mut reads = connect(address).await;
            reads.write_all(b"r").await.unwrap();
            let mut all = Vec::new();
            reads.read_to_end(&mut all).await.unwrap();
            assert_eq!(all.len(), ANSWER);
            over.store(true, SeqCst);
            assert!(good.await.unwrap() >= 10);
            assert_eq!(server.report().panicked, 0);
        });
    });
}

/// A line of `/proc/self/status`, in KiB.
fn resident(which: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn clients_that_send_their_heads_byte_by_byte_end_by_the_handlers_timeout() {
    const NAME: &str =
        "hostile_clients::clients_that_send_their_heads_byte_by_byte_end_by_the_handlers_timeout";
    child(NAME, || {
        let slow = connections(500);
        for runtime in [workers(2), current_thread()] {
            let server = async {
                serve(listen().await, |mut stream: TcpStream, _| async move {
                    let (reader, mut writer) = stream.split();
                    let mut reader = BufReader::new(reader);
                    let mut head = String::new();
                    // For all of it: each byte would begin a timeout of a single read anew.
                    let read = timeout(Duration::from_secs(2), reader.read_line(&mut head));
                    if !matches!(read.await, Ok(Ok(1..))) {
                        return;
                    }
                    if writer.write_all(head.as_bytes()).await.is_ok() {
                        // The heads are over.
                        let _ = io::copy(&mut reader, &mut writer).await;
                    }
                })
            };
            against(&runtime, server, |address| async move {
                let over = Arc::new(AtomicBool::new(false));
                let mut good = connect(address).await;
                ask(&mut good).await;
                let good = asks_until(&over, good);
                let slow: Vec<_> = (0..slow)
                    .map(|_| {
                        executor::spawn(async move {
                            let mut stream = connect(address).await;
                            let (mut reader, mut writer) = stream.split();
                            let drips = async {
                                while writer.write_all(b"x").await.is_ok() {
                                    sleep(Duration::from_millis(100)).await;
                                }
                            };
                            let mut answer = [0];
                            executor::select! {
                                () = drips => {}
                                end = reader.read(&mut answer) => assert!(matches!(end, Ok(0) | Err(_))),
                            }
                        })
                    })
                    .collect();
                for client in slow {
                    client.await.unwrap();
                }
                over.store(true, SeqCst);
                assert!(good.await.unwrap() >= 10);
            });
        }
    });
}
