//! The clock that stands still, on several workers: it jumps when nothing in the runtime can happen by itself, and only then.

use std::future::Future;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, Runtime};
use executor::spawn;
use executor::task::{block_in_place, spawn_blocking, yield_now};
use executor::time::{self, Instant, interval, sleep, timeout};
use futures::channel::{mpsc, oneshot};
use futures::{SinkExt, StreamExt};

use crate::support::{current_thread, pair, within, workers};

fn paused(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .start_paused(true)
        .build()
        .unwrap()
}

/// Calls `test` with runtimes of one to four workers, and with one that runs on the calling thread.
fn each_paused(test: impl Fn(&Runtime)) {
    for workers in [1, 2, 4] {
        test(&paused(workers));
    }
    test(
        &Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap(),
    );
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_hour_takes_no_time() {
    within(60, || {
        each_paused(|runtime| {
            let real = std::time::Instant::now();
            runtime.block_on(async {
                let start = Instant::now();
                let long = spawn(sleep(2 * HOUR));
                sleep(HOUR).await;
                assert_eq!(start.elapsed(), HOUR);
                long.await.unwrap();
                assert_eq!(start.elapsed(), 2 * HOUR);
            });
            assert!(real.elapsed() < HOUR);
        });
    });
}

#[test]
fn a_thousand_tasks_on_four_workers_wake_in_the_order_of_their_timers() {
    within(120, || {
        let runtime = paused(4);
        let log = Arc::new(Mutex::new(Vec::new()));
        runtime.block_on(async {
            let start = Instant::now();
            let tasks: Vec<_> = (0..1000_u32)
                .map(|n| {
                    let log = log.clone();
                    // Spread over all times, each of its own, by a number that shares no factor with a thousand.
                    let after = (n * 377 % 1000 + 1) * SECOND;
                    spawn(async move {
                        sleep(after).await;
                        assert_eq!(start.elapsed(), after);
                        log.lock().unwrap().push(after);
                        // Not yet: the other tasks wait for theirs.
                        for _ in 0..3 {
                            yield_now().await;
                            assert_eq!(start.elapsed(), after);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 1000);
        assert!(log.is_sorted());
    });
}

#[test]
fn timers_of_one_instant_fire_in_it_on_all_workers() {
    within(120, || {
        paused(3).block_on(async {
            for _ in 0..5 {
                let start = Instant::now();
                let tasks: Vec<_> = (0..5000)
                    .map(|_| {
                        spawn(async move {
                            yield_now().await;
                            sleep(SECOND).await;
                            start.elapsed()
                        })
                    })
                    .collect();
                for task in tasks {
                    assert_eq!(task.await.unwrap(), SECOND);
                }
            }
        });
    });
}

/// Two tasks and the future given to `block_on` pass a message around a ring, while a far timer waits for its chance.
#[test]
fn time_stands_still_while_a_message_is_under_way() {
    within(120, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let _far = spawn(sleep(1000 * HOUR));
                let start = Instant::now();
                let (mut first, mut in_first) = mpsc::channel::<u32>(0);
                let (mut second, mut in_second) = mpsc::channel::<u32>(0);
                let (mut home, mut at_home) = mpsc::channel::<u32>(0);
                spawn(async move {
                    while let Some(n) = in_first.next().await {
                        timeout(HOUR, second.send(n)).await.unwrap().unwrap();
                    }
                });
                spawn(async move {
                    while let Some(n) = in_second.next().await {
                        timeout(HOUR, home.send(n)).await.unwrap().unwrap();
                    }
                });
                for n in 0..3000 {
                    first.send(n).await.unwrap();
                    let back = timeout(SECOND, at_home.next()).await;
                    assert_eq!(back, Ok(Some(n)), "in round {n}");
                    assert_eq!(start.elapsed(), Duration::ZERO, "in round {n}");
                }
            });
        });
    });
}

/// Tasks on all workers hand tokens to each other in no order; each also sleeps now and then, so that time does move.
#[test]
fn no_timeout_overtakes_its_message() {
    within(120, || {
        paused(4).block_on(async {
            let (senders, receivers): (Vec<_>, Vec<_>) =
                (0..8).map(|_| mpsc::unbounded::<u32>()).unzip();
            let tasks: Vec<_> = receivers
                .into_iter()
                .enumerate()
                .map(|(me, mut receiver)| {
                    let senders = senders.clone();
                    spawn(async move {
                        let mut seen = 0;
                        while let Ok(Some(hops)) = timeout(10 * HOUR, receiver.next()).await {
                            seen += 1;
                            if hops == 0 {
                                continue;
                            }
                            if hops % 16 == 0 {
                                sleep(SECOND).await;
                            }
                            let next = (me + hops as usize) % senders.len();
                            senders[next].unbounded_send(hops - 1).unwrap();
                        }
                        seen
                    })
                })
                .collect();
            for sender in &senders {
                sender.unbounded_send(1000).unwrap();
            }
            let mut seen = 0;
            for task in tasks {
                seen += task.await.unwrap();
            }
            assert_eq!(seen, 8 * 1001);
        });
    });
}

#[test]
fn a_blocking_closure_holds_it() {
    within(120, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let sleeper = spawn(sleep(HOUR));
                let (release, wait) = channel::<()>();
                let job = spawn_blocking(move || wait.recv().unwrap());
                let foreign = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(20));
                    release.send(()).unwrap();
                });
                job.await.unwrap();
                assert_eq!(start.elapsed(), Duration::ZERO);
                sleeper.await.unwrap();
                assert_eq!(start.elapsed(), HOUR);
                foreign.join().unwrap();
            });
        });
    });
}

#[test]
fn the_end_of_a_blocking_closure_comes_before_the_jump() {
    within(120, || {
        paused(2).block_on(async {
            let _far = spawn(sleep(1000 * HOUR));
            for n in 0..5000 {
                let start = Instant::now();
                let job = spawn(async { spawn_blocking(|| ()).await.unwrap() });
                job.await.unwrap();
                assert_eq!(start.elapsed(), Duration::ZERO, "in round {n}");
            }
        });
    });
}

/// The closure waits for time itself: that is no reason to keep time from passing.
#[test]
fn a_blocking_closure_may_wait_for_time() {
    within(60, || {
        each_paused(|runtime| {
            let handle = runtime.handle().clone();
            runtime.block_on(async {
                let start = Instant::now();
                spawn_blocking(move || {
                    handle.block_on(sleep(HOUR));
                    assert_eq!(start.elapsed(), HOUR);
                    thread::sleep(Duration::from_millis(5));
                    assert_eq!(start.elapsed(), HOUR);
                })
                .await
                .unwrap();
                assert_eq!(start.elapsed(), HOUR);
            });
        });
    });
}

#[test]
fn a_thread_without_its_seat_holds_it_until_its_poll_ends() {
    within(60, || {
        for workers in [1, 2] {
            let runtime = paused(workers);
            let handle = runtime.handle().clone();
            runtime.block_on(async {
                for _ in 0..50 {
                    let start = Instant::now();
                    let handle = handle.clone();
                    let far = spawn(sleep(HOUR));
                    let task = spawn(async move {
                        block_in_place(|| thread::sleep(Duration::from_millis(1)));
                        thread::sleep(Duration::from_micros(200));
                        assert_eq!(start.elapsed(), Duration::ZERO);
                        // In `block_on` it waits as anybody does.
                        handle.block_on(sleep(SECOND));
                        thread::sleep(Duration::from_micros(200));
                        assert_eq!(start.elapsed(), SECOND);
                    });
                    task.await.unwrap();
                    assert_eq!(start.elapsed(), SECOND);
                    far.abort();
                }
            });
        }
    });
}

#[test]
fn a_thread_in_block_on_that_computes_holds_it() {
    within(60, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let far = spawn(sleep(HOUR));
                for _ in 0..10 {
                    yield_now().await;
                    thread::sleep(Duration::from_millis(2));
                    assert_eq!(start.elapsed(), Duration::ZERO);
                }
                far.await.unwrap();
                assert_eq!(start.elapsed(), HOUR);
            });
        });
    });
}

/// On the current-thread flavour one of the threads drives, and the others are woken by it.
#[test]
fn of_several_threads_in_block_on_each_holds_it() {
    within(120, || {
        each_paused(|runtime| {
            // Until all threads are in their calls, nobody else keeps time from passing.
            let (start, far, hold) = runtime
                .block_on(async { (Instant::now(), spawn(sleep(1000 * HOUR)), time::hold()) });
            let begin = Barrier::new(3);
            let (done, mut dones) = mpsc::unbounded::<()>();
            thread::scope(|scope| {
                for _ in 0..2 {
                    let done = done.clone();
                    let begin = &begin;
                    scope.spawn(move || {
                        runtime.block_on(async {
                            begin.wait();
                            for _ in 0..300 {
                                spawn(async { yield_now().await }).await.unwrap();
                                // Awake, and the runtime cannot know but from this thread.
                                thread::sleep(Duration::from_micros(50));
                                assert_eq!(start.elapsed(), Duration::ZERO);
                            }
                            done.unbounded_send(()).unwrap();
                        });
                    });
                }
                runtime.block_on(async {
                    begin.wait();
                    drop(hold);
                    dones.next().await.unwrap();
                    dones.next().await.unwrap();
                    assert_eq!(start.elapsed(), Duration::ZERO);
                });
            });
            runtime.block_on(far).unwrap();
            assert_eq!(
                runtime.block_on(async move { start.elapsed() }),
                1000 * HOUR
            );
        });
    });
}

#[test]
fn threads_in_block_on_may_wait_for_each_other() {
    within(120, || {
        each_paused(|runtime| {
            // As above.
            let (start, _far, hold) = runtime
                .block_on(async { (Instant::now(), spawn(sleep(1000 * HOUR)), time::hold()) });
            let (mut ask, mut asked) = mpsc::channel::<u32>(0);
            let (mut answer, mut answers) = mpsc::channel::<u32>(0);
            let begin = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    runtime.block_on(async {
                        begin.wait();
                        while let Some(n) = asked.next().await {
                            answer.send(n).await.unwrap();
                        }
                    });
                });
                runtime.block_on(async {
                    begin.wait();
                    drop(hold);
                    for n in 0..3000 {
                        ask.send(n).await.unwrap();
                        assert_eq!(timeout(SECOND, answers.next()).await, Ok(Some(n)));
                        assert_eq!(start.elapsed(), Duration::ZERO);
                    }
                    drop(ask);
                });
            });
        });
    });
}

#[test]
fn a_block_on_inside_another_waits_for_time() {
    within(60, || {
        each_paused(|runtime| {
            let start = runtime.block_on(async { Instant::now() });
            runtime.block_on(async {
                runtime.block_on(async {
                    runtime.block_on(sleep(HOUR));
                    sleep(HOUR).await;
                });
                assert_eq!(start.elapsed(), 2 * HOUR);
                spawn(sleep(HOUR)).await.unwrap();
            });
            runtime.block_on(async { assert_eq!(start.elapsed(), 3 * HOUR) });
        });
    });
}

#[test]
fn a_blocking_closure_waits_for_time_with_nobody_else_in_block_on() {
    within(60, || {
        each_paused(|runtime| {
            let (sender, receiver) = channel();
            let handle = runtime.handle().clone();
            runtime.spawn_blocking(move || {
                let start = handle.block_on(async {
                    let start = Instant::now();
                    spawn(sleep(HOUR)).await.unwrap();
                    start
                });
                // In between it is a closure like any other.
                let seen = handle.block_on(async move { start.elapsed() });
                handle.block_on(sleep(HOUR));
                sender.send(seen).unwrap();
            });
            assert_eq!(receiver.recv().unwrap(), HOUR);
        });
    });
}

#[test]
fn a_hold_stands_for_a_thread_that_the_runtime_cannot_see() {
    within(120, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                for _ in 0..200 {
                    let start = Instant::now();
                    let (answer, answered) = oneshot::channel();
                    let hold = time::hold();
                    let foreign = thread::spawn(move || {
                        thread::sleep(Duration::from_micros(100));
                        answer.send(42).unwrap();
                        drop(hold);
                    });
                    let answer = timeout(SECOND, answered).await;
                    assert_eq!(answer, Ok(Ok(42)));
                    assert_eq!(start.elapsed(), Duration::ZERO);
                    foreign.join().unwrap();
                }
                let (one, other) = (time::hold(), time::hold());
                let waiting = spawn(sleep(SECOND));
                drop(one);
                let start = Instant::now();
                thread::sleep(Duration::from_millis(5));
                assert!(!waiting.is_finished());
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(5));
                    drop(other);
                });
                waiting.await.unwrap();
                assert_eq!(start.elapsed(), SECOND);
            });
        });
    });
}

#[test]
fn connections_inside_the_process_do_not_time_out() {
    use futures::{AsyncReadExt, AsyncWriteExt};
    within(120, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let (mut here, mut there) = pair().await;
                here.set_nodelay(true).unwrap();
                there.set_nodelay(true).unwrap();
                let echo = spawn(async move {
                    let mut buffer = [0; 64];
                    loop {
                        let n = timeout(HOUR, there.read(&mut buffer))
                            .await
                            .unwrap()
                            .unwrap();
                        if n == 0 {
                            return;
                        }
                        timeout(HOUR, there.write_all(&buffer[..n]))
                            .await
                            .unwrap()
                            .unwrap();
                    }
                });
                for n in 0..300_u32 {
                    here.write_all(&n.to_be_bytes()).await.unwrap();
                    let mut back = [0; 4];
                    timeout(SECOND, here.read_exact(&mut back))
                        .await
                        .unwrap()
                        .unwrap();
                    assert_eq!(u32::from_be_bytes(back), n);
                }
                assert_eq!(start.elapsed(), Duration::ZERO);
                // With the connection open time moves all the same.
                sleep(HOUR).await;
                drop(here);
                let _ = echo.await;
            });
        });
    });
}

#[test]
fn advance_fires_what_is_due_whichever_worker_has_it() {
    within(120, || {
        each_paused(|runtime| {
            // The future given to `block_on` advances, then a task does.
            for in_task in [false, true] {
                let test = async {
                    let start = Instant::now();
                    // It keeps the clock from jumping on its own.
                    let hold = time::hold();
                    let tasks: Vec<_> = (0..200)
                        .map(|n| {
                            // Made here: a task may begin only after the first step.
                            let (early, late) = (sleep(n % 7 * SECOND), sleep(HOUR));
                            spawn(async move {
                                early.await;
                                late.await;
                                start.elapsed()
                            })
                        })
                        .collect();
                    let half = HOUR / 2;
                    time::advance(half).await;
                    assert_eq!(start.elapsed(), half);
                    time::advance(half).await;
                    for task in tasks {
                        assert_eq!(task.await.unwrap(), HOUR);
                    }
                    assert_eq!(start.elapsed(), HOUR);
                    drop(hold);
                };
                if in_task {
                    runtime.block_on(runtime.spawn(test)).unwrap();
                } else {
                    runtime.block_on(test);
                }
            }
        });
    });
}

/// Timers made by a task and on another thread lie in different wheels.
#[test]
fn on_one_thread_advance_fires_in_the_order_of_the_deadlines() {
    struct Logs(u32, Arc<Mutex<Vec<u32>>>);
    impl std::task::Wake for Logs {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    within(60, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let make = |first: u32| -> Vec<_> {
            (0..50)
                .map(|n| {
                    let seconds = first + 2 * n;
                    let waker = Waker::from(Arc::new(Logs(seconds, log.clone())));
                    let mut timer = Box::pin(sleep(seconds * SECOND));
                    let poll = timer.as_mut().poll(&mut Context::from_waker(&waker));
                    assert!(poll.is_pending());
                    timer
                })
                .collect()
        };
        let foreign = {
            let _entered = runtime.enter();
            make(1)
        };
        runtime.block_on(async {
            let own = make(2);
            time::advance(HOUR).await;
            drop(own);
        });
        drop(foreign);
        assert_eq!(*log.lock().unwrap(), (1..=100).collect::<Vec<_>>());
    });
}

#[test]
fn paused_and_resumed_in_the_middle() {
    within(120, || {
        for workers in [1, 3] {
            self::workers(workers).block_on(async {
                let start = Instant::now();
                // The runtime sleeps until this deadline, by the real clock, when time is stopped.
                let far = spawn(sleep(HOUR));
                sleep(Duration::from_millis(2)).await;
                time::pause();
                far.await.unwrap();
                assert!((HOUR..HOUR + 60 * SECOND).contains(&start.elapsed()));
                let stopped = Instant::now();
                sleep(HOUR).await;
                assert_eq!(stopped.elapsed(), HOUR);
                time::resume();
                let real = std::time::Instant::now();
                sleep(Duration::from_millis(5)).await;
                assert!(real.elapsed() >= Duration::from_millis(5));
            });
        }
    });
}

#[test]
fn paused_by_a_thread_outside_while_everything_sleeps() {
    within(60, || {
        for runtime in [workers(2), current_thread()] {
            let handle = runtime.handle().clone();
            let foreign = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                let _entered = handle.enter();
                time::pause();
            });
            runtime.block_on(async { sleep(HOUR).await });
            foreign.join().unwrap();
        }
    });
}

#[test]
fn resumed_by_a_blocking_closure_it_runs_on_for_those_who_sleep() {
    within(60, || {
        paused(2).block_on(async {
            let (go, wait) = channel();
            drop(spawn_blocking(move || {
                wait.recv().unwrap();
                thread::sleep(Duration::from_millis(20));
                time::resume();
            }));
            go.send(()).unwrap();
            sleep(Duration::from_millis(1)).await;
        });
    });
}

#[test]
fn intervals_tick_by_their_own_clock() {
    within(60, || {
        let stopped = paused(1);
        let mut ticks = {
            let _entered = stopped.enter();
            interval(SECOND)
        };
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut poll = || {
            ticks
                .poll_tick(&mut Context::from_waker(Waker::noop()))
                .is_ready()
        };
        // Polled in a runtime whose clock runs, long after the tick by that one.
        let running = current_thread();
        running.block_on(async {
            assert!(poll());
            thread::sleep(Duration::from_millis(20));
            assert!(!poll());
        });
        stopped.block_on(time::advance(SECOND));
        let _entered = running.enter();
        assert!(poll(), "a second of its own clock has passed");
        assert!(!poll());
        drop(_entered);
        stopped.block_on(time::advance(SECOND));
        assert!(poll(), "the tick before was on time");
    });
}

#[test]
fn the_runtime_ends_while_its_clock_is_held() {
    within(60, || {
        let runtime = paused(2);
        let hold = runtime.block_on(async { time::hold() });
        let task = runtime.spawn(async { sleep(HOUR).await });
        drop(runtime);
        assert!(task.is_finished());
        drop(hold);
    });
}

#[executor::test(flavor = "multi_thread", worker_threads = 2, start_paused = true)]
async fn the_attribute_pauses_it() {
    let start = Instant::now();
    spawn(sleep(HOUR)).await.unwrap();
    assert_eq!(start.elapsed(), HOUR);
}
