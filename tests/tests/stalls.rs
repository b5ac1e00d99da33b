//! Workers that are held by their polls are replaced and told of: as many tasks as like may block, and the others go on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use executor::runtime::{Builder, Runtime, Stall, ThreadActivity};

use crate::support::{child, in_time, is_child, threads, until, within, workers};

/// The system says what its threads do.
const TELLS: bool = cfg!(all(target_os = "linux", not(executor_fallbacks)));

/// A runtime that sends its stalls, once they have lasted 20 ms.
fn telling(workers: usize) -> (Runtime, mpsc::Receiver<Stall>) {
    let (send, stalls) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .stall_threshold(Duration::from_millis(20))
        .on_stall(move |stall| _ = send.send(stall.clone()))
        .build()
        .unwrap();
    (runtime, stalls)
}

/// Each of the tasks waits for all of them, blocking its thread: they end only if each has a thread.
#[test]
fn more_tasks_than_workers_may_block_at_once() {
    within(60, || {
        let runtime = workers(2);
        let all_here = Arc::new(Barrier::new(20));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let all_here = all_here.clone();
                runtime.spawn(async move { _ = all_here.wait() })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn timers_and_sockets_go_on_beside_more_spinning_tasks_than_workers() {
    within(120, || {
        let runtime = workers(2);
        let stop = Arc::new(AtomicBool::new(false));
        let spinning: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                runtime.spawn(async move {
                    while !stop.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                })
            })
            .collect();
        let others = runtime.spawn(async {
            let listener = executor::net::TcpListener::bind("127.0.0.1:0")
                .await
                .unwrap();
            let address = listener.local_addr().unwrap();
            let accepted = executor::spawn(async move { listener.accept().await.unwrap() });
            let stream = executor::net::TcpStream::connect(address).await.unwrap();
            accepted.await.unwrap();
            for _ in 0..20 {
                executor::time::sleep(Duration::from_millis(1)).await;
            }
            drop(stream);
        });
        runtime.block_on(others).unwrap();
        stop.store(true, SeqCst);
        for task in spinning {
            runtime.block_on(task).unwrap();
        }
    });
}

/// With the limit at 1, the third of three tasks that wait for each other never starts until the limit's task is released.
#[test]
fn there_are_no_more_spare_workers_than_the_builder_says() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_spare_workers(1)
            .build()
            .unwrap();
        let (running, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
        let blocked: Vec<_> = (0..2)
            .map(|_| {
                let (running, release) = (running.clone(), release.clone());
                runtime.spawn(async move {
                    running.fetch_add(1, SeqCst);
                    release.wait();
                })
            })
            .collect();
        until(|| running.load(SeqCst) == 2);
        assert_eq!(runtime.metrics().num_spare_workers(), 1);
        // Timers of a thread that is no worker are still served: by the guard.
        runtime.block_on(async {
            for _ in 0..20 {
                executor::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(runtime.metrics().num_spare_workers(), 1);
        release.wait();
        for task in blocked {
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn without_spare_workers_a_runtime_still_listens() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_spare_workers(0)
            .build()
            .unwrap();
        let all_here = Arc::new(Barrier::new(3));
        let blocked: Vec<_> = (0..2)
            .map(|_| {
                let all_here = all_here.clone();
                runtime.spawn(async move { _ = all_here.wait() })
            })
            .collect();
        runtime.block_on(executor::time::sleep(Duration::from_millis(50)));
        assert_eq!(runtime.metrics().num_spare_workers(), 0);
        all_here.wait();
        for task in blocked {
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn spare_workers_leave_when_nobody_is_stuck_any_more() {
    child(
        "stalls::spare_workers_leave_when_nobody_is_stuck_any_more",
        || {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .thread_keep_alive(Duration::from_millis(1))
                .build()
                .unwrap();
            runtime.block_on(runtime.spawn(async {})).unwrap();
            let before = threads();
            for _ in 0..2 {
                let all_here = Arc::new(Barrier::new(6));
                let blocked: Vec<_> = (0..6)
                    .map(|_| {
                        let all_here = all_here.clone();
                        runtime.spawn(async move { _ = all_here.wait() })
                    })
                    .collect();
                for task in blocked {
                    runtime.block_on(task).unwrap();
                }
                assert!(runtime.metrics().num_spare_workers() >= 4);
                // Also while the runtime has always something to do.
                let stop = Arc::new(AtomicBool::new(false));
                let restless: Vec<_> = (0..4)
                    .map(|_| {
                        let stop = stop.clone();
                        runtime.spawn(async move {
                            while !stop.load(SeqCst) {
                                executor::task::yield_now().await;
                            }
                        })
                    })
                    .collect();
                until(|| runtime.metrics().num_spare_workers() == 0);
                stop.store(true, SeqCst);
                for task in restless {
                    runtime.block_on(task).unwrap();
                }
                until(|| threads() == before);
            }
            for _ in 0..100 {
                runtime.block_on(runtime.spawn(async {})).unwrap();
            }
        },
    );
}

/// Tasks block now and then and wake each other; none is lost while spare workers come and go.
#[test]
fn no_task_is_lost_while_spare_workers_come_and_go() {
    within(120, || {
        let runtime = workers(2);
        for _ in 0..5 {
            let tasks: Vec<_> = (0..300)
                .map(|n| {
                    runtime.spawn(async move {
                        for step in 0..4 {
                            if n % 15 == step {
                                thread::sleep(Duration::from_millis(12));
                            }
                            executor::task::yield_now().await;
                            executor::time::sleep(Duration::from_micros(n * 7 % 900)).await;
                            executor::spawn(async {}).await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                runtime.block_on(task).unwrap();
            }
        }
    });
}

#[test]
fn a_runtime_ends_while_spare_workers_are_stuck() {
    within(60, || {
        let runtime = workers(2);
        let (release, all_here) = (Arc::new(Barrier::new(7)), Arc::new(Barrier::new(7)));
        for _ in 0..6 {
            let (release, all_here) = (release.clone(), all_here.clone());
            runtime.spawn(async move {
                all_here.wait();
                release.wait();
            });
        }
        all_here.wait();
        let waiting = runtime.spawn(std::future::pending::<()>());
        runtime.shutdown_background();
        assert!(waiting.is_finished());
        release.wait();
    });
}

#[test]
fn a_stall_is_told_of_while_it_lasts() {
    within(60, || {
        let (runtime, stalls) = telling(2);
        let (end, wait) = mpsc::channel::<()>();
        let line = line!() + 3;
        let task = executor::task::Builder::new()
            .name("reads a channel")
            .spawn_on(async move { wait.recv().unwrap_err() }, runtime.handle())
            .unwrap();
        // It still lasts: the task waits for us.
        let stall = stalls.recv().unwrap();
        assert_eq!(stall.task_id(), Some(task.id()));
        assert_eq!(stall.task_name(), Some("reads a channel"));
        let location = stall.spawned_at().unwrap();
        assert_eq!(location.file(), file!());
        assert!(location.line().abs_diff(line) < 6, "{location}");
        assert!(stall.elapsed() >= Duration::from_millis(20));
        if TELLS {
            assert_eq!(stall.activity(), ThreadActivity::Blocked);
            assert_ne!(stall.os_thread_id(), 0);
        } else {
            assert_eq!(stall.activity(), ThreadActivity::Unknown);
        }
        let text = stall.to_string();
        assert!(text.contains("\"reads a channel\""), "{text}");
        assert!(text.contains("stalls.rs"), "{text}");
        assert_eq!(text.contains("blocked"), TELLS, "{text}");
        // Once more, when it has lasted ten times as long.
        let again = stalls.recv().unwrap();
        assert_eq!(again.task_id(), Some(task.id()));
        assert!(again.elapsed() >= Duration::from_millis(200));
        assert_eq!(runtime.metrics().stall_count(), 1);
        drop(end);
        runtime.block_on(task).unwrap();
    });
}

#[test]
#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
fn a_stall_shows_where_the_thread_is() {
    #[inline(never)]
    fn waits_in_a_function_of_this_name(wait: &mpsc::Receiver<()>) {
        let _ = std::hint::black_box(wait).recv();
    }
    child("stalls::a_stall_shows_where_the_thread_is", || {
        let (send, stalls) = mpsc::channel();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .stall_threshold(Duration::from_millis(20))
            .stall_backtraces(true)
            .on_stall(move |stall| _ = send.send(stall.clone()))
            .build()
            .unwrap();
        // Finding the names takes seconds on a busy machine, when they are asked for first. The same poll is told of again
        // meanwhile, and when its turn comes the poll may be over, and has no backtrace.
        let stall_of = |id| {
            let mut stalls = stalls.iter();
            stalls.find(|stall| stall.task_id() == Some(id)).unwrap()
        };
        for _ in 0..3 {
            let (end, wait) = mpsc::channel();
            let task = runtime.spawn(async move { waits_in_a_function_of_this_name(&wait) });
            let stall = stall_of(task.id());
            let backtrace = stall.backtrace().expect("the thread has not answered");
            assert!(
                backtrace.contains("waits_in_a_function_of_this_name"),
                "{backtrace}"
            );
            assert!(!backtrace.contains("signal_hook"), "{backtrace}");
            assert!(!backtrace.contains("executor::scheduler"), "{backtrace}");
            assert!(stall.to_string().contains("waits_in_a_function"), "{stall}");
            end.send(()).unwrap();
            runtime.block_on(task).unwrap();
        }
        // One that computes is asked in the same way.
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = runtime.spawn(async move { spins_in_a_function_of_this_name(&stopped) });
        let stall = stall_of(task.id());
        let backtrace = stall.backtrace().unwrap_or_default();
        assert!(
            backtrace.contains("spins_in_a_function_of_this_name"),
            "{backtrace}"
        );
        stop.store(true, SeqCst);
        runtime.block_on(task).unwrap();
    });

    #[inline(never)]
    fn spins_in_a_function_of_this_name(stop: &AtomicBool) {
        while !stop.load(SeqCst) {
            std::hint::spin_loop();
        }
    }
}

#[test]
fn both_of_two_tasks_that_block_all_workers_are_told_of() {
    within(60, || {
        let (runtime, stalls) = telling(2);
        let tasks = ["one", "two"].map(|name| {
            let (end, wait) = mpsc::channel::<()>();
            let task = executor::task::Builder::new()
                .name(name)
                .spawn_on(async move { wait.recv().unwrap_err() }, runtime.handle())
                .unwrap();
            (end, task)
        });
        let mut names = [stalls.recv().unwrap(), stalls.recv().unwrap()]
            .map(|stall| stall.task_name().unwrap().to_owned());
        names.sort();
        assert_eq!(names, ["one", "two"]);
        // What waited meanwhile is done afterwards.
        for (end, task) in tasks {
            drop(end);
            runtime.block_on(task).unwrap();
        }
        runtime.block_on(runtime.spawn(async {})).unwrap();
    });
}

#[test]
fn a_task_that_computes_is_told_from_one_that_blocks() {
    within(60, || {
        let (runtime, stalls) = telling(2);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = runtime.spawn(async move {
            while !stopped.load(SeqCst) {
                std::hint::spin_loop();
            }
        });
        let stall = stalls.recv().unwrap();
        assert_eq!(stall.task_id(), Some(task.id()));
        if TELLS {
            assert_eq!(stall.activity(), ThreadActivity::Computing, "{stall}");
        }
        stop.store(true, SeqCst);
        runtime.block_on(task).unwrap();
    });
}

#[test]
fn a_hook_that_blocks_or_panics_holds_nothing_up() {
    within(60, || {
        let (end, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let (send, told) = mpsc::channel();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .stall_threshold(Duration::from_millis(10))
            .on_stall(move |stall| {
                let _ = send.send(stall.task_name().unwrap().to_owned());
                if stall.task_name() == Some("first") {
                    let _ = wait.lock().unwrap().recv();
                } else {
                    panic!("a panic of the hook");
                }
            })
            .build()
            .unwrap();
        let block = |name| {
            let (end, wait) = mpsc::channel::<()>();
            let task = executor::task::Builder::new()
                .name(name)
                .spawn_on(async move { wait.recv().unwrap_err() }, runtime.handle())
                .unwrap();
            assert_eq!(told.recv().unwrap(), name);
            (end, task)
        };
        // The hook of the first blocks, and the second one's is called all the same, and panics.
        let first = block("first");
        let second = block("second");
        runtime.block_on(runtime.spawn(async {})).unwrap();
        drop(end);
        for (end, task) in [first, second] {
            drop(end);
            runtime.block_on(task).unwrap();
        }
        runtime.block_on(runtime.spawn(async {})).unwrap();
    });
}

#[test]
fn by_default_a_stall_is_a_line_on_standard_error() {
    const NAME: &str = "stalls::by_default_a_stall_is_a_line_on_standard_error";
    if is_child(NAME) {
        let runtime = workers(2);
        runtime
            .block_on(runtime.spawn(async { thread::sleep(Duration::from_millis(400)) }))
            .unwrap();
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env("EXECUTOR_TEST_CHILD", NAME)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let line = text.lines().find(|line| line.starts_with("executor: task"));
    let line = line.unwrap_or_else(|| panic!("no such line in {text:?}"));
    assert!(
        line.contains("stalls.rs") && line.contains("has held"),
        "{line}"
    );
}

/// Busy threads that are not ours take the one processor: the workers wait for it, in the middle of their polls, and are not stuck.
#[test]
#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
fn workers_that_wait_for_a_processor_are_not_replaced() {
    child(
        "stalls::workers_that_wait_for_a_processor_are_not_replaced",
        || {
            pin_to_one_processor();
            let stop = Arc::new(AtomicBool::new(false));
            let busy: Vec<_> = (0..4)
                .map(|_| {
                    let stop = stop.clone();
                    thread::spawn(move || {
                        while !stop.load(SeqCst) {
                            std::hint::spin_loop();
                        }
                    })
                })
                .collect();
            let (runtime, stalls) = telling(2);
            let since = Instant::now();
            let mut most = 0;
            while since.elapsed() < Duration::from_secs(3) {
                runtime.block_on(runtime.spawn(async {})).unwrap();
                most = most.max(runtime.metrics().num_spare_workers());
            }
            stop.store(true, SeqCst);
            busy.into_iter().for_each(|thread| thread.join().unwrap());
            assert!(stalls.try_recv().is_err(), "a stall was told of");
            assert_eq!(most, 0, "a worker was replaced");
        },
    );
}

#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
fn pin_to_one_processor() {
    // SAFETY: a set of processors is a plain number, for which zeroes mean "none".
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours, and the call is told how large it is.
    let got = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    assert_eq!(got, 0);
    // SAFETY: the numbers are in the range of the set.
    let first = (0..libc::CPU_SETSIZE as usize).find(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) });
    // SAFETY: as above.
    unsafe {
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(first.unwrap(), &mut set);
        let done = libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        assert_eq!(done, 0);
    }
}

/// A waker of the user that blocks, called by the guard because nobody else turns the reactor.
#[test]
fn a_waker_that_blocks_does_not_hold_the_guard() {
    use std::task::{Context, Wake};

    struct Blocking(std::sync::Mutex<mpsc::Receiver<()>>, mpsc::Sender<()>);
    impl Wake for Blocking {
        fn wake(self: Arc<Self>) {
            self.1.send(()).unwrap();
            let _ = self.0.lock().unwrap().recv();
        }
    }
    within(60, || {
        // Both workers are held, and there is nobody in their place: timers are the guard's.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_spare_workers(0)
            .build()
            .unwrap();
        let all_here = Arc::new(Barrier::new(3));
        let held: Vec<_> = (0..2)
            .map(|_| {
                let all_here = all_here.clone();
                runtime.spawn(async move {
                    all_here.wait();
                    all_here.wait();
                })
            })
            .collect();
        all_here.wait();
        let (end, wait) = mpsc::channel();
        let (send, called) = mpsc::channel();
        let waker = Arc::new(Blocking(wait.into(), send)).into();
        let entered = runtime.enter();
        let mut timer = None;
        // One that is over before it is polled wakes nobody.
        in_time(|time| {
            let sleep = Box::pin(executor::time::sleep(time / 50));
            let poll = timer.insert(sleep).as_mut();
            poll.poll(&mut Context::from_waker(&waker)).is_pending()
        });
        drop(entered);
        called.recv().unwrap();
        // It blocks now, and the guard goes on.
        runtime.block_on(executor::time::sleep(Duration::from_millis(1)));
        drop(end);
        all_here.wait();
        for task in held {
            runtime.block_on(task).unwrap();
        }
    });
}
