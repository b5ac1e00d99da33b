//! Generators: lazy, never ahead, cleaned up, and woken also when something inside of them makes wakers of its own.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use executor::stream::{self, StreamExt, TryStreamExt};
use executor::task;
use futures::stream::FuturesUnordered;

use crate::support::{Drops, each_runtime, poll_once, within};

#[test]
fn a_generator_runs_when_it_is_asked_and_no_further() {
    let steps = Rc::new(Cell::new(0));
    let counted = steps.clone();
    let mut numbers = Box::pin(stream::generate(async move |mut out| {
        for n in 0..3 {
            counted.set(counted.get() + 1);
            out.emit(n).await;
        }
    }));
    assert_eq!(steps.get(), 0);
    for n in 0..3 {
        assert_eq!(poll_once(pin!(numbers.next())), Poll::Ready(Some(n)));
        assert_eq!(steps.get(), n + 1);
    }
    assert_eq!(poll_once(pin!(numbers.next())), Poll::Ready(None));
    assert_eq!(poll_once(pin!(numbers.next())), Poll::Ready(None));
}

#[test]
fn a_generator_that_is_dropped_midway_drops_what_it_has() {
    let drops = Drops::default();
    let (held, value) = (drops.value(), drops.value());
    let mut values = Box::pin(stream::generate(async move |mut out| {
        let _held = held;
        out.emit(value).await;
        unreachable!("nobody asks for a second value");
    }));
    drop(poll_once(pin!(values.next())));
    assert_eq!(drops.count(), 1);
    drop(values);
    assert_eq!(drops.count(), 2);

    // One that never began.
    let held = drops.value();
    drop(stream::generate(async move |mut out| {
        let _held = held;
        out.emit(()).await;
    }));
    assert_eq!(drops.count(), 3);
}

#[test]
fn values_come_across_waits_tasks_and_threads() {
    within(60, || {
        each_runtime(|runtime| {
            let sum = runtime.spawn(async {
                let numbers = stream::generate(async |mut out| {
                    for n in 0..100_u32 {
                        if n % 3 == 0 {
                            task::yield_now().await;
                        }
                        let doubled = executor::spawn(async move { 2 * n });
                        out.emit(doubled.await.unwrap()).await;
                    }
                });
                let numbers = pin!(numbers);
                numbers.fold(0, async |sum, n| sum + n).await
            });
            assert_eq!(runtime.block_on(sum).unwrap(), 9900);
        });
    });
}

#[test]
fn an_error_is_the_last_item() {
    let mut items = Box::pin(stream::try_generate(async |mut out| {
        out.emit(1).await;
        Err("no more")?;
        out.emit(2).await;
        Ok(())
    }));
    assert_eq!(poll_once(pin!(items.try_next())), Poll::Ready(Ok(Some(1))));
    let error = poll_once(pin!(items.try_next()));
    assert_eq!(error, Poll::Ready(Err("no more")));
    assert_eq!(poll_once(pin!(items.try_next())), Poll::Ready(Ok(None)));
}

#[test]
fn an_emit_that_was_dropped_has_given_its_value() {
    let mut items = Box::pin(stream::try_generate(async |mut out| {
        assert!(poll_once(pin!(out.emit(1))).is_pending());
        assert!(
            poll_once(pin!(out.emit(2))).is_pending(),
            "the place is not free"
        );
        Err("over")
    }));
    assert_eq!(poll_once(pin!(items.try_next())), Poll::Ready(Ok(Some(1))));
    assert_eq!(poll_once(pin!(items.try_next())), Poll::Ready(Err("over")));
}

#[test]
fn an_emitter_is_woken_through_wakers_of_its_own() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                // Polls only what was woken.
                let numbers = stream::generate(async |mut out| {
                    let emitting = FuturesUnordered::from_iter([async move {
                        for n in 0..10 {
                            out.emit(n).await;
                        }
                    }]);
                    emitting.collect::<()>().await;
                });
                let numbers: Vec<_> = numbers.collect().await;
                assert_eq!(numbers, (0..10).collect::<Vec<_>>());
            });
        });
    });
}

#[test]
fn an_emitter_in_a_task_of_its_own_wakes_the_stream() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let numbers = stream::generate(async |mut out| {
                    let task = executor::spawn(async move {
                        for n in 0..10 {
                            out.emit(n).await;
                            task::yield_now().await;
                        }
                    });
                    task.await.unwrap();
                });
                let numbers: Vec<_> = numbers.collect().await;
                assert_eq!(numbers, (0..10).collect::<Vec<_>>());
            });
        });
    });
}
