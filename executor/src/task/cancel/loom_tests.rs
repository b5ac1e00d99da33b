//! Models of cancellation: a request beside a poll, a completion, an abort and another request; a region that listens beside the request.
//!
//! The shipped scope, regions, state word and harness run here. What is not shipped is the scheduler, see the task's models. What makes a scope
//! is the standard library's `OnceLock`, whose own steps loom does not see.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Instant;

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Relaxed, SeqCst};
use loom::thread;

use super::level::Level;
use super::region::Own;
use super::*;
use crate::task::loom_tests::{Scheduler, World};
use crate::task::{Id, JoinError, JoinHandle, TaskRef, new};

/// A task: a region around an operation that is ready once `go` is set.
struct Hears {
    region: Region,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    go: AtomicUsize,
    drops: AtomicUsize,
}

impl Future for Hears {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.region.poll(cx, |_| {
            if this.shared.go.load(Relaxed) == 1 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }
}

impl Drop for Hears {
    fn drop(&mut self) {
        self.shared.drops.fetch_add(1, Relaxed);
    }
}

struct Model {
    world: Arc<World>,
    shared: Arc<Shared>,
    handle: JoinHandle<Result<(), Cancelled>>,
}

/// A task that has not been polled.
fn scheduled() -> Model {
    let (world, shared) = (Arc::new(World::default()), Arc::new(Shared::default()));
    let future = Hears {
        region: Region::default(),
        shared: shared.clone(),
    };
    let (token, handle) = new(
        future,
        Scheduler(world.clone()),
        Id::next(),
        Location::caller(),
    );
    world.push(token);
    Model {
        world,
        shared,
        handle,
    }
}

fn answer<T>(mut handle: JoinHandle<T>) -> Result<T, JoinError> {
    match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the task was not told"),
    }
}

#[test]
fn loom_a_region_hears_of_a_request_that_comes_while_it_begins_to_wait() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        let (world2, task) = (world.clone(), handle.abort_handle());
        let asking = thread::spawn(move || {
            task.cancel("now");
            world2.run_all();
        });
        world.run_all();
        asking.join().unwrap();
        world.run_all();
        assert_eq!(answer(handle).unwrap().unwrap_err().reason(), "now");
        assert_eq!(shared.drops.load(SeqCst), 1);
    });
}

#[test]
fn loom_a_request_beside_the_end_of_the_operation_gives_one_of_both() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        assert!(world.run_one());
        let (world2, task) = (world.clone(), handle.abort_handle());
        let asking = thread::spawn(move || {
            task.cancel("now");
            world2.run_all();
        });
        shared.go.store(1, Relaxed);
        TaskRef::borrow_of(&handle).wake_for_test();
        world.run_all();
        asking.join().unwrap();
        world.run_all();
        if let Err(cancelled) = answer(handle).unwrap() {
            assert_eq!(cancelled.reason(), "now");
        }
        assert_eq!(shared.drops.load(SeqCst), 1);
    });
}

#[test]
fn loom_a_request_and_an_abort_drop_the_future_once() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        let (world2, task) = (world.clone(), handle.abort_handle());
        let asking = thread::spawn(move || {
            task.cancel("now");
            world2.run_all();
        });
        handle.abort();
        world.run_all();
        asking.join().unwrap();
        world.run_all();
        match answer(handle) {
            Ok(heard) => assert_eq!(heard.unwrap_err().reason(), "now"),
            Err(error) => assert!(error.is_cancelled()),
        }
        assert_eq!(shared.drops.load(SeqCst), 1);
    });
}

#[test]
fn loom_of_two_requests_one_counts() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        let task = handle.abort_handle();
        let asking = thread::spawn(move || task.cancel("one"));
        handle.cancel("two");
        asking.join().unwrap();
        world.run_all();
        let cancelled = answer(handle).unwrap().unwrap_err();
        assert!(["one", "two"].contains(&cancelled.reason()));
        assert_eq!(shared.drops.load(SeqCst), 1);
    });
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn loom_a_request_that_a_region_with_a_waker_of_its_own_does_not_see_wakes_it() {
    loom::model(|| {
        let scope = Scope::new();
        let asked = scope.clone();
        let asking = thread::spawn(move || asked.cancel(&Cancelled::new("now")));
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let root = Own::Given(Some(scope));
        let mut region = Region::default();
        let mut poll = || {
            let level = Level::new(&root, Waker::noop(), Deadline::Inherited);
            level.enter(|| region.poll(&mut Context::from_waker(&waker), |_| Poll::<()>::Pending))
        };
        let first = poll();
        asking.join().unwrap();
        if first.is_pending() {
            assert_eq!(count.0.load(SeqCst), 1, "the region sleeps for ever");
            assert!(poll().is_ready());
        }
    });
}

#[test]
fn loom_a_request_reaches_a_scope_that_is_being_linked_below() {
    loom::model(|| {
        let scope = Scope::new();
        let asked = scope.clone();
        let asking = thread::spawn(move || asked.cancel(&Cancelled::new("now")));
        let counts = [(); 2].map(|()| std::sync::Arc::new(Count(AtomicUsize::new(0))));
        let [outer_waker, inner_waker] = [0, 1].map(|n| Waker::from(counts[n].clone()));
        let root = Own::Given(Some(scope));
        let (mut outer, mut inner) = (Region::default(), Region::default());
        // The inner one has a waker of its own, as in a `FuturesUnordered`.
        let mut poll = |polls_inner: bool| {
            let level = Level::new(&root, Waker::noop(), Deadline::Inherited);
            level.enter(|| {
                outer.poll(&mut Context::from_waker(&outer_waker), |_| {
                    if !polls_inner {
                        return Poll::Pending;
                    }
                    let mut cx = Context::from_waker(&inner_waker);
                    inner.poll(&mut cx, |_| Poll::<()>::Pending)
                })
            })
        };
        let first = poll(true);
        asking.join().unwrap();
        if first.is_pending() {
            assert!(
                counts[1].0.load(SeqCst) > 0,
                "the inner region sleeps for ever"
            );
            assert!(poll(true).is_ready());
        }
    });
}

#[test]
fn loom_a_runner_hears_of_a_request_that_comes_during_its_poll() {
    loom::model(|| {
        let scope = Scope::new();
        let asked = scope.clone();
        let asking = thread::spawn(move || asked.cancel(&Cancelled::new("now")));
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut runner = Runner::default();
        // What waits inside, with the runner's waker, looks at its scope when it is polled.
        let mut poll = || {
            let is_seen = scope.is_requested();
            runner.attend(&scope, &waker, None) || is_seen
        };
        let is_seen = poll() | poll();
        asking.join().unwrap();
        let wakes = count.0.load(SeqCst);
        assert!(is_seen || wakes == 1, "what is inside sleeps for ever");
    });
}

#[test]
fn loom_whoever_was_left_alone_for_a_region_is_woken_when_it_leaves_elsewhere() {
    loom::model(|| {
        let scope = Scope::new();
        let entry = scope.enter(false);
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let leaving = thread::spawn(move || drop(entry));
        scope.cancel(&Cancelled::new("now"));
        let is_spared = scope.spares(&waker);
        leaving.join().unwrap();
        assert!(!is_spared || count.0.load(SeqCst) > 0, "it sleeps for ever");
        assert!(!scope.is_live());
    });
}

/// A task's waker: to clone it reads the task, which the end of the task writes.
struct Task(loom::cell::UnsafeCell<()>);

// SAFETY: loom says so if it is used from two threads at once.
unsafe impl Sync for Task {}

impl Task {
    fn waker(&'static self) -> Waker {
        static TABLE: RawWakerVTable = RawWakerVTable::new(
            |task| {
                // SAFETY: made by `waker`, of a task that stays.
                unsafe { &*task.cast::<Task>() }.0.with(|_| ());
                RawWaker::new(task, &TABLE)
            },
            |_| (),
            |_| (),
            |_| (),
        );
        // SAFETY: the functions above need nothing but the task, which stays.
        unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(self).cast(), &TABLE)) }
    }
}

#[test]
fn loom_nobody_is_on_the_way_to_the_task_once_a_run_has_ended() {
    for is_news in [false, true] {
        loom::model(move || {
            let cell = Task(loom::cell::UnsafeCell::new(()));
            let task: &'static Task = Box::leak(Box::new(cell));
            let outer = Scope::new();
            let entry = outer.enter(false);
            let scope = Scope::new();
            let own = scope.begin().unwrap();
            Runner::default().attend(&own, &task.waker(), Some(&outer));
            let asking = thread::spawn(move || {
                let request = Cancelled::new("now");
                if is_news {
                    scope.set_deadline(Some((Instant::now(), request)));
                } else {
                    scope.cancel(&request);
                }
            });
            own.end();
            drop(entry);
            task.0.with_mut(|_| ());
            asking.join().unwrap();
        });
    }
}

#[test]
fn loom_a_routed_runner_hears_of_a_request_and_of_a_deadline() {
    for (is_news, polls) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        loom::model(move || {
            let (outer, scope) = (Scope::new(), Scope::new());
            let _entry = outer.enter(false);
            let asked = scope.clone();
            let at = Instant::now();
            let asking = thread::spawn(move || {
                let request = Cancelled::new("now");
                if is_news {
                    asked.set_deadline(Some((at, request)));
                } else {
                    asked.cancel(&request);
                }
            });
            let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
            let waker = Waker::from(count.clone());
            let mut runner = Runner::default();
            let mut poll = || {
                let is_seen = scope.is_requested();
                runner.attend(&scope, &waker, Some(&outer)) || is_seen
            };
            let is_seen = (0..polls).fold(false, |is_seen, _| poll() | is_seen);
            asking.join().unwrap();
            let is_seen = is_seen || runner.deadline() == Some(at);
            let wakes = count.0.load(SeqCst);
            assert!(is_seen || wakes == 1, "what is inside sleeps for ever");
        });
    }
}

#[test]
fn loom_a_task_that_has_ended_is_not_kept_by_its_scope() {
    loom::model(|| {
        let (outer, scope) = (Scope::new(), Scope::new());
        let _entry = outer.enter(false);
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let mut runner = Runner::default();
        runner.attend(&scope, &Waker::from(count.clone()), Some(&outer));
        let asked = scope.clone();
        let asking = thread::spawn(move || asked.cancel(&Cancelled::new("now")));
        outer.forget_task();
        asking.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&count), 1);
        // Another task, where the first one was, polls what was moved to it.
        let other = Waker::from(count.clone());
        assert!(scope.is_requested());
        assert!(runner.attend(&scope, &other, Some(&outer)));
    });
}

#[test]
fn loom_a_runner_hears_of_another_deadline() {
    loom::model(|| {
        let scope = Scope::new();
        let other = scope.clone();
        let at = Instant::now();
        let setting = thread::spawn(move || other.set_deadline(Some((at, Cancelled::new("late")))));
        let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut runner = Runner::default();
        runner.attend(&scope, &waker, None);
        setting.join().unwrap();
        if runner.deadline().is_none() {
            assert_eq!(count.0.load(SeqCst), 1, "the deadline is not heard of");
            runner.attend(&scope, &waker, None);
        }
        assert_eq!(runner.deadline(), Some(at));
    });
}

#[test]
fn loom_the_last_of_a_region_a_run_and_a_handle_frees_the_scope() {
    for ends_first in [false, true] {
        loom::model(move || {
            let scope = Scope::new();
            let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
            let own = scope.begin().unwrap();
            assert!(scope.begin().is_none());
            Runner::default().attend(&own, &Waker::from(count.clone()), None);
            let entry = own.enter(false);
            let leaving = thread::spawn(move || {
                assert!(!entry.is_requested());
                drop(entry);
            });
            if ends_first {
                own.end();
                drop(scope);
            } else {
                drop(scope);
                own.end();
            }
            leaving.join().unwrap();
            assert_eq!(std::sync::Arc::strong_count(&count), 1);
        });
    }
}
