//! `JoinSet`: order, errors, what is cancelled and what is not, and many tasks.

use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use executor::task::{self, AbortHandle, JoinSet, LocalSet, coop};
use executor::time::{sleep, timeout};
use futures::channel::oneshot;

use crate::support::{
    Drops, Home, block_on, counting_waker, current_thread, each_runtime, poll_once, within,
    workers, workers_without_spares,
};

#[test]
fn outputs_come_in_the_order_in_which_the_tasks_finish() {
    for runtime in [
        workers_without_spares(1),
        workers_without_spares(2),
        current_thread(),
    ] {
        let metrics = runtime.metrics();
        let sleeps = |worker| metrics.worker_park_unpark_count(worker) % 2 == 1;
        // Who sleeps has told the set of what ended there. One worker, or thread, does so before it goes on.
        let all_told = || {
            let workers = metrics.num_workers();
            workers == 1 || (0..workers).all(sleeps)
        };
        within(30, || {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                let (senders, receivers): (Vec<_>, Vec<_>) =
                    (0..100).map(|_| oneshot::channel::<u32>()).unzip();
                let tasks: Vec<_> = receivers
                    .into_iter()
                    .map(|receiver| set.spawn(async { receiver.await.unwrap() }))
                    .collect();
                // Nobody has polled the set yet.
                for (n, (sender, task)) in (0..).zip(senders.into_iter().zip(&tasks).rev()) {
                    sender.send(n).unwrap();
                    // The set is told a moment after `is_finished` says so. Until then the other worker must not end the next.
                    while !task.is_finished() || !all_told() {
                        task::yield_now().await;
                    }
                }
                for n in 0..100 {
                    let (id, output) = set.join_next_with_id().await.unwrap().unwrap();
                    assert_eq!(output, n);
                    assert_eq!(id, tasks[99 - n as usize].id());
                }
                assert!(set.join_next().await.is_none());
            });
        });
    }
}

#[test]
fn an_empty_set_has_nothing_to_wait_for() {
    let mut set = JoinSet::<u8>::new();
    assert!(set.is_empty());
    assert!(block_on(set.join_next()).is_none());
    assert!(block_on(set.join_next_with_id()).is_none());
    assert!(set.try_join_next().is_none());
    block_on(set.shutdown());
    assert!(block_on(set.join_all()).is_empty());
}

#[test]
fn the_length_counts_tasks_until_their_output_is_taken() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let mut set: JoinSet<_> = (0..10).map(|n| async move { n }).collect();
                set.extend((10..20).map(|n| async move { n }));
                assert_eq!(set.len(), 20);
                assert!(format!("{set:?}").contains("20"));
                let mut outputs = Vec::new();
                while let Some(output) = set.join_next().await {
                    outputs.push(output.unwrap());
                    assert_eq!(set.len(), 20 - outputs.len());
                }
                outputs.sort();
                assert!(outputs.into_iter().eq(0..20));
                assert!(set.is_empty());
                set.spawn(async { 1 });
                assert_eq!(set.len(), 1);
            });
        });
    });
}

#[test]
fn errors_say_which_task_has_none_and_why() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let mut set = JoinSet::<()>::new();
                let panics = set.spawn(async { panic!("on purpose") });
                let error = set.join_next().await.unwrap().unwrap_err();
                assert_eq!(error.id(), panics.id());
                assert_eq!(
                    *error.into_panic().downcast::<&str>().unwrap(),
                    "on purpose"
                );

                let aborted = set.spawn(pending());
                aborted.abort();
                let error = set.join_next_with_id().await.unwrap().unwrap_err();
                assert_eq!(error.id(), aborted.id());
                assert!(error.is_cancelled());
                assert!(set.is_empty());
            });
        });
    });
}

#[test]
fn waiting_for_the_next_one_is_cancel_safe() {
    within(30, || {
        current_thread().block_on(async {
            let mut set = JoinSet::new();
            let (sender, receiver) = oneshot::channel::<u32>();
            set.spawn(async { receiver.await.unwrap() });
            assert!(poll_once(pin!(set.join_next())).is_pending());
            sender.send(7).unwrap();
            task::yield_now().await;
            // Dropped before it is polled, and after it was.
            drop(set.join_next());
            assert_eq!(set.len(), 1);
            assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
        });
    });
}

#[test]
fn who_waits_is_woken_by_whichever_task_is_first() {
    within(30, || {
        let runtime = workers(2);
        let mut set = JoinSet::new();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..3).map(|_| oneshot::channel::<u32>()).unzip();
        for receiver in receivers {
            set.spawn_on(async { receiver.await.unwrap() }, runtime.handle());
        }
        for (n, sender) in (0..).zip(senders) {
            let (waker, wakes) = counting_waker();
            let mut cx = Context::from_waker(&waker);
            assert!(set.poll_join_next(&mut cx).is_pending());
            sender.send(n).unwrap();
            while wakes.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            let Poll::Ready(Some(Ok(output))) = set.poll_join_next(&mut cx) else {
                panic!("woken for nothing");
            };
            assert_eq!(output, n);
            assert_eq!(wakes.load(Ordering::Relaxed), 1);
        }
    });
}

#[test]
fn trying_takes_what_is_there_whatever_the_budget() {
    within(30, || {
        current_thread().block_on(async {
            let mut set = JoinSet::new();
            let tasks: Vec<_> = (0..200).map(|n| set.spawn(async move { n })).collect();
            assert!(set.try_join_next().is_none(), "no task had its turn");
            while !tasks.iter().all(AbortHandle::is_finished) {
                task::yield_now().await;
            }
            while coop::has_budget_remaining() {
                coop::consume_budget().await;
            }
            let first = set.try_join_next_with_id().unwrap().unwrap();
            assert_eq!(first.1, 0);
            for n in 1..200 {
                assert_eq!(set.try_join_next().unwrap().unwrap(), n);
            }
            assert!(set.try_join_next().is_none());
            assert!(!coop::has_budget_remaining());
        });
    });
}

#[test]
fn a_set_that_is_always_ready_lets_others_run() {
    within(30, || {
        let other = workers(1);
        current_thread().block_on(async {
            let mut set = JoinSet::new();
            let sibling = executor::spawn(async {});
            while !sibling.is_finished() {
                let task = set.spawn_on(async {}, other.handle());
                while !task.is_finished() {
                    std::thread::yield_now();
                }
                set.join_next().await.unwrap().unwrap();
            }
        });
    });
}

#[test]
fn dropping_the_set_aborts_its_tasks() {
    each_runtime(|runtime| {
        within(30, || {
            let drops = Drops::default();
            runtime.block_on(async {
                let mut set = JoinSet::new();
                let tasks: Vec<_> = (0..10)
                    .map(|n| {
                        let value = drops.value();
                        set.spawn(async move {
                            if n % 2 == 0 {
                                pending::<()>().await;
                            }
                            value
                        })
                    })
                    .collect();
                task::yield_now().await;
                drop(set);
                for task in &tasks {
                    while !task.is_finished() {
                        task::yield_now().await;
                    }
                }
                // The last reference to an output may be given up a moment after its task has finished.
                while drops.count() < 10 {
                    task::yield_now().await;
                }
            });
        });
    });
}

#[test]
fn detached_tasks_go_on() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                let (sender, receiver) = oneshot::channel();
                let (start, started) = oneshot::channel::<()>();
                set.spawn(async move {
                    started.await.unwrap();
                    sender.send(1).unwrap();
                });
                let finished = set.spawn(async {});
                while !finished.is_finished() {
                    task::yield_now().await;
                }
                set.detach_all();
                assert!(set.is_empty());
                assert!(
                    set.try_join_next().is_none(),
                    "also what had finished is gone"
                );
                let new = set.spawn(async {});
                start.send(()).unwrap();
                assert_eq!(receiver.await.unwrap(), 1);
                let (id, ()) = set.join_next_with_id().await.unwrap().unwrap();
                assert_eq!(id, new.id());
                assert!(set.join_next().await.is_none());
            });
        });
    });
}

#[test]
fn shutdown_waits_until_all_are_gone() {
    each_runtime(|runtime| {
        within(30, || {
            let drops = Drops::default();
            runtime.block_on(async {
                let mut set = JoinSet::new();
                for n in 0..100 {
                    let value = drops.value();
                    set.spawn(async move {
                        let _value = value;
                        match n % 3 {
                            0 => pending().await,
                            1 => panic!("on purpose"),
                            _ => {}
                        }
                    });
                }
                task::yield_now().await;
                set.shutdown().await;
                assert!(set.is_empty());
                assert_eq!(drops.count(), 100);
            });
        });
    });
}

#[test]
fn abort_all_leaves_the_tasks_to_be_asked() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                for _ in 0..10 {
                    set.spawn(pending::<()>());
                }
                set.abort_all();
                for _ in 0..10 {
                    let error = set.join_next().await.unwrap().unwrap_err();
                    assert!(error.is_cancelled());
                }
                assert!(set.is_empty());
            });
        });
    });
}

#[test]
fn join_all_returns_all_outputs() {
    each_runtime(|runtime| {
        within(30, || {
            let set: JoinSet<_> = {
                let _entered = runtime.enter();
                (0..1000).map(|n| async move { n }).collect()
            };
            let mut outputs = runtime.block_on(set.join_all());
            outputs.sort();
            assert!(outputs.into_iter().eq(0..1000));
        });
    });
}

#[test]
fn join_all_panics_as_its_task_did_and_aborts_the_others() {
    each_runtime(|runtime| {
        within(30, || {
            let mut set = JoinSet::new();
            let waits = set.spawn_on(pending(), runtime.handle());
            set.spawn_on(async { panic!("on purpose") }, runtime.handle());
            let joined = runtime.spawn(set.join_all());
            let payload = runtime.block_on(joined).unwrap_err().into_panic();
            assert_eq!(*payload.downcast::<&str>().unwrap(), "on purpose");
            runtime.block_on(async {
                while !waits.is_finished() {
                    task::yield_now().await;
                }
            });

            let mut set = JoinSet::<()>::new();
            set.spawn_on(pending(), runtime.handle()).abort();
            let joined = runtime.spawn(set.join_all());
            let payload = runtime.block_on(joined).unwrap_err().into_panic();
            let text = payload.downcast::<String>().unwrap();
            assert!(
                text.contains("cancelled") && text.contains("join_next"),
                "{text}"
            );
        });
    });
}

#[test]
fn closures_and_other_runtimes_may_be_in_one_set() {
    within(30, || {
        let (here, other) = (current_thread(), workers(1));
        here.block_on(async {
            let thread = || std::thread::current().id();
            let mut set = JoinSet::new();
            set.spawn(async move { thread() });
            assert_eq!(set.join_next().await.unwrap().unwrap(), thread());
            set.spawn_on(async move { thread() }, other.handle());
            set.spawn_blocking(thread);
            set.spawn_blocking_on(thread, other.handle());
            while let Some(elsewhere) = set.join_next().await {
                assert_ne!(elsewhere.unwrap(), thread());
            }
        });
    });
}

#[test]
fn tasks_of_a_set_may_have_names() {
    within(30, || {
        let (here, other) = (current_thread(), workers(1));
        here.block_on(async {
            let mut set = JoinSet::new();
            let builder = set.build_task().name("first");
            assert!(format!("{builder:?}").contains("first"));
            let tasks = [
                builder.spawn(async { 1 }).unwrap(),
                set.build_task()
                    .name("second")
                    .spawn_on(async { 2 }, other.handle())
                    .unwrap(),
                set.build_task().name("third").spawn_blocking(|| 3).unwrap(),
                set.build_task()
                    .name("fourth")
                    .spawn_blocking_on(|| 4, other.handle())
                    .unwrap(),
            ];
            for (task, name) in tasks.iter().zip(["first", "second", "third", "fourth"]) {
                assert!(format!("{task:?}").contains(name), "{task:?}");
                assert!(format!("{task:?}").contains("join_set.rs"), "{task:?}");
            }
            assert_eq!(set.join_all().await.into_iter().sum::<u32>(), 10);
        });
    });
}

#[test]
fn a_set_outlives_its_runtime() {
    each_runtime(|runtime| {
        within(30, || {
            let mut set = JoinSet::<()>::new();
            let handle = runtime.handle().clone();
            set.spawn_on(pending(), &handle);
            assert!(poll_once(pin!(set.join_next())).is_pending());
            drop(runtime);
            assert!(
                block_on(set.join_next())
                    .unwrap()
                    .unwrap_err()
                    .is_cancelled()
            );
            set.spawn_on(pending(), &handle);
            assert!(set.try_join_next().unwrap().unwrap_err().is_cancelled());
        });
    });
}

#[test]
fn a_hundred_thousand_tasks_are_spawned_joined_and_aborted() {
    const TASKS: usize = 100_000;
    within(120, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                for n in 0..TASKS {
                    set.spawn(async move {
                        task::yield_now().await;
                        n
                    });
                }
                let mut sum = 0;
                while let Some(n) = set.join_next().await {
                    sum += n.unwrap();
                }
                assert_eq!(sum, TASKS * (TASKS - 1) / 2);

                // Most of them wait for ever; polling for those that do not looks at no other.
                for n in 0..TASKS {
                    set.spawn(async move {
                        if n % 100 != 0 {
                            pending::<()>().await;
                        }
                        n
                    });
                }
                for _ in 0..TASKS / 100 {
                    assert_eq!(set.join_next().await.unwrap().unwrap() % 100, 0);
                }
                let next = timeout(Duration::from_millis(1), set.join_next());
                next.await.unwrap_err();
                set.shutdown().await;
            });
        });
    });
}

#[test]
fn local_tasks_are_joined_like_others() {
    within(30, || {
        let (runtime, local, other) = (workers(1), LocalSet::new(), LocalSet::new());
        local.block_on(&runtime, async {
            let mut set = JoinSet::new();
            let shared = Rc::new(1);
            let [a, b, c, d] = [0; 4].map(|_| shared.clone());
            set.spawn_local(async move { a });
            set.spawn_local_on(async move { b }, &other);
            let named = set.build_task().name("c").spawn_local(async move { c });
            let on_other = set
                .build_task()
                .name("d")
                .spawn_local_on(async move { d }, &other);
            assert!(format!("{:?}", named.unwrap()).contains("\"c\""));
            assert!(format!("{:?}", on_other.unwrap()).contains("\"d\""));
            for left in [3, 2] {
                assert_eq!(*set.join_next().await.unwrap().unwrap(), 1);
                assert_eq!(set.len(), left);
            }
            task::yield_now().await;
            assert!(set.try_join_next().is_none(), "nobody polls the other set");
            other.await;
            for left in [1, 0] {
                assert_eq!(*set.try_join_next().unwrap().unwrap(), 1);
                assert_eq!(set.len(), left);
            }
            assert_eq!(Rc::strong_count(&shared), 1);
        });
    });
}

#[test]
fn a_set_dropped_on_another_thread_drops_its_local_tasks_at_home() {
    within(30, || {
        let (home, mut local) = (Home::here(), LocalSet::new());
        let mut set = JoinSet::new();
        set.spawn_local_on(home.keep(pending::<()>()), &local);
        assert!(poll_once(pin!(&mut local)).is_pending());
        std::thread::spawn(move || drop(set)).join().unwrap();
        block_on(local);
        assert_eq!(home.drops(), 1);
    });
}

#[test]
fn sets_may_be_joined_while_tasks_finish_on_other_threads() {
    within(60, || {
        let runtime = workers(2);
        for round in 0..200 {
            let mut set: JoinSet<_> = {
                let _entered = runtime.enter();
                (0..20)
                    .map(|n| async move {
                        if n % 3 == 0 {
                            sleep(Duration::from_micros(n)).await;
                        }
                        n
                    })
                    .collect()
            };
            let mut sum = 0;
            while let Some(n) = block_on(set.join_next()) {
                sum += n.unwrap();
            }
            assert_eq!(sum, 190, "round {round}");
        }
    });
}
