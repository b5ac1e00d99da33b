//! What the operating system does to a runtime: refused calls, interrupted calls, a fork, a stop, no more memory, a sudden end.

use std::future::{Future, pending};
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpStream, UnixStream};
use executor::runtime::Builder;
use executor::task::yield_now;
use executor::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::support::{
    assert_usable, child, child_under, current_thread, failing, fds, is_child, pair, spawn_child,
    until, within, workers,
};

/// A server that answers each connection with what it gets, whatever `accept` says. Counts what it says.
async fn stubborn_echo(listener: TcpListener, errors: Arc<Mutex<Vec<ErrorKind>>>) {
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => {
                executor::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    executor::io::copy(&mut reader, &mut writer).await
                });
            }
            Err(error) => errors.lock().unwrap().push(error.kind()),
        }
    }
}

async fn echoed(mut stream: TcpStream, byte: u8) {
    stream.write_all(&[byte; 100]).await.unwrap();
    let mut answer = [0; 100];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [byte; 100]);
}

/// Serves 50 connections, and returns what `accept` said meanwhile.
fn errors_of_accept() -> Vec<ErrorKind> {
    let errors = Arc::default();
    workers(2).block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        executor::spawn(stubborn_echo(listener, Arc::clone(&errors)));
        for byte in 0..50 {
            echoed(TcpStream::connect(address).await.unwrap(), byte).await;
        }
    });
    errors.lock().unwrap().clone()
}

#[test]
#[ignore = "needs strace"]
fn accept_reports_a_connection_that_was_aborted_and_goes_on() {
    child_under(
        failing!("accept4", "ECONNABORTED", "1+2"),
        "system_faults::accept_reports_a_connection_that_was_aborted_and_goes_on",
        || {
            let errors = errors_of_accept();
            assert!(errors.len() > 20, "{errors:?}");
            assert!(
                errors
                    .iter()
                    .all(|kind| *kind == ErrorKind::ConnectionAborted)
            );
        },
    );
}

#[test]
#[ignore = "needs strace"]
fn accept_reports_that_memory_for_buffers_is_short_and_goes_on() {
    child_under(
        failing!("accept4", "ENOBUFS", "2+3"),
        "system_faults::accept_reports_that_memory_for_buffers_is_short_and_goes_on",
        || assert!(errors_of_accept().len() > 10),
    );
}

#[test]
#[ignore = "needs strace"]
fn accept_reports_that_no_descriptor_is_left_and_goes_on() {
    child_under(
        failing!("accept4", "EMFILE", "1+2"),
        "system_faults::accept_reports_that_no_descriptor_is_left_and_goes_on",
        || {
            let errors = errors_of_accept();
            assert!(errors.len() > 20, "{errors:?}");
        },
    );
}

#[test]
#[ignore = "needs strace"]
fn nobody_sees_that_accept_was_interrupted() {
    child_under(
        failing!("accept4", "EINTR", "1+2"),
        "system_faults::nobody_sees_that_accept_was_interrupted",
        || assert_eq!(errors_of_accept(), []),
    );
}

#[test]
#[ignore = "needs strace"]
fn nobody_sees_that_the_wait_for_events_was_interrupted() {
    child_under(
        failing!("epoll_wait", "EINTR", "1+2"),
        "system_faults::nobody_sees_that_the_wait_for_events_was_interrupted",
        || {
            assert_eq!(errors_of_accept(), []);
            assert_usable(&workers(2));
            assert_usable(&current_thread());
        },
    );
}

/// Makes connections whose descriptors the system now and then refuses to watch, with errors of this kind.
fn connections_that_are_refused_now_and_then(kind: ErrorKind) {
    let runtime = current_thread();
    let before = fds();
    let refused = runtime.block_on(async {
        let mut refused = 0;
        for byte in 0..100 {
            let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else {
                refused += 1;
                continue;
            };
            let address = listener.local_addr().unwrap();
            match executor::join!(TcpStream::connect(address), listener.accept()) {
                (Ok(client), Ok((server, _))) => {
                    executor::join!(echoed(client, byte), async move {
                        let mut server = server;
                        let (mut reader, mut writer) = server.split();
                        executor::io::copy(&mut reader, &mut writer).await.unwrap();
                    });
                }
                (Err(error), _) | (_, Err(error)) => {
                    assert_eq!(error.kind(), kind);
                    refused += 1;
                }
            }
        }
        refused
    });
    assert!((10..90).contains(&refused), "{refused}");
    assert_eq!(fds(), before);
}

#[test]
#[ignore = "needs strace"]
fn a_socket_that_the_system_will_not_watch_is_an_error_and_leaves_nothing_behind() {
    child_under(
        failing!("epoll_ctl", "ENOSPC", "10+17"),
        "system_faults::a_socket_that_the_system_will_not_watch_is_an_error_and_leaves_nothing_behind",
        || connections_that_are_refused_now_and_then(ErrorKind::StorageFull),
    );
}

#[test]
#[ignore = "needs strace"]
fn a_socket_that_the_system_has_no_memory_to_watch_is_an_error_and_leaves_nothing_behind() {
    child_under(
        failing!("epoll_ctl", "ENOMEM", "10+17"),
        "system_faults::a_socket_that_the_system_has_no_memory_to_watch_is_an_error_and_leaves_nothing_behind",
        || connections_that_are_refused_now_and_then(ErrorKind::OutOfMemory),
    );
}

#[test]
#[ignore = "needs unshare, and the right to use it"]
fn timers_work_on_a_clock_that_has_run_for_thirty_years() {
    child_under(
        &["unshare", "--time", "--monotonic", "1000000000", "--fork"],
        "system_faults::timers_work_on_a_clock_that_has_run_for_thirty_years",
        || {
            workers(2).block_on(async {
                let start = Instant::now();
                sleep(Duration::from_millis(20)).await;
                assert!(start.elapsed() >= Duration::from_millis(20));
                let mut ticks = interval(Duration::from_millis(1));
                for _ in 0..5 {
                    ticks.tick().await;
                }
                executor::time::timeout(Duration::from_millis(5), pending::<()>())
                    .await
                    .unwrap_err();
            });
        },
    );
}

#[test]
fn a_forked_child_leaves_its_parents_connections_alone_and_makes_a_runtime_of_its_own() {
    child(
        "system_faults::a_forked_child_leaves_its_parents_connections_alone_and_makes_a_runtime_of_its_own",
        || {
            let runtime = workers(2);
            let (mut client, server) = runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let (client, server) =
                    executor::join!(TcpStream::connect(address), listener.accept());
                (client.unwrap(), server.unwrap().0)
            });
            let mut server = Some(server);
            // Of these it drops the writing halves, each of which ends its direction where it was made.
            let (mut tcp_client, tcp_server) = runtime.block_on(pair());
            let (mut unix_client, unix_server) =
                runtime.block_on(async { UnixStream::pair() }).unwrap();
            let (_tcp_reader, tcp_writer) = tcp_server.into_split();
            let (_unix_reader, unix_writer) = unix_server.into_split();
            let mut writers = Some((tcp_writer, unix_writer));
            // SAFETY: the child uses no lock that another thread of the parent may hold: it makes a runtime of its own, and
            // drops sockets, which the reactor allows after a fork. It leaves by `_exit`.
            let process = unsafe { libc::fork() };
            assert!(process >= 0);
            if process == 0 {
                // SAFETY: the call takes a number. It ends a child that hangs.
                unsafe { libc::alarm(20) };
                drop(server.take());
                drop(writers.take());
                let sum = Builder::new_current_thread()
                    .build()
                    .unwrap()
                    .block_on(async {
                        sleep(Duration::from_millis(1)).await;
                        executor::spawn(async { 1 }).await.unwrap()
                    });
                // SAFETY: ends the process.
                unsafe { libc::_exit(i32::from(sum != 1)) };
            }
            let mut status = 0;
            // SAFETY: `process` is our child, and `status` outlives the call.
            assert_eq!(unsafe { libc::waitpid(process, &mut status, 0) }, process);
            assert_eq!(status, 0, "the forked child failed");
            let mut server = server.unwrap();
            let (mut tcp_writer, mut unix_writer) = writers.unwrap();
            runtime.block_on(async {
                tcp_writer.write_all(&[1]).await.unwrap();
                assert_eq!(tcp_client.read_u8().await.unwrap(), 1);
                unix_writer.write_all(&[2]).await.unwrap();
                assert_eq!(unix_client.read_u8().await.unwrap(), 2);
                for byte in 0..10 {
                    client.write_all(&[byte]).await.unwrap();
                    assert_eq!(server.read_u8().await.unwrap(), byte);
                    server.write_all(&[byte]).await.unwrap();
                    assert_eq!(client.read_u8().await.unwrap(), byte);
                }
            });
            assert_usable(&runtime);
        },
    );
}

#[test]
fn timers_that_came_due_while_the_process_was_stopped_fire_once_and_in_order() {
    const TEST: &str =
        "system_faults::timers_that_came_due_while_the_process_was_stopped_fire_once_and_in_order";
    if !is_child(TEST) {
        let mut child = spawn_child(TEST, &[]);
        child.wait_for_line("waiting");
        let signal = |signal| {
            // SAFETY: the call takes numbers, and the process is ours and not reaped yet.
            assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
        };
        signal(libc::SIGSTOP);
        let stat = format!("/proc/{}/stat", child.id());
        until(|| std::fs::read_to_string(&stat).unwrap().contains(") T "));
        // Real time must pass: it is what the test is about.
        thread::sleep(Duration::from_millis(700));
        signal(libc::SIGCONT);
        child.finish();
        return;
    }
    within(30, || {
        let fired = Arc::new(Mutex::new(Vec::new()));
        let ticks = current_thread().block_on(async {
            let start = Instant::now();
            // How many have got to their timers: each goes on to wait in the poll in which it counts itself.
            let waiting = Arc::new(AtomicUsize::new(0));
            // Registered in another order than they are due in.
            for i in [7, 2, 9, 4, 0, 5, 1, 8, 3, 6] {
                let (fired, waiting) = (fired.clone(), waiting.clone());
                executor::spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    executor::time::sleep_until(start + Duration::from_millis(300 + i)).await;
                    fired.lock().unwrap().push(i);
                });
            }
            let counting = [
                MissedTickBehavior::Burst,
                MissedTickBehavior::Delay,
                MissedTickBehavior::Skip,
            ]
            .map(|behaviour| {
                let waiting = waiting.clone();
                executor::spawn(async move {
                    let mut interval = interval(Duration::from_millis(100));
                    interval.set_missed_tick_behavior(behaviour);
                    // The first tick comes at once. The next ones are due while the process is stopped.
                    interval.tick().await;
                    waiting.fetch_add(1, Ordering::Relaxed);
                    let first = interval.tick().await;
                    let second = interval.tick().await;
                    (first, second, Instant::now())
                })
            });
            while waiting.load(Ordering::Relaxed) < 13 {
                yield_now().await;
            }
            println!("waiting");
            sleep(Duration::from_millis(400)).await;
            let mut ticks = Vec::new();
            for task in counting {
                ticks.push(task.await.unwrap());
            }
            ticks
        });
        assert_eq!(*fired.lock().unwrap(), (0..10).collect::<Vec<_>>());
        let period = Duration::from_millis(100);
        let [burst, delay, skip] = ticks[..] else {
            unreachable!()
        };
        assert_eq!(burst.1 - burst.0, period);
        // One whole period after the late tick was seen, and that was late indeed.
        assert!(delay.1 - delay.0 >= period && delay.2 >= delay.1);
        let skipped = (skip.1 - skip.0).as_millis();
        assert!(skipped >= 100 && skipped % 100 == 0, "{skipped}");
    });
}

#[test]
fn without_memory_the_process_aborts_and_does_not_hang() {
    const TEST: &str = "system_faults::without_memory_the_process_aborts_and_does_not_hang";
    if !is_child(TEST) {
        let status = spawn_child(TEST, &[]).status();
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}");
        return;
    }
    let runtime = workers(1);
    assert_usable(&runtime);
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    let most = pages * 4096 + (32 << 20);
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: the pointer is good, and this process runs nothing but this test.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    loop {
        runtime.spawn(pending::<[u64; 64]>());
    }
}

/// A future of this many bytes, which are used.
struct Large<const BYTES: usize>([u8; BYTES], bool);

impl<const BYTES: usize> Future for Large<BYTES> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.0[BYTES / 2] = 1;
        if self.1 {
            return Poll::Ready(self.0.iter().map(|&byte| usize::from(byte)).sum());
        }
        self.1 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn workers_with_small_stacks_run_large_futures() {
    within(30, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(256 * 1024)
            .build()
            .unwrap();
        // Only who makes the future needs room for it.
        let maker = thread::Builder::new().stack_size(32 << 20);
        let sum = maker
            .spawn(move || runtime.block_on(runtime.spawn(Large::<{ 1 << 20 }>([0; _], false))))
            .unwrap();
        assert_eq!(sum.join().unwrap().unwrap(), 1);
    });
}

/// Makes a chain of tasks, each of which awaits the one before it.
fn chain(
    length: usize,
) -> (
    executor::sync::oneshot::Sender<u64>,
    executor::task::JoinHandle<u64>,
) {
    let (sender, receiver) = executor::sync::oneshot::channel();
    let mut last = executor::spawn(async move { receiver.await.unwrap() });
    for _ in 0..length {
        let before = last;
        last = executor::spawn(async move { before.await.unwrap() + 1 });
    }
    (sender, last)
}

#[test]
fn a_chain_of_a_million_joins_completes_and_is_dropped_without_recursion() {
    const LENGTH: usize = 1_000_000;
    within(120, || {
        let runtime = workers(2);
        let sum = runtime.block_on(async {
            let (sender, last) = chain(LENGTH);
            sender.send(0).unwrap();
            last.await.unwrap()
        });
        assert_eq!(sum, LENGTH as u64);
        let (_sender, last) = {
            let _entered = runtime.enter();
            chain(LENGTH)
        };
        drop(runtime);
        let error = current_thread().block_on(last).unwrap_err();
        assert!(error.is_cancelled() || error.is_panic(), "{error}");
    });
}

#[test]
fn a_task_may_end_the_process() {
    const TEST: &str = "system_faults::a_task_may_end_the_process";
    if !is_child(TEST) {
        for _ in 0..20 {
            let status = spawn_child(TEST, &[]).status();
            assert_eq!(status.code(), Some(7), "{status}");
        }
        return;
    }
    within(30, || {
        let runtime = workers(4);
        let executed = runtime.spawn(async {
            for _ in 0..100 {
                executor::spawn(async {
                    loop {
                        yield_now().await;
                    }
                });
            }
            executor::task::spawn_blocking(|| thread::sleep(Duration::from_secs(60)));
            sleep(Duration::from_millis(1)).await;
            std::process::exit(7)
        });
        runtime.block_on(executed).unwrap();
    });
}
