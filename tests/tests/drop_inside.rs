//! A runtime may be dropped anywhere: in its own tasks, in another's, in closures, in destructors. It never waits for itself.

use std::cell::RefCell;
use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use executor::runtime::Runtime;

use crate::support::{
    Drops, assert_usable, block_on, current_thread, each_runtime, until, within, workers,
};

/// Adds a task that waits for ever, and counts when it is dropped.
fn with_a_task(runtime: &Runtime, drops: &Drops) {
    let value = drops.value();
    drop(runtime.spawn(async move {
        let _value = value;
        pending::<()>().await;
    }));
}

#[test]
fn in_a_task_of_another_runtime() {
    within(60, || {
        each_runtime(|outer| {
            each_runtime(|inner| {
                let drops = Drops::default();
                with_a_task(&inner, &drops);
                outer
                    .block_on(outer.spawn(async move { drop(inner) }))
                    .unwrap();
                assert_eq!(drops.count(), 1);
            });
            assert_usable(&outer);
        });
    });
}

#[test]
fn in_the_root_future_of_another_runtime() {
    within(60, || {
        each_runtime(|outer| {
            let drops = Drops::default();
            each_runtime(|inner| {
                with_a_task(&inner, &drops);
                outer.block_on(async move { drop(inner) });
            });
            assert_eq!(drops.count(), 3);
            assert_usable(&outer);
        });
    });
}

#[test]
fn in_its_own_task() {
    within(60, || {
        for n in [1, 2] {
            let (runtime, drops) = (workers(n), Drops::default());
            with_a_task(&runtime, &drops);
            let (done, end) = channel();
            let handle = runtime.handle().clone();
            let task = handle.spawn(async move {
                drop(runtime);
                done.send(()).unwrap();
                executor::task::yield_now().await;
                unreachable!("polled again after the end of the runtime");
            });
            end.recv().unwrap();
            assert!(block_on(task).unwrap_err().is_cancelled());
            until(|| drops.count() == 1);
        }
    });
}

#[test]
fn in_its_own_task_as_the_last_of_several_owners() {
    within(60, || {
        for n in [1, 2] {
            let (runtime, drops) = (Arc::new(workers(n)), Drops::default());
            let (gate, wait) = futures::channel::oneshot::channel::<()>();
            with_a_task(&runtime, &drops);
            let owner = runtime.clone();
            let task = runtime.spawn(async move {
                wait.await.unwrap();
                drop(owner);
            });
            drop(runtime);
            gate.send(()).unwrap();
            let _ = block_on(task);
            until(|| drops.count() == 1);
        }
    });
}

#[test]
fn in_its_own_task_on_the_current_thread() {
    within(60, || {
        let (runtime, drops) = (Arc::new(current_thread()), Drops::default());
        with_a_task(&runtime, &drops);
        let (handle, owner) = (runtime.handle().clone(), runtime.clone());
        let task = runtime.spawn(async move { drop(owner) });
        drop(runtime);
        let _ = handle.block_on(task);
        assert_eq!(drops.count(), 1);
        let (runtime, drops) = (current_thread(), Drops::default());
        with_a_task(&runtime, &drops);
        runtime
            .handle()
            .clone()
            .block_on(async move { drop(runtime) });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn in_its_own_blocking_closure() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            with_a_task(&runtime, &drops);
            let handle = runtime.handle().clone();
            let job = handle.spawn_blocking(move || drop(runtime));
            block_on(job).unwrap();
            until(|| drops.count() == 1);
        });
    });
}

#[test]
fn in_the_destructor_of_a_task_of_its_own() {
    within(60, || {
        for n in [1, 2] {
            let (runtime, drops) = (workers(n), Drops::default());
            with_a_task(&runtime, &drops);
            let handle = runtime.handle().clone();
            let task = handle.spawn(async move {
                let _runtime = runtime;
                pending::<()>().await;
            });
            task.abort();
            assert!(block_on(task).unwrap_err().is_cancelled());
            until(|| drops.count() == 1);
        }
    });
}

#[test]
fn in_the_destructor_of_a_task_while_its_own_runtime_ends() {
    within(60, || {
        each_runtime(|outer| {
            each_runtime(|inner| {
                let drops = Drops::default();
                with_a_task(&inner, &drops);
                with_a_task(&outer, &drops);
                drop(outer.spawn(async move {
                    let _inner = inner;
                    pending::<()>().await;
                }));
            });
            drop(outer);
        });
    });
}

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

#[test]
fn in_the_destructor_of_a_thread_local() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            with_a_task(&runtime, &drops);
            thread::spawn(|| RUNTIME.set(Some(runtime))).join().unwrap();
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn in_the_destructor_of_a_thread_local_of_its_own_blocking_thread() {
    within(60, || {
        let runtime = executor::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_keep_alive(std::time::Duration::from_millis(1))
            .build()
            .unwrap();
        let drops = Drops::default();
        with_a_task(&runtime, &drops);
        let handle = runtime.handle().clone();
        block_on(handle.spawn_blocking(|| RUNTIME.set(Some(runtime)))).unwrap();
        until(|| drops.count() == 1);
    });
}

#[test]
fn two_runtimes_that_own_each_other_end_together() {
    within(60, || {
        let (a, b) = (workers(1), workers(1));
        let (drops, ha, hb) = (Drops::default(), a.handle().clone(), b.handle().clone());
        with_a_task(&a, &drops);
        with_a_task(&b, &drops);
        drop(hb.spawn(async move {
            let _a = a;
            pending::<()>().await;
        }));
        let last = ha.spawn(async move { drop(b) });
        let _ = block_on(last);
        until(|| drops.count() == 2);
    });
}
