//! The end of a runtime: every task is dropped once and every handle answers, whatever goes on at the same time.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use executor::net::{TcpListener, TcpStream, UdpSocket, UnixListener};
use executor::runtime::{Builder, is_rt_shutdown_err};
use executor::task::yield_now;
use executor::time::sleep;

use crate::support::{Directory, Drops, block_on, each_runtime, until, within, workers};

#[test]
fn foreign_threads_that_spawn_for_ever_lose_no_task() {
    within(60, || {
        for round in 0..20 {
            each_runtime(|runtime| {
                let (drops, stop) = (Drops::default(), AtomicBool::new(false));
                let spawned = AtomicUsize::new(0);
                let handle = runtime.handle().clone();
                thread::scope(|scope| {
                    let spawn = || {
                        let mut tasks = Vec::new();
                        while !stop.load(SeqCst) && tasks.len() < 20_000 {
                            let value = drops.value();
                            spawned.fetch_add(1, SeqCst);
                            let ends = tasks.len() % 2 == 0;
                            tasks.push(handle.spawn(async move {
                                let _value = value;
                                yield_now().await;
                                if !ends {
                                    pending::<()>().await;
                                }
                            }));
                        }
                        for task in tasks {
                            let answer = block_on(task);
                            assert!(answer.is_ok() || answer.unwrap_err().is_cancelled());
                        }
                    };
                    let threads: Vec<_> = (0..4).map(|_| scope.spawn(spawn)).collect();
                    until(|| spawned.load(SeqCst) > 100 * (round % 3));
                    drop(runtime);
                    thread::yield_now();
                    stop.store(true, SeqCst);
                    threads
                        .into_iter()
                        .for_each(|thread| thread.join().unwrap());
                });
                assert_eq!(drops.count(), spawned.load(SeqCst));
            });
        }
    });
}

#[test]
fn tasks_that_spawn_for_ever_are_all_dropped() {
    fn spawner(drops: Drops, spawned: Arc<AtomicUsize>) -> futures::future::BoxFuture<'static, ()> {
        spawned.fetch_add(1, SeqCst);
        let value = drops.value();
        Box::pin(async move {
            let _value = value;
            loop {
                drop(executor::spawn(spawner(drops.clone(), spawned.clone())));
                // Not too many at a time.
                sleep(Duration::from_millis(3)).await;
            }
        })
    }
    within(60, || {
        for _ in 0..10 {
            let runtime = workers(2);
            let (drops, spawned) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
            drop(runtime.spawn(spawner(drops.clone(), spawned.clone())));
            until(|| spawned.load(SeqCst) > 100);
            drop(runtime);
            assert_eq!(drops.count(), spawned.load(SeqCst));
        }
    });
}

#[test]
fn sockets_that_an_ended_runtime_refuses_say_so() {
    within(60, || {
        each_runtime(|runtime| {
            let directory = Directory::new();
            let handle = runtime.handle().clone();
            drop(runtime);
            let _entered = handle.enter();
            let any = "127.0.0.1:0";
            let listener = std::net::TcpListener::bind(any).unwrap();
            let address = listener.local_addr().unwrap();
            let path = directory.file("socket");
            let refusals = block_on(async {
                [
                    TcpListener::bind(any).await.unwrap_err(),
                    TcpStream::connect(address).await.unwrap_err(),
                    UdpSocket::bind(any).await.unwrap_err(),
                    UnixListener::bind(&path).unwrap_err(),
                ]
            });
            for refusal in refusals {
                assert!(is_rt_shutdown_err(&refusal), "{refusal}");
            }
        });
    });
}

#[test]
fn spawning_on_an_ended_runtime_answers_cancelled() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            drop(runtime);
            let drops = Drops::default();
            let (value, closure) = (drops.value(), drops.value());
            let task = handle.spawn(async move { drop(value) });
            assert!(task.is_finished());
            assert!(block_on(task).unwrap_err().is_cancelled());
            let job = handle.spawn_blocking(move || drop(closure));
            assert!(block_on(job).unwrap_err().is_cancelled());
            assert_eq!(drops.count(), 2);
            // Entered, it is still the current runtime: no silent change to another.
            let _entered = handle.enter();
            assert!(
                block_on(executor::spawn(async {}))
                    .unwrap_err()
                    .is_cancelled()
            );
        });
    });
}

#[test]
fn drop_waits_for_a_poll_and_a_closure_that_are_under_way() {
    within(60, || {
        let runtime = workers(1);
        let ends = Arc::new(AtomicUsize::new(0));
        let (started, start) = channel();
        for n in 0..2 {
            let (ends, started) = (ends.clone(), started.clone());
            let work = move || {
                started.send(()).unwrap();
                thread::sleep(Duration::from_millis(50));
                ends.fetch_add(1, SeqCst);
            };
            match n {
                0 => drop(runtime.spawn(async move { work() })),
                _ => drop(runtime.spawn_blocking(work)),
            }
        }
        (0..2).for_each(|_| start.recv().unwrap());
        drop(runtime);
        assert_eq!(ends.load(SeqCst), 2);
    });
}

/// A closure that blocks until the sender is dropped.
fn stuck() -> (std::sync::mpsc::Sender<()>, impl FnOnce() + Send + 'static) {
    let (release, wait) = channel::<()>();
    (release, move || {
        let _ = wait.recv();
    })
}

#[test]
fn shutdown_timeout_returns_though_a_closure_is_stuck() {
    within(60, || {
        each_runtime(|runtime| {
            let (release, closure) = stuck();
            let (started, start) = channel();
            let job = runtime.spawn_blocking(move || {
                started.send(()).unwrap();
                closure();
                11
            });
            start.recv().unwrap();
            runtime.shutdown_timeout(Duration::from_millis(20));
            assert!(!job.is_finished());
            drop(release);
            assert_eq!(block_on(job).unwrap(), 11, "what runs is not taken away");
        });
    });
}

#[test]
fn shutdown_background_waits_for_nothing_and_drops_what_waits() {
    within(60, || {
        each_runtime(|runtime| {
            let (release, closure) = stuck();
            let (drops, (started, start)) = (Drops::default(), channel());
            let value = drops.value();
            let task = runtime.spawn(async move {
                let _value = value;
                pending::<()>().await;
            });
            runtime.block_on(yield_now());
            drop(runtime.spawn_blocking(move || {
                started.send(()).unwrap();
                closure();
            }));
            start.recv().unwrap();
            runtime.shutdown_background();
            assert!(block_on(task).unwrap_err().is_cancelled());
            assert_eq!(drops.count(), 1);
            drop(release);
        });
    });
}

/// Whatever the flavour, and with closures that wait behind it.
#[test]
fn drop_gives_up_on_a_stuck_closure_after_some_seconds() {
    fn drop_with_a_stuck_closure(mut builder: Builder) {
        let runtime = builder
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (release, closure) = stuck();
        let (started, start) = channel();
        drop(runtime.spawn_blocking(move || {
            started.send(()).unwrap();
            closure();
        }));
        start.recv().unwrap();
        let queued: Vec<_> = (0..100).map(|_| runtime.spawn_blocking(|| ())).collect();
        let begin = Instant::now();
        drop(runtime);
        assert!(begin.elapsed() >= Duration::from_secs(4), "it did not wait");
        for job in queued {
            assert!(block_on(job).unwrap_err().is_cancelled());
        }
        drop(release);
    }
    within(60, || {
        thread::scope(|scope| {
            scope.spawn(|| drop_with_a_stuck_closure(Builder::new_multi_thread()));
            scope.spawn(|| drop_with_a_stuck_closure(Builder::new_current_thread()));
        });
    });
}

#[test]
fn closures_that_were_not_started_are_dropped_at_the_end() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (release, closure) = stuck();
        let first = runtime.spawn_blocking(closure);
        let drops = Drops::default();
        let queued: Vec<_> = (0..100)
            .map(|_| {
                let value = drops.value();
                runtime.spawn_blocking(move || drop(value))
            })
            .collect();
        runtime.shutdown_background();
        let cancelled = queued
            .into_iter()
            .map(block_on)
            .filter(Result::is_err)
            .count();
        // The first may not have been started either; then nothing ran.
        assert_eq!((cancelled, drops.count()), (100, 100));
        drop(release);
        let _ = block_on(first);
    });
}

#[test]
fn block_on_in_progress_survives_the_end_of_its_runtime() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let (send, receive) = futures::channel::oneshot::channel();
            let (started, start) = channel();
            let thread = thread::spawn(move || {
                handle.block_on(async {
                    started.send(()).unwrap();
                    receive.await.unwrap()
                })
            });
            start.recv().unwrap();
            drop(runtime);
            send.send(3).unwrap();
            assert_eq!(thread.join().unwrap(), 3);
        });
    });
}

#[test]
fn waiting_in_an_ended_runtime_takes_no_processor_time() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let (send, receive) = futures::channel::oneshot::channel::<()>();
            let (started, start) = channel();
            let thread = thread::spawn(move || {
                handle.block_on(async {
                    started.send(()).unwrap();
                    receive.await.unwrap();
                });
                thread_time()
            });
            start.recv().unwrap();
            drop(runtime);
            thread::sleep(Duration::from_millis(300));
            send.send(()).unwrap();
            let used = thread.join().unwrap();
            assert!(
                used < Duration::from_millis(150),
                "{used:?} in 300 ms of waiting"
            );
        });
    });
}

/// The processor time of the calling thread.
fn thread_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the system writes to a local variable.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn a_runtime_that_was_never_used_ends() {
    within(60, || (0..100).for_each(|_| each_runtime(drop)));
}

#[test]
fn a_handle_awaited_while_the_runtime_ends_answers() {
    within(60, || {
        for _ in 0..200 {
            let runtime = workers(2);
            let tasks: Vec<_> = (0..10).map(|_| runtime.spawn(pending::<()>())).collect();
            let waiting = thread::spawn(|| {
                tasks
                    .into_iter()
                    .map(block_on)
                    .filter(Result::is_err)
                    .count()
            });
            drop(runtime);
            assert_eq!(waiting.join().unwrap(), 10);
        }
    });
}

/// Also in the `block_on` of a handle, whose thread is the worker of the current-thread flavour.
#[test]
fn a_task_spawned_in_block_on_after_the_end_is_dropped_unpolled() {
    within(60, || {
        each_runtime(|runtime| {
            let (drops, polled) = (Drops::default(), Arc::new(AtomicBool::new(false)));
            let handle = runtime.handle().clone();
            drop(runtime);
            let spawn = || {
                let (value, polled) = (drops.value(), polled.clone());
                executor::spawn(async move {
                    polled.store(true, SeqCst);
                    drop(value);
                })
            };
            let awaited = handle.block_on(async { spawn().await });
            assert!(awaited.unwrap_err().is_cancelled());
            // This one is spawned by the last poll.
            let (left,) = handle.block_on(async { (spawn(),) });
            assert!(block_on(left).unwrap_err().is_cancelled());
            assert_eq!((drops.count(), polled.load(SeqCst)), (2, false));
        });
    });
}

#[test]
fn a_task_whose_runtime_ends_while_it_is_polled_may_begin_to_sleep() {
    within(30, || {
        let runtime = workers(1);
        let (begun, wait_for_begin) = channel();
        let (closed, wait_for_close) = channel::<()>();
        let sleeper = runtime.spawn(async move {
            begun.send(()).unwrap();
            wait_for_close.recv().unwrap();
            sleep(Duration::from_secs(1000)).await;
        });
        wait_for_begin.recv().unwrap();
        runtime.shutdown_background();
        closed.send(()).unwrap();
        let error = block_on(sleeper).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
    });
}
