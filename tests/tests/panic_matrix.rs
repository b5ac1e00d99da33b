//! Every combination of: where a task panics, what it returns, what becomes of its handle, when it is aborted, and where it runs.
//! Whatever they do, future and output are dropped once each, the handle answers what it must, and the runtime goes on.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use executor::runtime::Runtime;
use executor::task::JoinError;

use crate::panics::quiet;
use crate::support::{assert_usable, block_on, current_thread, until, within, workers};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Panics {
    Nowhere,
    InPoll,
    InFutureDrop,
    InOutputDrop,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Use {
    Awaited,
    DroppedAtOnce,
    DroppedAfterTheEnd,
    PolledOnceThenDropped,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Abort {
    Never,
    BeforeItRuns,
    WhileItWaits,
    AfterTheEnd,
}

#[test]
fn on_one_worker() {
    every_combination::<Small>(|| workers(1));
    every_combination::<Boxed>(|| workers(1));
}

#[test]
fn on_two_workers() {
    every_combination::<Small>(|| workers(2));
    every_combination::<Boxed>(|| workers(2));
}

#[test]
fn on_the_current_thread() {
    every_combination::<Small>(current_thread);
    every_combination::<Boxed>(current_thread);
}

fn every_combination<O: Output>(make: impl Fn() -> Runtime) {
    quiet();
    within(60, || {
        let runtime = make();
        for panics in [
            Panics::Nowhere,
            Panics::InPoll,
            Panics::InFutureDrop,
            Panics::InOutputDrop,
        ] {
            for usage in [
                Use::Awaited,
                Use::DroppedAtOnce,
                Use::DroppedAfterTheEnd,
                Use::PolledOnceThenDropped,
            ] {
                for abort in [
                    Abort::Never,
                    Abort::BeforeItRuns,
                    Abort::WhileItWaits,
                    Abort::AfterTheEnd,
                ] {
                    one::<O>(&runtime, panics, usage, abort);
                }
            }
        }
        assert_usable(&runtime);
    });
}

fn one<O: Output>(runtime: &Runtime, panics: Panics, usage: Use, abort: Abort) {
    let case = format!(
        "{panics:?}, {usage:?}, aborted {abort:?}, {}",
        std::any::type_name::<O>()
    );
    let log = Arc::new(Log::default());
    let mut handle = runtime.spawn(Body::<O> {
        log: log.clone(),
        panics,
        output: std::marker::PhantomData,
    });
    let aborter = handle.abort_handle();
    if abort == Abort::BeforeItRuns {
        aborter.abort();
    }
    if usage == Use::PolledOnceThenDropped {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop()))
        }));
    }
    let mut handle = Some(handle);
    if matches!(usage, Use::DroppedAtOnce | Use::PolledOnceThenDropped) {
        drop(handle.take());
    }
    // On the current thread nothing moves without `block_on`.
    let settle = |condition: &dyn Fn() -> bool| {
        until(|| {
            runtime.block_on(executor::task::yield_now());
            condition()
        });
    };
    settle(&|| aborter.is_finished() || log.waker.lock().unwrap().is_some());
    if abort == Abort::WhileItWaits {
        aborter.abort();
    }
    let waker = log.waker.lock().unwrap().take();
    if let Some(waker) = waker {
        waker.wake();
    }
    settle(&|| aborter.is_finished());
    if abort == Abort::AfterTheEnd {
        aborter.abort();
    }
    match usage {
        Use::Awaited => check_answer(&case, panics, abort, block_on(handle.take().unwrap())),
        _ => drop(handle),
    }
    settle(&|| log.future.load(SeqCst) == 1);
    settle(&|| log.outputs_dropped.load(SeqCst) == log.outputs_made.load(SeqCst));
    assert_eq!(log.future.load(SeqCst), 1, "{case}");
    assert!(log.outputs_made.load(SeqCst) <= 1, "{case}");
    drop(aborter);
    // Nothing holds the log any more: the task's memory is gone.
    settle(&|| Arc::strong_count(&log) == 1);
}

fn check_answer<O: Output>(case: &str, panics: Panics, abort: Abort, answer: Result<O, JoinError>) {
    match answer {
        Ok(output) => {
            assert!(
                matches!(panics, Panics::Nowhere | Panics::InOutputDrop),
                "{case}"
            );
            assert_ne!(abort, Abort::BeforeItRuns, "{case}");
            let _ = catch_unwind(AssertUnwindSafe(|| drop(output)));
        }
        Err(error) if error.is_panic() => assert!(
            matches!(panics, Panics::InPoll | Panics::InFutureDrop),
            "{case}"
        ),
        Err(_) => {
            assert!(
                matches!(abort, Abort::BeforeItRuns | Abort::WhileItWaits),
                "{case}"
            );
            assert_ne!(panics, Panics::InFutureDrop, "{case}: the panic is lost");
        }
    }
}

/// What happened to one task.
#[derive(Default)]
struct Log {
    waker: Mutex<Option<Waker>>,
    polls: AtomicUsize,
    future: AtomicUsize,
    outputs_made: AtomicUsize,
    outputs_dropped: AtomicUsize,
}

/// Waits once, then ends as it is told to.
struct Body<O> {
    log: Arc<Log>,
    panics: Panics,
    output: std::marker::PhantomData<fn() -> O>,
}

impl<O: Output> Future for Body<O> {
    type Output = O;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O> {
        if self.log.polls.fetch_add(1, SeqCst) == 0 {
            *self.log.waker.lock().unwrap() = Some(context.waker().clone());
            return Poll::Pending;
        }
        assert!(self.panics != Panics::InPoll, "expected: in poll");
        self.log.outputs_made.fetch_add(1, SeqCst);
        Poll::Ready(O::new(Tracked {
            log: self.log.clone(),
            panics: self.panics == Panics::InOutputDrop,
        }))
    }
}

impl<O> Drop for Body<O> {
    fn drop(&mut self) {
        self.log.future.fetch_add(1, SeqCst);
        // A second panic while one unwinds would end the process; here the poll's has been caught already.
        if self.panics == Panics::InFutureDrop {
            panic!("expected: in the future's drop");
        }
    }
}

struct Tracked {
    log: Arc<Log>,
    panics: bool,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.log.outputs_dropped.fetch_add(1, SeqCst);
        if self.panics {
            panic!("expected: in the output's drop");
        }
    }
}

trait Output: Send + 'static {
    fn new(tracked: Tracked) -> Self;
}

struct Small(#[expect(dead_code, reason = "only its drop counts")] Tracked);

/// On the heap, and larger than the future.
struct Boxed(
    #[expect(dead_code, reason = "only its drop counts")] Box<(Tracked, [u64; 32])>,
    [u64; 64],
);

impl Output for Small {
    fn new(tracked: Tracked) -> Self {
        Self(tracked)
    }
}

impl Output for Boxed {
    fn new(tracked: Tracked) -> Self {
        let boxed = Self(Box::new((tracked, [1; 32])), [2; 64]);
        assert_eq!(boxed.1[63], 2);
        boxed
    }
}
