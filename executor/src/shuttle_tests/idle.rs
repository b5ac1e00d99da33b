//! Work finds a worker: messages, spawns, events and timers, on runtimes whose workers fall asleep all the time.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use super::support::{Census, Channel, Flag, end, runtime, wait_an_hour};
use crate::context;
use crate::driver::ReactorHandle;
use crate::rt_sync::simulated::{check, random, thread};
use crate::runtime::Runtime;
use crate::task::yield_now;
use crate::time::sleep;

/// Five tasks and a sixth that waits: two producers, a consumer, one that joins another, one that ticks.
pub(super) fn messages_and_timers(runtime: Runtime) {
    let census = Census::default();
    let channel = Channel::new();
    let producers: Vec<_> = [1, 10]
        .into_iter()
        .map(|value| {
            let (channel, counted) = (channel.clone(), census.one());
            runtime.spawn(async move {
                let _counted = counted;
                channel.send(value);
                sleep(Duration::from_millis(value)).await;
                channel.send(value);
                yield_now().await;
                channel.send(value);
            })
        })
        .collect();
    let counted = census.one();
    let consumer = runtime.spawn(async move {
        let _counted = counted;
        let mut sum = 0;
        for _ in 0..6 {
            sum += channel.recv().await;
        }
        sum
    });
    let counted = [census.one(), census.one()];
    let parent = runtime.spawn(async move {
        let [_own, child] = counted;
        let child = crate::spawn(async move {
            let _counted = child;
            yield_now().await;
            7
        });
        child.await.unwrap()
    });
    let counted = census.one();
    let ticker = runtime.spawn(async move {
        let _counted = counted;
        for _ in 0..3 {
            sleep(Duration::from_millis(1)).await;
        }
    });
    let waiting = runtime.spawn(wait_an_hour(census.one()));
    runtime.block_on(async {
        assert_eq!(consumer.await.unwrap(), 33);
        assert_eq!(parent.await.unwrap(), 7);
        ticker.await.unwrap();
        for producer in producers {
            producer.await.unwrap();
        }
    });
    end(runtime);
    drop(waiting);
    census.all_are_gone();
}

#[test]
fn shuttle_three_workers_five_tasks_a_channel_and_timers() {
    check(|| messages_and_timers(runtime(3)));
}

#[test]
fn shuttle_two_workers_five_tasks_a_channel_and_timers() {
    check(|| messages_and_timers(runtime(2)));
}

#[test]
fn shuttle_one_worker_five_tasks_a_channel_and_timers() {
    check(|| messages_and_timers(runtime(1)));
}

/// Neither timers nor a guard: who is forgotten is forgotten for ever.
#[test]
fn shuttle_no_spawn_from_outside_is_forgotten() {
    check(|| {
        let runtime = runtime(2);
        let spawners: Vec<_> = (0..2)
            .map(|_| {
                let handle = runtime.handle().clone();
                thread::spawn(move || {
                    for round in 0..3 {
                        let task = handle.spawn(async move { round });
                        assert_eq!(shuttle::future::block_on(task).unwrap(), round);
                    }
                })
            })
            .collect();
        spawners
            .into_iter()
            .for_each(|spawner| spawner.join().unwrap());
        end(runtime);
    });
}

#[test]
fn shuttle_no_message_between_tasks_is_forgotten() {
    check(|| {
        let runtime = runtime(3);
        let (there, back) = (Channel::new(), Channel::new());
        let (from, to) = (there.clone(), back.clone());
        let echo = runtime.spawn(async move {
            for _ in 0..4 {
                to.send(from.recv().await);
            }
        });
        let burst = runtime.spawn(async move {
            let tasks: Vec<_> = (0..4).map(|n| crate::spawn(async move { n })).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        runtime.block_on(async {
            for round in 0..4 {
                there.send(round);
                assert_eq!(back.recv().await, round);
            }
            echo.await.unwrap();
            assert_eq!(burst.await.unwrap(), 6);
        });
        end(runtime);
    });
}

/// Two tasks block their threads until the third has run, which came from outside as they did: one free worker is enough, and no guard
/// is needed.
#[test]
fn shuttle_one_free_worker_is_enough() {
    check(|| {
        let runtime = runtime(3);
        let flag = Flag::new();
        let free = random() % 3;
        let tasks: Vec<_> = (0..3)
            .map(|n| {
                let flag = flag.clone();
                runtime.spawn(async move {
                    match n == free {
                        true => flag.set(),
                        false => flag.block(),
                    }
                })
            })
            .collect();
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        end(runtime);
    });
}

/// Something outside happens once, and a task waits for it.
struct Event {
    handle: ReactorHandle,
    has_come: Arc<AtomicBool>,
}

impl Event {
    async fn wait(self) {
        let mut is_asked_for = false;
        poll_fn(|cx| {
            if self.has_come.load(Relaxed) {
                return Poll::Ready(());
            }
            if !is_asked_for {
                is_asked_for = true;
                let (handle, has_come) = (self.handle.clone(), self.has_come.clone());
                let waker = cx.waker().clone();
                thread::spawn(move || {
                    has_come.store(true, Relaxed);
                    handle.event(waker);
                });
            }
            Poll::Pending
        })
        .await;
    }
}

#[test]
fn shuttle_no_event_is_forgotten() {
    check(|| {
        let runtime = runtime(2);
        let handle = {
            let _entered = runtime.enter();
            context::with_current(|state| state.scheduler.driver().handle().clone())
        };
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let event = Event {
                    handle: handle.clone(),
                    has_come: Arc::default(),
                };
                runtime.spawn(event.wait())
            })
            .collect();
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        end(runtime);
    });
}
