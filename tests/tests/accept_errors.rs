//! A server whose process has no descriptor left: it hears of it at once, does not burn its processor, and goes on when there is one.
//!
//! Each test runs in a process that may have 64 descriptors.

use std::future::{Future, poll_fn};
use std::io;
use std::net;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net as unix;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use executor::io::AsyncReadExt;
use executor::net::{Server, TcpListener, TcpStream, UnixListener};
use executor::runtime::Runtime;
use executor::time::{Instant, sleep, timeout};

use crate::support::{
    Directory, block_on, child, current_thread, kind, poll_once, within, workers,
};

/// As long as a listener waits after such an error.
const PAUSE: Duration = Duration::from_millis(50);

/// How many descriptors the process may have.
const LIMIT: libc::rlim_t = 64;

/// How many connections come at once.
const FLOOD: usize = 200;

/// Runs a server that takes every connection and lets none go, and no notice of errors.
fn survives_a_flood<S, F>(
    runtime: &Runtime,
    connect: impl Fn() -> OwnedFd,
    mut accept: impl FnMut() -> F + Send + 'static,
) where
    S: Send + 'static,
    F: Future<Output = io::Result<S>> + Send,
{
    let clients = Clients::of(&connect);
    let limit = Limit::set();
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let errors = Arc::new(AtomicUsize::new(0));
    let server = {
        let (accepted, errors) = (accepted.clone(), errors.clone());
        async move {
            loop {
                match accept().await {
                    Ok(stream) => accepted.lock().unwrap().push(stream),
                    Err(error) => {
                        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                        errors.fetch_add(1, SeqCst);
                    }
                }
            }
        }
    };
    runtime.block_on(async {
        let server = executor::spawn(server);
        wait_for(|| errors.load(SeqCst) > 0).await;
        let (start, cpu) = (Instant::now(), cpu_time());
        wait_for(|| errors.load(SeqCst) > 10).await;
        // A loop that spins has its ten errors within a millisecond.
        assert!(start.elapsed() > 8 * PAUSE, "{:?}", start.elapsed());
        let share = (cpu_time() - cpu).as_secs_f64() / start.elapsed().as_secs_f64();
        println!(
            "errors: {:.0} ms each, {:.1} % of a processor",
            start.elapsed().as_secs_f64() * 100.0,
            share * 100.0
        );

        // No event tells that there are descriptors again.
        for _ in 0..3 {
            let before = accepted.lock().unwrap().len();
            let closed = before / 2;
            let start = Instant::now();
            accepted.lock().unwrap().truncate(before - closed);
            wait_for(|| accepted.lock().unwrap().len() >= before).await;
            println!(
                "{closed} closed, as many accepted after {:?}",
                start.elapsed()
            );
        }
        server.abort();
        let _ = server.await;
    });
    drop((clients, limit));
}

/// Runs a test in a process of its own, on each flavour.
fn each_in_a_child(test: &str, body: impl Fn(Runtime)) {
    child(test, || {
        // Descriptors of what was started before the limit was set stay what they are.
        for runtime in [workers(2), current_thread()] {
            body(runtime);
        }
    });
}

#[test]
fn a_tcp_server_that_ignores_errors_survives_a_flood_without_spinning() {
    each_in_a_child(
        "accept_errors::a_tcp_server_that_ignores_errors_survives_a_flood_without_spinning",
        |runtime| {
            let (listener, address) = tcp(&runtime);
            let accept = move || {
                let listener = listener.clone();
                async move { listener.accept().await }
            };
            survives_a_flood(&runtime, || client(address), accept);
        },
    );
}

#[test]
fn so_does_one_that_polls() {
    each_in_a_child("accept_errors::so_does_one_that_polls", |runtime| {
        let (listener, address) = tcp(&runtime);
        let accept = move || {
            let listener = listener.clone();
            poll_fn(move |cx| listener.poll_accept(cx))
        };
        survives_a_flood(&runtime, || client(address), accept);
    });
}

#[test]
fn so_does_a_listener_that_is_served() {
    each_in_a_child(
        "accept_errors::so_does_a_listener_that_is_served",
        |runtime| {
            let (listener, address) = tcp(&runtime);
            let listener = Arc::into_inner(listener).unwrap();
            let clients = Clients::of(&|| client(address));
            let limit = Limit::set();
            let errors = Arc::new(AtomicUsize::new(0));
            let heard = errors.clone();
            runtime.block_on(async {
                let server = Server::builder()
                    .on_accept_error(move |error| {
                        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                        heard.fetch_add(1, SeqCst);
                    })
                    // Until the client goes.
                    .serve(listener, |mut stream: TcpStream, _| async move {
                        let _ = stream.read(&mut [0]).await;
                    });
                wait_for(|| errors.load(SeqCst) > 0).await;
                let start = Instant::now();
                wait_for(|| errors.load(SeqCst) > 10).await;
                assert!(start.elapsed() > 8 * PAUSE, "{:?}", start.elapsed());
                let before = server.report();
                assert!(before.accepted < FLOOD as u64 && server.is_serving());
                // Those that were accepted make room, and the rest have their turn.
                drop(clients);
                wait_for(|| server.report().finished == FLOOD as u64).await;
                let report = server.shutdown(Duration::from_secs(10)).await;
                assert!(report.accept_errors > 10);
                assert_eq!((report.accepted, report.open), (FLOOD as u64, 0));
            });
            drop(limit);
        },
    );
}

#[test]
fn so_does_a_server_on_a_unix_socket() {
    each_in_a_child(
        "accept_errors::so_does_a_server_on_a_unix_socket",
        |runtime| {
            let directory = Directory::new();
            let path = directory.file("s");
            let listener = runtime.block_on(async { UnixListener::bind(&path).unwrap() });
            let listener = Arc::new(listener);
            let accept = move || {
                let listener = listener.clone();
                async move { listener.accept().await }
            };
            let connect = || unix::UnixStream::connect(&path).unwrap().into();
            survives_a_flood(&runtime, connect, accept);
        },
    );
}

#[test]
fn the_pause_is_exact_and_outlasts_a_call_that_was_given_up() {
    child(
        "accept_errors::the_pause_is_exact_and_outlasts_a_call_that_was_given_up",
        || {
            let runtime = executor::runtime::Builder::new_current_thread()
                .start_paused(true)
                .build()
                .unwrap();
            let (listener, address) = tcp(&runtime);
            let clients = Clients::of(&|| client(address));
            let limit = Limit::none_left();
            runtime.block_on(async {
                let accept = || async { kind_of_number(listener.accept().await) };
                let start = Instant::now();
                assert_eq!(accept().await, Some(libc::EMFILE));
                assert_eq!(
                    start.elapsed(),
                    Duration::ZERO,
                    "the first is not held back"
                );

                assert_eq!(accept().await, Some(libc::EMFILE));
                assert_eq!(start.elapsed(), PAUSE);

                let given_up = timeout(PAUSE / 5, accept()).await;
                assert!(given_up.is_err());
                let polled = poll_fn(|cx| listener.poll_accept(cx));
                assert!(timeout(PAUSE / 5, polled).await.is_err());
                assert_eq!(accept().await, Some(libc::EMFILE));
                assert_eq!(start.elapsed(), 2 * PAUSE, "they have not begun anew");

                sleep(PAUSE).await;
                let start = Instant::now();
                assert_eq!(accept().await, Some(libc::EMFILE));
                assert_eq!(
                    start.elapsed(),
                    Duration::ZERO,
                    "who has waited waits no more"
                );

                drop(limit);
                let start = Instant::now();
                assert_eq!(accept().await, None);
                assert_eq!(start.elapsed(), PAUSE);
                assert_eq!(accept().await, None);
                assert_eq!(start.elapsed(), PAUSE, "a connection ends it");
            });
            drop(clients);
        },
    );
}

#[test]
fn every_task_that_accepts_waits() {
    child("accept_errors::every_task_that_accepts_waits", || {
        let runtime = workers(2);
        let (listener, address) = tcp(&runtime);
        let clients = Clients::of(&|| client(address));
        let limit = Limit::none_left();
        let errors = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..8 {
                let (listener, errors) = (listener.clone(), errors.clone());
                executor::spawn(async move {
                    loop {
                        assert!(listener.accept().await.is_err());
                        errors.fetch_add(1, SeqCst);
                    }
                });
            }
            wait_for(|| errors.load(SeqCst) >= 80).await;
            // Each had ten at least, or others had more.
            assert!(start.elapsed() > 8 * PAUSE, "{:?}", start.elapsed());
        });
        drop((runtime, clients, limit));
    });
}

#[test]
fn a_listener_that_pauses_outlives_its_runtime_with_errors() {
    child(
        "accept_errors::a_listener_that_pauses_outlives_its_runtime_with_errors",
        || {
            for polls in [false, true] {
                let runtime = workers(1);
                let (listener, address) = tcp(&runtime);
                let clients = Clients::of(&|| client(address));
                let limit = Limit::none_left();
                // Outside of any runtime: the pause is the listener's runtime's.
                assert!(block_on(listener.accept()).is_err());
                assert!(block_on(listener.accept()).is_err());
                let waiting = {
                    let listener = listener.clone();
                    thread::spawn(move || {
                        if polls {
                            block_on(poll_fn(|cx| listener.poll_accept(cx))).map(drop)
                        } else {
                            block_on(listener.accept()).map(drop)
                        }
                    })
                };
                drop(runtime);
                // Whether it was in its pause, before or behind it.
                assert!(waiting.join().unwrap().is_err());
                for _ in 0..3 {
                    assert!(block_on(listener.accept()).is_err());
                    let polled = poll_fn(|cx| listener.poll_accept(cx));
                    assert!(poll_once(pin!(polled)).is_ready());
                }
                drop((clients, limit));
            }
        },
    );
}

#[test]
fn a_listener_that_is_none_any_more_does_not_spin() {
    within(30, || {
        workers(1).block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            // SAFETY: the descriptor is the listener's, which is open.
            let result = unsafe { libc::shutdown(listener.as_raw_fd(), libc::SHUT_RD) };
            assert_eq!(result, 0);
            let start = Instant::now();
            for _ in 0..5 {
                assert_eq!(kind(listener.accept().await), io::ErrorKind::InvalidInput);
            }
            assert!(start.elapsed() >= 4 * PAUSE, "{:?}", start.elapsed());
        });
    });
}

fn tcp(runtime: &Runtime) -> (Arc<TcpListener>, net::SocketAddr) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    (Arc::new(listener), address)
}

fn client(address: net::SocketAddr) -> OwnedFd {
    net::TcpStream::connect(address).unwrap().into()
}

fn kind_of_number<T>(result: io::Result<T>) -> Option<i32> {
    result.err().map(|error| error.raw_os_error().unwrap())
}

async fn wait_for(condition: impl Fn() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Connections that wait to be accepted, with descriptors beyond the limit.
struct Clients(#[expect(dead_code, reason = "held")] Vec<OwnedFd>);

impl Clients {
    fn of(connect: &dyn Fn() -> OwnedFd) -> Self {
        let beyond = |client: OwnedFd| {
            // SAFETY: the descriptor is open; the call takes no pointer.
            let fd =
                unsafe { libc::fcntl(client.as_raw_fd(), libc::F_DUPFD_CLOEXEC, LIMIT as i32) };
            assert!(fd > 0, "{}", io::Error::last_os_error());
            // SAFETY: it was just made, and belongs to nobody else.
            unsafe { OwnedFd::from_raw_fd(fd) }
        };
        Self((0..FLOOD).map(|_| beyond(connect())).collect())
    }
}

/// Holds the limit of descriptors down.
struct Limit(libc::rlimit);

impl Limit {
    fn set() -> Self {
        Self::at(LIMIT)
    }

    /// The next descriptor would exceed it.
    fn none_left() -> Self {
        // SAFETY: the descriptor belongs to nobody else: it is made and closed here.
        let next = unsafe {
            let next = libc::dup(0);
            assert!(next > 0);
            libc::close(next);
            next
        };
        Self::at(next as libc::rlim_t)
    }

    fn at(most: libc::rlim_t) -> Self {
        let mut old = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut old), 0);
            let new = libc::rlimit {
                rlim_cur: most,
                ..old
            };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &new), 0);
        }
        Self(old)
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        // SAFETY: the pointer is good.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &self.0) };
    }
}

/// What all threads of the process have used.
fn cpu_time() -> Duration {
    // SAFETY: all zeros are a value of this type, and the pointer is good.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}
