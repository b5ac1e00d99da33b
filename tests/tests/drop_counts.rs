//! Whatever holds values of the user's drops each of them once, however full it is: queues, sets, the pool, timers, sockets.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::net::UnixStream;
use executor::runtime::{Builder, Handle};
use executor::task::{JoinHandle, JoinSet, LocalSet, yield_now};
use executor::time::sleep;

use crate::support::{Counted, Drops, each_runtime, until, within, workers};

/// Around the sizes of batches, blocks and pages.
const LEVELS: [usize; 10] = [0, 1, 2, 31, 32, 61, 62, 64, 65, 1000];

fn each_level(test: impl Fn(usize)) {
    within(120, || LEVELS.into_iter().for_each(test));
}

async fn holds(value: Counted) {
    let _value = value;
    pending::<()>().await;
}

/// What becomes of the handles of tasks while their runtime ends.
#[derive(Clone, Copy, Debug)]
enum Handles {
    Detached,
    Kept,
    DroppedMeanwhile,
    AbortedMeanwhile,
}

impl Handles {
    const ALL: [Self; 4] = [
        Self::Detached,
        Self::Kept,
        Self::DroppedMeanwhile,
        Self::AbortedMeanwhile,
    ];

    /// Calls `end` in the state that `self` says.
    fn around(self, handles: Vec<JoinHandle<()>>, end: impl FnOnce()) {
        match self {
            Self::Detached => {
                drop(handles);
                end();
            }
            Self::Kept => {
                end();
                drop(handles);
            }
            Self::DroppedMeanwhile | Self::AbortedMeanwhile => thread::scope(|scope| {
                scope.spawn(|| {
                    for handle in handles {
                        if matches!(self, Self::AbortedMeanwhile) {
                            handle.abort();
                        }
                    }
                });
                end();
            }),
        }
    }
}

#[test]
fn tasks_in_the_queue_for_other_threads() {
    each_level(|level| {
        for handles in Handles::ALL {
            each_runtime(|runtime| {
                let drops = Drops::default();
                let tasks = (0..level)
                    .map(|_| runtime.spawn(holds(drops.value())))
                    .collect();
                handles.around(tasks, || drop(runtime));
                assert_eq!(drops.count(), level, "{handles:?}");
            });
        }
    });
}

#[test]
fn tasks_in_the_queue_of_their_worker_and_tasks_that_wait() {
    each_level(|level| {
        for handles in Handles::ALL {
            each_runtime(|runtime| {
                let drops = Drops::default();
                let values: Vec<_> = (0..2 * level).map(|_| drops.value()).collect();
                let tasks = runtime.block_on(runtime.spawn(async move {
                    let mut values = values.into_iter();
                    let mut spawn = || executor::spawn(holds(values.next().unwrap()));
                    let mut tasks: Vec<_> = (0..level).map(|_| spawn()).collect();
                    // Most of those wait now, and of these, most are in the queue.
                    yield_now().await;
                    tasks.extend((0..level).map(|_| spawn()));
                    tasks
                }));
                handles.around(tasks.unwrap(), || drop(runtime));
                assert_eq!(drops.count(), 2 * level, "{handles:?}");
            });
        }
    });
}

#[test]
fn sets_of_tasks_that_have_ended_in_every_way_or_not_at_all() {
    each_level(|level| {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let mut set = JoinSet::new();
            for _ in 0..level {
                let value = drops.value();
                set.spawn_on(async move { Some(value) }, runtime.handle());
                let value = drops.value();
                let aborted = async move {
                    holds(value).await;
                    None
                };
                set.spawn_on(aborted, runtime.handle()).abort();
                let value = drops.value();
                let waits = async move {
                    holds(value).await;
                    None
                };
                set.spawn_on(waits, runtime.handle());
            }
            runtime.block_on(async {
                // Half of those that end are taken out.
                for _ in 0..level {
                    let _ = set.join_next().await.unwrap();
                }
            });
            drop(set);
            drop(runtime);
            assert_eq!(drops.count(), 3 * level);
        });
    });
}

#[test]
fn an_iterator_that_panics_leaves_the_set_whole() {
    each_runtime(|runtime| {
        let drops = Drops::default();
        let _entered = runtime.enter();
        let mut set = JoinSet::new();
        let futures = (0..100).map(|n| {
            assert!(n < 50, "the iterator's panic");
            holds(drops.value())
        });
        assert!(catch_unwind(AssertUnwindSafe(|| set.extend(futures))).is_err());
        assert_eq!(set.len(), 50);
        runtime.block_on(set.shutdown());
        assert_eq!(drops.count(), 50);
    });
}

#[test]
fn local_sets_with_tasks_unpolled_waiting_and_woken_elsewhere() {
    each_level(|level| {
        let drops = Drops::default();
        let set = LocalSet::new();
        let (wakers, woken) = mpsc::channel();
        for _ in 0..level {
            let (value, wakers) = (drops.value(), wakers.clone());
            set.spawn_local(async move {
                let _value = value;
                std::future::poll_fn(|cx| {
                    let _ = wakers.send(cx.waker().clone());
                    std::task::Poll::<()>::Pending
                })
                .await;
            });
        }
        // Some are polled, and wait.
        let mut set = Box::pin(set);
        let _ = set.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let unpolled: Vec<_> = (0..level)
            .map(|_| set.spawn_local(holds(drops.value())))
            .collect();
        thread::scope(|scope| {
            scope.spawn(move || woken.try_iter().for_each(Waker::wake));
            scope.spawn(|| unpolled.iter().for_each(JoinHandle::abort));
            drop(set);
        });
        assert_eq!(drops.count(), 2 * level);
    });
}

#[test]
fn closures_that_wait_for_a_thread() {
    each_level(|level| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let drops = Drops::default();
        let (end, wait) = mpsc::channel::<()>();
        let first = runtime.spawn_blocking(move || wait.recv());
        let waiting: Vec<_> = (0..level)
            .map(|_| {
                let value = drops.value();
                runtime.spawn_blocking(move || drop(value))
            })
            .collect();
        waiting.iter().step_by(2).for_each(JoinHandle::abort);
        runtime.shutdown_background();
        drop(end);
        until(|| first.is_finished() && drops.count() == level);
        drop(waiting);
        assert_eq!(drops.count(), level);
    });
}

/// Woken or not, it counts what holds it.
struct Quiet;

impl Wake for Quiet {
    fn wake(self: Arc<Self>) {}
}

/// Runs `wait` with so many wakers, with half of its futures dropped before `end` and half after it. No waker may be left.
fn leaves_no_waker<F: Future>(
    level: usize,
    handle: &Handle,
    wait: impl Fn() -> Pin<Box<F>>,
    end: impl FnOnce(),
) {
    let wake = Arc::new(Quiet);
    let waker = Waker::from(wake.clone());
    let mut futures: Vec<_> = {
        let _entered = handle.enter();
        (0..level).map(|_| wait()).collect()
    };
    for future in &mut futures {
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    drop(waker);
    assert!(level == 0 || Arc::strong_count(&wake) > 1);
    futures.truncate(level / 2);
    end();
    drop(futures);
    assert_eq!(Arc::strong_count(&wake), 1);
}

#[test]
fn wakers_of_timers() {
    each_level(|level| {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let wait = || Box::pin(sleep(Duration::from_secs(3600)));
            leaves_no_waker(level, &handle, wait, || drop(runtime));
        });
    });
}

#[test]
fn wakers_of_sockets() {
    each_level(|level| {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let (ours, _peer) = runtime.block_on(async { UnixStream::pair().unwrap() });
            let wait = || Box::pin(ours.readable());
            leaves_no_waker(level, &handle, wait, || drop(runtime));
        });
    });
}

#[test]
fn wakers_of_handles() {
    each_level(|level| {
        let runtime = workers(2);
        let handle = runtime.handle().clone();
        let wait = || Box::pin(handle.spawn(pending::<()>()));
        leaves_no_waker(level, &handle, wait, || drop(runtime));
    });
}

/// Says as which task it is dropped.
struct DroppedAs(std::sync::mpsc::Sender<Option<executor::task::Id>>);

impl Drop for DroppedAs {
    fn drop(&mut self) {
        let _ = self.0.send(executor::task::try_id());
    }
}

#[test]
fn destructors_of_a_future_and_of_an_output_run_as_the_task() {
    use executor::task::yield_now;

    let runtime = executor::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (send, dropped) = std::sync::mpsc::channel();
        let guard = || DroppedAs(send.clone());

        let future = guard();
        let task = executor::spawn(async move {
            let _future = future;
            std::future::pending::<()>().await;
        });
        yield_now().await;
        let id = task.id();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(dropped.try_recv(), Ok(Some(id)), "a future");

        // Whoever has the last reference frees the task in a short way. With another one in hand there is a long one.
        for (ends_first, another) in [(false, false), (false, true), (true, false), (true, true)] {
            let output = guard();
            let task = executor::spawn(async move { output });
            let id = task.id();
            let _another = another.then(|| task.abort_handle());
            if ends_first {
                yield_now().await;
                assert!(task.is_finished());
            }
            drop(task);
            yield_now().await;
            let case = (ends_first, another);
            assert_eq!(dropped.try_recv(), Ok(Some(id)), "an output: {case:?}");
        }
    });
}
