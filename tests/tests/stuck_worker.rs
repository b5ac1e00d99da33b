//! One task that holds its thread must not stop the others: while one worker is free, tasks, timers and sockets go on.
//!
//! In each test a task blocks its thread until something else has happened that only the rest of the runtime can bring about. If the
//! runtime waited for the thread, the test would wait for ever.

use std::collections::HashSet;
use std::future::{Future, ready};
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Wake};
use std::thread;
use std::time::{Duration, Instant};

use executor::runtime::{Builder, Handle};

use crate::support::{within, workers};

/// Spawns, from a worker, a task in its next slot, and then holds that worker until the task has run.
#[test]
fn a_task_in_the_next_slot_of_a_stuck_worker_runs_elsewhere() {
    within(30, || {
        let runtime = workers(2);
        let stuck = runtime.spawn(async {
            let (done, wait) = mpsc::channel();
            executor::spawn(async move { done.send(()).unwrap() });
            wait.recv().unwrap();
        });
        runtime.block_on(stuck).unwrap();
    });
}

#[test]
fn a_task_in_the_queue_of_a_stuck_worker_runs_elsewhere() {
    within(30, || {
        let runtime = workers(2);
        let stuck = runtime.spawn(async {
            let (done, wait) = mpsc::channel();
            for _ in 0..100 {
                let done = done.clone();
                executor::spawn(async move {
                    executor::task::yield_now().await;
                    done.send(()).unwrap();
                });
            }
            (0..100).for_each(|_| wait.recv().unwrap());
        });
        runtime.block_on(stuck).unwrap();
    });
}

/// The stuck worker has just been woken by the reactor, whose duty it held.
#[test]
fn timers_go_on_while_a_worker_is_stuck() {
    within(30, || {
        let runtime = workers(2);
        let stuck = runtime.spawn(async {
            let (done, wait) = mpsc::channel();
            executor::spawn(async move {
                for _ in 0..20 {
                    executor::time::sleep(Duration::from_millis(1)).await;
                }
                done.send(()).unwrap();
            });
            // The first timer makes this worker the one that has just left the driver.
            executor::time::sleep(Duration::from_millis(1)).await;
            wait.recv().unwrap();
        });
        runtime.block_on(stuck).unwrap();
    });
}

#[test]
fn sockets_go_on_while_a_worker_is_stuck() {
    within(30, || {
        let runtime = workers(2);
        let listener = runtime
            .block_on(executor::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                executor::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    executor::io::copy(&mut reader, &mut writer).await.unwrap();
                });
            }
        });
        let echo = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            for _ in 0..10 {
                stream.write_all(b"ping").unwrap();
                let mut answer = [0; 4];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(&answer, b"ping");
            }
        };
        // Both ways to be stuck: from the start, and after an event.
        let stuck = runtime.spawn(async move { echo() });
        runtime.block_on(stuck).unwrap();
        let stuck = runtime.spawn(async move {
            executor::time::sleep(Duration::from_millis(1)).await;
            echo();
        });
        runtime.block_on(stuck).unwrap();
    });
}

#[test]
fn a_spawn_from_outside_runs_while_a_worker_is_stuck() {
    within(30, || {
        let runtime = workers(2);
        let (release, wait) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let stuck = runtime.spawn(async move {
            started.send(()).unwrap();
            wait.recv().unwrap();
        });
        has_started.recv().unwrap();
        for _ in 0..100 {
            runtime.block_on(runtime.spawn(async {})).unwrap();
        }
        release.send(()).unwrap();
        runtime.block_on(stuck).unwrap();
    });
}

/// A waker that blocks, in the hands of a worker that was called for work in the same moment: it was expected to look for more.
#[test]
fn a_spawn_from_outside_runs_while_a_waker_blocks_its_worker() {
    struct Blocking(Handle, mpsc::Sender<()>);
    impl Wake for Blocking {
        fn wake(self: Arc<Self>) {
            let (done, wait) = mpsc::channel();
            thread::scope(|scope| {
                scope.spawn(|| self.0.spawn(async move { done.send(()).unwrap() }));
            });
            wait.recv().unwrap();
            self.1.send(()).unwrap();
        }
    }
    within(60, || {
        let runtime = workers(2);
        let mut round = 0;
        while round < 300 {
            let (finished, finish) = mpsc::channel();
            let waker = Arc::new(Blocking(runtime.handle().clone(), finished)).into();
            let start = Instant::now();
            let entered = runtime.enter();
            let mut timer = pin!(executor::time::sleep(Duration::from_millis(1)));
            let first = timer.as_mut().poll(&mut Context::from_waker(&waker));
            drop(entered);
            if first.is_ready() {
                // This thread did not run for a millisecond: the round does not count.
                continue;
            }
            round += 1;
            // The timer's event and the call meet in some of the rounds.
            let call = start + Duration::from_micros(1000 + round % 100 * 2);
            while Instant::now() < call {
                std::hint::spin_loop();
            }
            drop(runtime.spawn(async {}));
            finish.recv().unwrap();
        }
    });
}

/// They are few, and polls have been short: the worker that has them called nobody.
#[test]
fn what_a_batch_of_events_has_woken_runs_elsewhere_if_the_first_of_it_gets_stuck() {
    after_batches_of_short_polls(async {
        let (others, seen) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        batch(move || {
            let before = seen.fetch_add(1, SeqCst);
            if before == 0 || before == BATCH - 1 {
                others.wait();
            }
            ready(())
        })
        .await;
    });
}

/// No poll is long, but there are more of them than it seemed.
#[test]
fn what_a_batch_of_events_has_woken_runs_elsewhere_if_it_goes_on() {
    after_batches_of_short_polls(async {
        let seen = Arc::new(Mutex::new(HashSet::new()));
        batch(move || {
            let seen = seen.clone();
            async move {
                while seen.lock().unwrap().len() < 2 {
                    seen.lock().unwrap().insert(thread::current().id());
                    executor::task::yield_now().await;
                }
            }
        })
        .await;
    });
}

/// So few that a worker calls nobody for them.
const BATCH: usize = 8;

fn after_batches_of_short_polls(then: impl Future<Output = ()> + Send + 'static) {
    within(30, || {
        // Without a spare worker, who would find them, too.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_spare_workers(0)
            .build()
            .unwrap();
        let batches = runtime.spawn(async {
            for _ in 0..300 {
                batch(|| ready(())).await;
            }
            then.await;
        });
        runtime.block_on(batches).unwrap();
    });
}

/// Tasks that one event wakes.
async fn batch<F: Future<Output = ()> + Send>(each: impl Fn() -> F + Clone + Send + 'static) {
    let due = executor::time::Instant::now() + Duration::from_millis(1);
    let tasks = (0..BATCH).map(|_| {
        let each = each.clone();
        executor::spawn(async move {
            executor::time::sleep_until(due).await;
            each().await;
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// The other worker never searches, because a task that yields without end keeps it in work.
#[test]
fn a_worker_that_is_never_out_of_work_takes_what_waits_behind_a_stuck_one() {
    within(30, || {
        let runtime = workers(2);
        let last = Arc::new(Mutex::new(None));
        let stop = Arc::new(AtomicBool::new(false));
        let (here, stopped) = (last.clone(), stop.clone());
        let restless = runtime.spawn(async move {
            while !stopped.load(SeqCst) {
                *here.lock().unwrap() = Some(thread::current().id());
                executor::task::yield_now().await;
            }
        });
        let stuck = runtime.spawn(async move {
            // Until the restless task is at work on the other thread.
            while last
                .lock()
                .unwrap()
                .is_none_or(|id| id == thread::current().id())
            {
                executor::task::yield_now().await;
            }
            let (done, wait) = mpsc::channel();
            executor::spawn(async move { done.send(()).unwrap() });
            wait.recv().unwrap();
        });
        runtime.block_on(stuck).unwrap();
        stop.store(true, SeqCst);
        runtime.block_on(restless).unwrap();
    });
}

/// Workers beyond the number of processors are called only as far as an allowance goes, which the work before has used up.
#[test]
fn each_of_many_workers_takes_a_task_that_blocks_after_much_work_that_does_not() {
    after_much_work_on_many_workers(async {
        let all_are_here = Arc::new(Barrier::new(MANY));
        let blocked = (0..MANY).map(|_| {
            let all_are_here = all_are_here.clone();
            executor::spawn(async move {
                all_are_here.wait();
            })
        });
        for task in blocked.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

/// No poll lasts from one look of the guard to the next, so none is stuck.
#[test]
fn each_of_many_workers_takes_part_in_polls_that_block_for_a_moment_after_much_work_that_does_not()
{
    after_much_work_on_many_workers(async {
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let tasks = (0..2 * MANY).map(|_| {
            let seen = seen.clone();
            executor::spawn(async move {
                while seen.lock().unwrap().len() < MANY {
                    thread::sleep(Duration::from_millis(1));
                    seen.lock().unwrap().insert(thread::current().id());
                    executor::task::yield_now().await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

const MANY: usize = 16;

/// Runs `then` on so many workers, none of which is replaced, when they have done what blocks nowhere.
fn after_much_work_on_many_workers(then: impl Future<Output = ()> + Send + 'static) {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(MANY)
            .max_spare_workers(0)
            .build()
            .unwrap();
        let work = runtime.spawn(async {
            for _ in 0..100 {
                let pairs = (0..100).map(|_| {
                    executor::spawn(async {
                        executor::spawn(executor::task::yield_now()).await.unwrap();
                    })
                });
                for pair in pairs.collect::<Vec<_>>() {
                    pair.await.unwrap();
                }
            }
            then.await;
        });
        runtime.block_on(work).unwrap();
    });
}
