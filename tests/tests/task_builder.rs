//! Names of tasks, and which task one is in.

use std::rc::Rc;
use std::sync::mpsc::channel;
use std::task::Poll;

use executor::task::{self, Builder, Id, LocalSet};

use crate::support::{Drops, current_thread, each_runtime, within, workers};

#[test]
fn a_name_is_shown_by_the_handles() {
    each_runtime(|runtime| {
        let _entered = runtime.enter();
        let name = String::from("reader of \"a\" ünd b");
        let named = Builder::new().name(&name).spawn(async { 1 }).unwrap();
        let shown = format!("{name:?}");
        drop(name);
        let abort = named.abort_handle();
        assert!(format!("{named:?}").contains(&shown), "{named:?}");
        assert!(format!("{abort:?}").contains(&shown), "{abort:?}");
        assert_eq!(runtime.block_on(named).unwrap(), 1);
        assert!(format!("{abort:?}").contains(&shown), "also at its end");

        let unnamed = Builder::new().spawn(async {}).unwrap();
        assert!(!format!("{unnamed:?}").contains("name"), "{unnamed:?}");
        let empty = Builder::new().name("").spawn(async {}).unwrap();
        assert!(format!("{empty:?}").contains("\"\""), "{empty:?}");
    });
}

#[test]
fn tasks_of_every_kind_may_have_names() {
    let (here, other) = (workers(1), workers(1));
    let _entered = here.enter();
    let builder = || Builder::new().name("n");
    let tasks = [
        builder().spawn(async {}).unwrap(),
        builder().spawn_on(async {}, other.handle()).unwrap(),
        builder().spawn_blocking(|| {}).unwrap(),
        builder().spawn_blocking_on(|| {}, other.handle()).unwrap(),
    ];
    within(30, || {
        for task in tasks {
            let shown = format!("{task:?}");
            assert!(shown.contains("name: \"n\""), "{shown}");
            assert!(shown.contains("task_builder.rs"), "{shown}");
            here.block_on(task).unwrap();
        }
    });
}

#[test]
fn local_tasks_may_have_names() {
    within(30, || {
        let (runtime, set, other) = (workers(1), LocalSet::new(), LocalSet::new());
        let shared = Rc::new(1);
        set.block_on(&runtime, async {
            let builder = || Builder::new().name("n");
            let (a, b) = (shared.clone(), shared.clone());
            let here = builder().spawn_local(async move { *a }).unwrap();
            let there = builder().spawn_local_on(async move { *b }, &other);
            let there = there.unwrap();
            for task in [&here, &there] {
                let shown = format!("{task:?}");
                assert!(shown.contains("name: \"n\""), "{shown}");
                assert!(shown.contains("task_builder.rs"), "{shown}");
            }
            assert_eq!(here.await.unwrap(), 1);
            task::yield_now().await;
            assert!(!there.is_finished(), "nobody polls its set");
            other.await;
            assert_eq!(there.await.unwrap(), 1);
        });
    });
}

#[test]
fn a_builder_spawns_where_it_is_told_to() {
    let (here, other) = (current_thread(), workers(1));
    within(30, || {
        here.block_on(async {
            let on_other = || std::thread::current().id();
            let outside = on_other();
            let spawned = Builder::new().spawn_on(async move { on_other() }, other.handle());
            assert_ne!(spawned.unwrap().await.unwrap(), outside);
            let spawned = Builder::new().spawn(async move { on_other() });
            assert_eq!(spawned.unwrap().await.unwrap(), outside);
        });
    });
}

#[test]
fn named_tasks_that_end_in_every_way_are_freed() {
    let drops = Drops::default();
    each_runtime(|runtime| {
        let named = |n: usize| Builder::new().name(["a", "b", "c"][n]);
        let _entered = runtime.enter();
        let guard = drops.value();
        let aborted = named(0).spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await
        });
        let aborted = aborted.unwrap();
        aborted.abort();
        assert!(runtime.block_on(aborted).unwrap_err().is_cancelled());
        let guard = drops.value();
        let left = named(1).spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await
        });
        drop(left);
        let handle = runtime.handle().clone();
        drop(runtime);
        let guard = drops.value();
        let late = named(2)
            .spawn_on(async move { drop(guard) }, &handle)
            .unwrap();
        assert!(late.is_finished(), "its runtime has ended");
        assert!(format!("{late:?}").contains("\"c\""));
    });
    assert_eq!(drops.count(), 9, "three of each runtime");
}

#[test]
fn a_task_knows_its_id() {
    each_runtime(|runtime| {
        runtime.block_on(async {
            assert_eq!(task::try_id(), None, "this is no task");
            let outer = executor::spawn(async {
                let inner = executor::spawn(async { task::id() });
                let inner_id = inner.id();
                assert_eq!(inner.await.unwrap(), inner_id);
                task::yield_now().await;
                task::id()
            });
            let outer_id = outer.id();
            assert_eq!(outer.await.unwrap(), outer_id);
            assert_eq!(task::try_id(), None);

            let blocking = task::spawn_blocking(task::id);
            let blocking_id = blocking.id();
            assert_eq!(blocking.await.unwrap(), blocking_id);
        });
    });
}

#[test]
fn the_destructor_of_an_output_that_nobody_waits_for_knows_its_task() {
    struct Tell(std::sync::mpsc::Sender<Option<Id>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send(task::try_id()).unwrap();
        }
    }
    within(30, || {
        each_runtime(|runtime| {
            let (sender, ids) = channel();
            let output = Tell(sender);
            runtime.block_on(async {
                let (ready, done) = futures::channel::oneshot::channel::<()>();
                let task = executor::spawn(async move {
                    let _ready = ready;
                    task::yield_now().await;
                    output
                });
                let id = task.id();
                drop(task);
                done.await.unwrap_err();
                task::spawn_blocking(move || assert_eq!(ids.recv().unwrap(), Some(id)))
                    .await
                    .unwrap();
            });
        });
    });
}

#[test]
fn destructors_of_a_task_know_its_id() {
    struct Tell(std::sync::mpsc::Sender<Option<Id>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send(task::try_id()).unwrap();
        }
    }
    each_runtime(|runtime| {
        let (sender, ids) = channel();
        let future = Tell(sender.clone());
        let aborted = runtime.spawn(async move {
            let _future = future;
            std::future::pending::<()>().await
        });
        let id = aborted.id();
        aborted.abort();
        runtime.block_on(aborted).unwrap_err();
        assert_eq!(ids.recv().unwrap(), Some(id));

        let output = Tell(sender.clone());
        let finished = runtime.spawn(async { output });
        let id = finished.id();
        runtime.block_on(async {
            while !finished.is_finished() {
                task::yield_now().await;
            }
        });
        drop(finished);
        assert_eq!(ids.recv().unwrap(), Some(id), "an output nobody wants");

        let output = Tell(sender);
        let taken = runtime.block_on(runtime.spawn(async { output })).unwrap();
        drop(taken);
        assert_eq!(ids.recv().unwrap(), None, "an output that was taken");
    });
}

#[test]
fn a_panic_leaves_the_id_of_the_outer_task() {
    let runtime = current_thread();
    runtime.block_on(async {
        executor::spawn(async { panic!("on purpose") })
            .await
            .unwrap_err();
        assert_eq!(task::try_id(), None);
        let polled = std::future::poll_fn(|_| Poll::Ready(task::id()));
        let task = executor::spawn(polled);
        let id = task.id();
        assert_eq!(task.await.unwrap(), id);
    });
}

#[test]
fn asking_for_an_id_outside_of_a_task_says_what_to_do() {
    let text = std::panic::catch_unwind(task::id).unwrap_err();
    let text = text.downcast::<String>().unwrap();
    assert!(text.contains("spawn") && text.contains("try_id"), "{text}");
}
