//! The wakers of tasks: during a poll, after the end, without their runtime, on any thread.

#![expect(
    clippy::waker_clone_wake,
    reason = "waking by value and by reference are two functions"
)]

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::runtime::Runtime;
use executor::task::JoinHandle;

use crate::support::{Drops, block_on, each_runtime, within, workers};

/// A task that hands out a waker at each poll and never ends.
fn waiting_task(runtime: &Runtime, drops: &Drops, wakers: Sender<Waker>) -> JoinHandle<()> {
    let value = drops.value();
    runtime.spawn(async move {
        let _value = value;
        poll_fn(|context| {
            wakers.send(context.waker().clone()).unwrap();
            Poll::Pending
        })
        .await
    })
}

#[test]
fn waking_a_finished_task_does_nothing() {
    within(60, || {
        each_runtime(|runtime| {
            let (send, wakers) = channel();
            let task = runtime.spawn(poll_fn(move |context| {
                send.send(context.waker().clone()).unwrap();
                Poll::Ready(1)
            }));
            assert_eq!(runtime.block_on(task).unwrap(), 1);
            let waker = wakers.recv().unwrap();
            for _ in 0..1000 {
                waker.wake_by_ref();
                waker.clone().wake();
            }
            waker.wake();
            assert!(wakers.recv().is_err(), "polled again");
        });
    });
}

#[test]
fn a_million_clones_of_a_waker_leave_the_task_alone() {
    within(60, || {
        let runtime = workers(1);
        let (drops, (send, wakers)) = (Drops::default(), channel());
        let task = waiting_task(&runtime, &drops, send);
        let waker = wakers.recv().unwrap();
        for _ in 0..100 {
            drop(vec![waker.clone(); 10_000]);
        }
        assert_eq!(drops.count(), 0);
        waker.wake_by_ref();
        wakers.recv().unwrap();
        task.abort();
        assert!(block_on(task).unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn two_wakes_before_a_poll_are_one() {
    let runtime = crate::support::current_thread();
    let (drops, (send, wakers)) = (Drops::default(), channel());
    let _task = waiting_task(&runtime, &drops, send);
    runtime.block_on(executor::task::yield_now());
    let waker = wakers.try_recv().unwrap();
    waker.clone().wake();
    waker.clone().wake();
    waker.wake_by_ref();
    for _ in 0..10 {
        runtime.block_on(executor::task::yield_now());
    }
    assert_eq!(wakers.try_iter().count(), 1);
}

#[test]
fn a_wake_during_the_poll_leads_to_exactly_one_more() {
    within(60, || {
        each_runtime(|runtime| {
            let mut polls = 0;
            let count = runtime.block_on(runtime.spawn(poll_fn(move |context| {
                polls += 1;
                if polls > 100 {
                    return Poll::Ready(polls);
                }
                context.waker().wake_by_ref();
                context.waker().clone().wake();
                Poll::Pending
            })));
            assert_eq!(count.unwrap(), 101);
        });
    });
}

/// A future that another thread wakes while it is polled, again and again.
#[test]
fn a_wake_from_another_thread_during_the_poll_is_not_lost() {
    within(60, || {
        each_runtime(|runtime| {
            let (send, wakers) = channel::<Waker>();
            let foreign = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
            let mut polls = 0;
            let task = runtime.spawn(poll_fn(move |context| {
                polls += 1;
                if polls == 20_000 {
                    return Poll::Ready(());
                }
                // From here on only this one wake can bring the next poll.
                send.send(context.waker().clone()).unwrap();
                // Vary by how much the poll outlives the send.
                (0..polls % 64).for_each(|_| std::hint::spin_loop());
                Poll::Pending
            }));
            runtime.block_on(task).unwrap();
            foreign.join().unwrap();
        });
    });
}

#[test]
fn a_thousand_wakers_outlive_their_runtime() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let (send, wakers) = channel();
            let tasks: Vec<_> = (0..1000)
                .map(|_| waiting_task(&runtime, &drops, send.clone()))
                .collect();
            let wakers: Vec<_> = runtime.block_on(async {
                let mut all = Vec::new();
                while all.len() < 1000 {
                    all.extend(wakers.try_iter());
                    executor::task::yield_now().await;
                }
                all
            });
            drop(runtime);
            assert_eq!(drops.count(), 1000, "wakers keep futures alive");
            let foreign = thread::spawn(move || {
                for (n, waker) in wakers.into_iter().enumerate() {
                    let clone = waker.clone();
                    waker.wake_by_ref();
                    match n % 3 {
                        0 => clone.wake(),
                        1 => drop(clone),
                        _ => waker.clone().wake(),
                    }
                }
            });
            foreign.join().unwrap();
            for task in tasks {
                assert!(block_on(task).unwrap_err().is_cancelled());
            }
        });
    });
}

#[test]
fn wakes_from_many_threads_while_the_runtime_ends() {
    within(60, || {
        for round in 0..30 {
            let runtime = workers(1 + round % 2);
            let drops = Drops::default();
            let (send, wakers) = channel();
            let _tasks: Vec<_> = (0..50)
                .map(|_| waiting_task(&runtime, &drops, send.clone()))
                .collect();
            drop(send);
            let wakers: Vec<_> = (0..50).map(|_| wakers.recv().unwrap()).collect();
            let ended = Arc::new(AtomicUsize::new(0));
            thread::scope(|scope| {
                for part in wakers.chunks(25) {
                    let ended = ended.clone();
                    scope.spawn(move || {
                        while ended.load(SeqCst) == 0 {
                            part.iter().for_each(Waker::wake_by_ref);
                        }
                    });
                }
                // Polls go on, so the channel must be drained; it is enough that they do not block.
                drop(runtime);
                ended.store(1, SeqCst);
            });
            assert_eq!(drops.count(), 50);
        }
    });
}

/// Does something to a waker when its thread ends.
struct AtThreadEnd(RefCell<Option<(Waker, Use)>>);

type Use = fn(Waker);

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        if let Some((waker, f)) = self.0.take() {
            f(waker);
        }
    }
}

thread_local! {
    static AT_END: AtThreadEnd = const { AtThreadEnd(RefCell::new(None)) };
}

#[test]
fn a_waker_is_used_in_the_destructor_of_a_thread_local() {
    within(60, || {
        let uses: [Use; 4] = [
            Waker::wake,
            |waker| waker.wake_by_ref(),
            drop,
            |waker| drop(waker.clone()),
        ];
        for f in uses {
            for runtime_lives in [true, false] {
                let runtime = workers(1);
                let (drops, (send, wakers)) = (Drops::default(), channel());
                let task = waiting_task(&runtime, &drops, send);
                let waker = wakers.recv().unwrap();
                let mut runtime = Some(runtime);
                if !runtime_lives {
                    drop(runtime.take());
                }
                thread::spawn(move || {
                    AT_END.with(|at_end| *at_end.0.borrow_mut() = Some((waker, f)))
                })
                .join()
                .unwrap();
                drop(runtime);
                assert!(block_on(task).unwrap_err().is_cancelled());
                assert_eq!(drops.count(), 1);
            }
        }
    });
}

#[test]
fn a_waker_is_used_in_the_destructor_of_a_workers_thread_local() {
    within(60, || {
        let runtime = workers(1);
        let drops = Drops::default();
        let value = drops.value();
        let task = runtime.spawn(async move {
            let _value = value;
            let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            AT_END.with(|at_end| *at_end.0.borrow_mut() = Some((waker, Waker::wake)));
            pending::<()>().await;
        });
        drop(runtime);
        assert!(block_on(task).unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_task_that_keeps_its_own_waker_is_freed() {
    struct KeepsItsWaker(
        Option<Waker>,
        #[expect(dead_code, reason = "only its drop counts")] crate::support::Counted,
    );
    impl Future for KeepsItsWaker {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            self.0 = Some(context.waker().clone());
            Poll::Pending
        }
    }
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let tasks: Vec<_> = (0..100)
                .map(|_| runtime.spawn(KeepsItsWaker(None, drops.value())))
                .collect();
            runtime.block_on(executor::task::yield_now());
            drop(tasks);
            drop(runtime);
            assert_eq!(drops.count(), 100);
        });
    });
}
