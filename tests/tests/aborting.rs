//! Aborting a task: before it runs, while it is polled, while it waits, after its end.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use executor::task::yield_now;
use futures::channel::oneshot;

use crate::support::{Drops, block_on, current_thread, each_runtime, until, within, workers};

#[test]
fn aborted_before_its_first_poll_a_task_never_runs() {
    let runtime = current_thread();
    let (drops, ran) = (Drops::default(), Arc::new(AtomicBool::new(false)));
    let (value, flag) = (drops.value(), ran.clone());
    let handle = runtime.spawn(async move {
        let _value = value;
        flag.store(true, SeqCst);
    });
    handle.abort();
    let error = runtime.block_on(handle).unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(drops.count(), 1);
    assert!(!ran.load(SeqCst));
}

#[test]
fn a_waiting_task_is_dropped_by_abort_before_its_handle_answers() {
    within(30, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let value = drops.value();
            let (started, start) = oneshot::channel();
            let handle = runtime.spawn(async move {
                let _value = value;
                started.send(()).unwrap();
                pending::<()>().await;
            });
            runtime.block_on(start).unwrap();
            assert!(!handle.is_finished());
            handle.abort();
            handle.abort();
            assert!(runtime.block_on(handle).unwrap_err().is_cancelled());
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn aborting_during_a_poll_takes_effect_at_its_end() {
    within(30, || {
        let runtime = workers(2);
        let (in_poll, reached) = std::sync::mpsc::channel();
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let handle = runtime.spawn(async move {
            in_poll.send(()).unwrap();
            gate.recv().unwrap();
            yield_now().await;
            unreachable!("polled again after the abort");
        });
        reached.recv().unwrap();
        handle.abort();
        assert!(!handle.is_finished());
        go.send(()).unwrap();
        assert!(block_on(handle).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_poll_that_ends_with_the_output_wins_over_an_abort() {
    let runtime = current_thread();
    let handle = runtime.block_on(async {
        let (send, receive) = oneshot::channel::<executor::task::AbortHandle>();
        let handle = executor::spawn(async move {
            receive.await.unwrap().abort();
            7
        });
        send.send(handle.abort_handle()).unwrap();
        handle.await
    });
    assert_eq!(handle.unwrap(), 7);
}

#[test]
fn aborting_after_the_end_keeps_the_output() {
    each_runtime(|runtime| {
        let mut handle = runtime.spawn(async { Box::new(3) });
        runtime.block_on(async {
            while !handle.is_finished() {
                yield_now().await;
            }
        });
        handle.abort();
        handle.abort_handle().abort();
        assert_eq!(*runtime.block_on(&mut handle).unwrap(), 3);
    });
}

#[test]
fn an_abort_handle_outlives_the_join_handle() {
    within(30, || {
        let runtime = workers(1);
        let drops = Drops::default();
        let value = drops.value();
        let handle = runtime.spawn(async move {
            let _value = value;
            pending::<()>().await;
        });
        let abort = handle.abort_handle();
        assert_eq!(abort.id(), handle.id());
        drop(handle);
        assert!(!abort.is_finished());
        abort.clone().abort();
        until(|| abort.is_finished());
        assert_eq!(drops.count(), 1);
    });
}
