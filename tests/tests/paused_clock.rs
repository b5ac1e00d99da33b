//! The clock that stands still: jumps when everything waits, and only then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use executor::runtime::Builder;
use executor::task::{spawn_blocking, yield_now};
use executor::time::{self, Instant, interval, sleep};

use crate::support::{current_thread, pair_with_std, paused, within};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_hour_takes_no_time() {
    within(30, || {
        let real = std::time::Instant::now();
        paused().block_on(async {
            let start = Instant::now();
            let long = executor::spawn(sleep(2 * 3600 * SECOND));
            sleep(3600 * SECOND).await;
            assert_eq!(start.elapsed(), 3600 * SECOND);
            long.await.unwrap();
            assert_eq!(start.elapsed(), 7200 * SECOND);
        });
        assert!(real.elapsed() < 20 * SECOND);
    });
}

#[test]
fn it_stands_still_while_tasks_run() {
    paused().block_on(async {
        let start = Instant::now();
        thread::sleep(Duration::from_millis(5));
        for _ in 0..1000 {
            yield_now().await;
        }
        executor::spawn(async {}).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn tasks_run_in_the_order_of_their_timers() {
    let log = Arc::new(Mutex::new(Vec::new()));
    paused().block_on(async {
        let start = Instant::now();
        let tasks = [5, 1, 4, 1, 3, 2, 5].map(|seconds| {
            let log = log.clone();
            executor::spawn(async move {
                sleep(seconds * SECOND).await;
                assert_eq!(start.elapsed(), seconds * SECOND);
                log.lock().unwrap().push(seconds);
            })
        });
        futures::future::join_all(tasks)
            .await
            .into_iter()
            .for_each(Result::unwrap);
    });
    assert_eq!(*log.lock().unwrap(), [1, 1, 2, 3, 4, 5, 5]);
}

#[test]
fn advance_moves_it_exactly_and_lets_the_due_tasks_run() {
    within(30, || {
        paused().block_on(async {
            let start = Instant::now();
            let task = executor::spawn(async move {
                sleep(SECOND).await;
                start.elapsed()
            });
            let late = executor::spawn(sleep(10 * SECOND));
            yield_now().await;
            time::advance(SECOND / 2).await;
            assert!(!task.is_finished());
            time::advance(SECOND / 2).await;
            assert!(task.is_finished() && !late.is_finished());
            assert_eq!((task.await.unwrap(), start.elapsed()), (SECOND, SECOND));
            time::advance(Duration::ZERO).await;
            time::advance(20 * SECOND).await;
            assert!(late.is_finished());
            assert_eq!(start.elapsed(), 21 * SECOND);
        });
    });
}

#[test]
fn advance_past_the_end_of_time_panics_and_leaves_the_clock() {
    paused().block_on(async {
        let start = Instant::now();
        let far = executor::spawn(time::advance(Duration::MAX)).await;
        assert!(far.unwrap_err().is_panic());
        time::advance(SECOND).await;
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn resumed_it_runs_on_from_where_it_stood() {
    within(30, || {
        paused().block_on(async {
            let start = Instant::now();
            time::advance(3600 * SECOND).await;
            time::resume();
            let real = std::time::Instant::now();
            sleep(Duration::from_millis(5)).await;
            assert!(real.elapsed() >= Duration::from_millis(5));
            assert!(start.elapsed() >= 3600 * SECOND + Duration::from_millis(5));
            time::pause();
            let stopped = Instant::now();
            thread::sleep(Duration::from_millis(2));
            assert_eq!(stopped, Instant::now());
            sleep(SECOND).await;
            assert_eq!(stopped.elapsed(), SECOND);
        });
    });
}

#[test]
fn paused_in_the_middle_timers_of_before_fire_exactly() {
    within(30, || {
        current_thread().block_on(async {
            let start = Instant::now();
            let task = executor::spawn(async move {
                sleep(60 * SECOND).await;
                start.elapsed()
            });
            sleep(Duration::from_millis(1)).await;
            time::pause();
            let elapsed = task.await.unwrap();
            assert!((60 * SECOND..61 * SECOND).contains(&elapsed), "{elapsed:?}");
        });
    });
}

#[test]
fn misuse_panics_with_texts_that_name_the_cure() {
    let text = |f: fn()| {
        let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
        panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref().cloned())
            .unwrap()
    };
    {
        let runtime = paused();
        let _entered = runtime.enter();
        assert!(text(time::pause).contains("resume"));
        time::resume();
        assert!(text(time::resume).contains("pause"));
    }
    for outside in [time::pause, time::resume, || drop(time::hold())] {
        assert!(text(outside).contains("Handle::enter"));
    }
}

#[test]
fn it_does_not_jump_while_a_blocking_closure_runs() {
    within(30, || {
        paused().block_on(async {
            let start = Instant::now();
            let (release, wait) = channel::<()>();
            let sleeper = executor::spawn(sleep(3600 * SECOND));
            let job = spawn_blocking(move || wait.recv().unwrap());
            let foreign = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                release.send(()).unwrap();
            });
            job.await.unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO);
            sleeper.await.unwrap();
            assert_eq!(start.elapsed(), 3600 * SECOND);
            foreign.join().unwrap();
        });
    });
}

#[test]
fn the_end_of_a_blocking_closure_comes_before_the_jump() {
    within(60, || {
        paused().block_on(async {
            let _far = executor::spawn(sleep(3600 * SECOND));
            for n in 0..20_000 {
                let start = Instant::now();
                spawn_blocking(|| ()).await.unwrap();
                assert_eq!(start.elapsed(), Duration::ZERO, "in round {n}");
            }
        });
    });
}

#[test]
fn cancelled_and_panicking_closures_let_it_go_on() {
    crate::panics::quiet();
    within(30, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (release, wait) = channel::<()>();
            let first = spawn_blocking(move || wait.recv().unwrap());
            let queued = spawn_blocking(|| ());
            let panicking = spawn_blocking(|| panic!("expected"));
            queued.abort();
            release.send(()).unwrap();
            first.await.unwrap();
            assert!(queued.await.unwrap_err().is_cancelled());
            assert!(panicking.await.unwrap_err().is_panic());
            let start = Instant::now();
            sleep(SECOND).await;
            assert_eq!(start.elapsed(), SECOND);
        });
    });
}

#[test]
fn a_hundred_thousand_timers_of_one_instant_fire_in_it() {
    within(60, || {
        paused().block_on(async {
            let start = Instant::now();
            let tasks: Vec<_> = (0..100_000)
                .map(|_| {
                    executor::spawn(async move {
                        sleep(SECOND).await;
                        start.elapsed()
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), SECOND);
            }
        });
    });
}

#[test]
fn advance_lets_all_due_tasks_run_however_many() {
    within(60, || {
        let runtime = paused();
        // In a task: the future given to `block_on` has its turn after a bounded number of tasks.
        let task = runtime.spawn(async {
            let tasks: Vec<_> = (0..5000).map(|_| executor::spawn(sleep(SECOND))).collect();
            yield_now().await;
            time::advance(SECOND).await;
            tasks.iter().filter(|task| task.is_finished()).count()
        });
        assert_eq!(runtime.block_on(task).unwrap(), 5000);
    });
}

#[test]
fn a_foreign_thread_is_heard_while_everything_waits_for_it() {
    use futures::{SinkExt, StreamExt};
    within(60, || {
        for timer in [false, true] {
            let (mut ask, mut asked) = futures::channel::mpsc::channel(1);
            let (mut answer, mut answers) = futures::channel::mpsc::channel(1);
            let foreign = thread::spawn(move || {
                crate::support::block_on(async {
                    while let Some(n) = asked.next().await {
                        answer.send(n).await.unwrap();
                    }
                })
            });
            paused().block_on(async move {
                // With a timer, time flies while the foreign thread thinks; the answers come all the same.
                let _ticks = timer.then(|| {
                    executor::spawn(async {
                        let mut interval = interval(SECOND);
                        loop {
                            interval.tick().await;
                        }
                    })
                });
                for n in 0..20_000 {
                    ask.send(n).await.unwrap();
                    assert_eq!(answers.next().await, Some(n));
                }
            });
            foreign.join().unwrap();
        }
    });
}

#[test]
fn a_timer_keeps_to_its_own_clock_when_polled_elsewhere() {
    use std::future::Future;
    use std::task::{Context, Waker};
    let runtime = paused();
    let mut timer = {
        let _entered = runtime.enter();
        Box::pin(sleep(Duration::from_millis(1)))
    };
    // On the real clock the deadline passes; on its own no time does.
    thread::sleep(Duration::from_millis(5));
    assert!(
        timer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    runtime.block_on(timer);
}

#[test]
fn events_come_though_tasks_never_rest() {
    within(30, || {
        paused().block_on(async {
            let (socket, peer) = pair_with_std().await;
            let reader = executor::spawn(async move {
                futures::AsyncReadExt::read_exact(&mut { socket }, &mut [0; 4])
                    .await
                    .unwrap();
            });
            yield_now().await;
            std::io::Write::write_all(&mut &peer, b"ping").unwrap();
            while !reader.is_finished() {
                yield_now().await;
            }
        });
    });
}

/// The closure holds the clock until its end, so the runtime sleeps without a deadline; nobody awaits the closure.
#[test]
fn resumed_by_a_blocking_closure_it_runs_on_for_those_who_sleep() {
    within(30, || {
        paused().block_on(async {
            let (go, wait) = channel();
            drop(spawn_blocking(move || {
                wait.recv().unwrap();
                // Long enough for the runtime to fall asleep.
                thread::sleep(Duration::from_millis(50));
                time::resume();
            }));
            go.send(()).unwrap();
            sleep(Duration::from_millis(1)).await;
        });
    });
}

#[test]
fn a_waker_may_advance_it() {
    within(30, || {
        struct Advance(Arc<Mutex<Vec<Duration>>>, Instant);
        impl std::task::Wake for Advance {
            fn wake(self: Arc<Self>) {
                let mut advance = Box::pin(time::advance(SECOND));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(advance.as_mut().poll(&mut context).is_pending());
                self.0.lock().unwrap().push(self.1.elapsed());
            }
        }
        paused().block_on(async {
            let times = Arc::new(Mutex::new(Vec::new()));
            let waker = Arc::new(Advance(times.clone(), Instant::now())).into();
            let mut timer = Box::pin(sleep(SECOND));
            let mut context = std::task::Context::from_waker(&waker);
            assert!(timer.as_mut().poll(&mut context).is_pending());
            // Its timer falls due by what the waker does.
            sleep(2 * SECOND).await;
            assert_eq!(*times.lock().unwrap(), [2 * SECOND]);
        });
    });
}
