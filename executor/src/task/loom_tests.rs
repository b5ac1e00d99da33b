//! Models of the task: every pair of {poll, wake, abort, drop or await the handle, drop a waker, shutdown}.
//!
//! The shipped state word, harness, wakers and handles run here. What is not shipped: the scheduler, which is a locked queue that the
//! model's threads empty by hand, and the owner's list, which has room for one task. So these models say nothing of `TaskList`.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Relaxed, SeqCst};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::raw::Header;
use super::*;

/// Tokens in flight, and what happened to the task.
#[derive(Default)]
pub(super) struct World {
    queue: Mutex<Vec<Notified>>,
    list: Mutex<List>,
    released: AtomicUsize,
    /// As while tasks are asked to end: who has the token of one that steps back links it. Set before the model's threads.
    links_tokens: std::sync::atomic::AtomicBool,
}

#[derive(Default)]
struct List {
    task: Option<Linked>,
    closed: bool,
}

struct Linked(NonNull<Header>);

// SAFETY: as for `TaskList`, it is followed only under the lock.
unsafe impl Send for Linked {}

#[derive(Clone)]
pub(super) struct Scheduler(pub(super) Arc<World>);

impl Schedule for Scheduler {
    fn schedule(&self, task: Notified) {
        self.0.queue.lock().unwrap().push(task);
    }

    fn reschedule(&self, task: Notified) {
        let is_linked = self.0.list.lock().unwrap().task.is_some();
        if self.0.links_tokens.load(Relaxed) && !is_linked {
            let _ = self.link(&task.link());
        }
        self.schedule(task);
    }

    fn link(&self, task: &TaskRef) -> bool {
        let mut list = self.0.list.lock().unwrap();
        if !list.closed {
            list.task = Some(Linked(task.pointer()));
        }
        !list.closed
    }

    fn failed(&self, _: &UnobservedFailure) -> Observer {
        Observer::default()
    }

    fn release(&self, _: &TaskRef) {
        self.0.list.lock().unwrap().task = None;
        assert_eq!(self.0.released.fetch_add(1, Relaxed), 0, "released twice");
    }
}

impl World {
    pub(super) fn push(&self, token: Notified) {
        self.queue.lock().unwrap().push(token);
    }

    /// What whoever asks tasks to end finds.
    fn linked(&self) -> Option<TaskRef> {
        let list = self.list.lock().unwrap();
        let task = list.task.as_ref();
        task.map(|task| TaskRef::borrow(task.0).clone())
    }

    /// As `TaskList::close`, then what shutdown does with what it finds, in the list and in the queue.
    fn shut_down(&self) {
        self.list.lock().unwrap().closed = true;
        if let Some(task) = self.linked() {
            task.cancel_if_idle();
        }
        let token = self.queue.lock().unwrap().pop();
        token.map(Notified::cancel);
    }

    /// Runs one token, if there is one.
    pub(super) fn run_one(&self) -> bool {
        let task = self.queue.lock().unwrap().pop();
        task.map(Notified::run).is_some()
    }

    /// A task is in at most one queue.
    pub(super) fn run_all(&self) {
        loop {
            let task = {
                let mut queue = self.queue.lock().unwrap();
                assert!(queue.len() <= 1, "two tokens of one task");
                queue.pop()
            };
            match task {
                Some(task) => task.run(),
                None => return,
            }
        }
    }
}

/// Ready at the poll that finds `go` set. Leaves its waker where others find it. Counts its polls and drops, and, being told to loom by
/// `Tracked`, fails the model if it is polled by two threads at a time.
struct Waits {
    shared: Arc<Shared>,
    output: Option<Tracked>,
}

#[derive(Default)]
struct Shared {
    go: AtomicUsize,
    /// The next poll steps back.
    steps_back: AtomicUsize,
    waker: Mutex<Option<Waker>>,
    polls: AtomicUsize,
    future_drops: AtomicUsize,
    output_drops: AtomicUsize,
}

/// An output: counts its drops, and leaks the model's memory if it is never dropped.
struct Tracked {
    shared: Arc<Shared>,
    _leak: loom::alloc::Track<()>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.shared.output_drops.fetch_add(1, Relaxed);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.shared.future_drops.fetch_add(1, Relaxed);
    }
}

impl Future for Waits {
    type Output = Tracked;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Tracked> {
        self.shared.polls.fetch_add(1, Relaxed);
        *self.shared.waker.lock().unwrap() = Some(cx.waker().clone());
        if self.shared.steps_back.swap(0, Relaxed) == 1 {
            step_back(cx.waker());
            return Poll::Pending;
        }
        // Relaxed: what makes a wake's news visible to the poll it leads to must be the task's state word alone.
        if self.shared.go.load(Relaxed) == 1 {
            Poll::Ready(self.output.take().unwrap())
        } else {
            Poll::Pending
        }
    }
}

struct Model {
    world: Arc<World>,
    shared: Arc<Shared>,
    handle: JoinHandle<Tracked>,
}

/// A task that has been polled once and waits.
fn waiting() -> Model {
    let model = scheduled();
    assert!(model.world.run_one());
    model
}

/// A task that has not been polled.
fn scheduled() -> Model {
    let (world, shared) = (Arc::new(World::default()), Arc::new(Shared::default()));
    let output = Tracked {
        shared: shared.clone(),
        _leak: loom::alloc::Track::new(()),
    };
    let future = Waits {
        shared: shared.clone(),
        output: Some(output),
    };
    let (token, handle) = new(
        future,
        Scheduler(world.clone()),
        Id::next(),
        Location::caller(),
    );
    world.queue.lock().unwrap().push(token);
    Model {
        world,
        shared,
        handle,
    }
}

impl Shared {
    fn go(&self) {
        self.go.store(1, Relaxed);
    }

    fn take_waker(&self) -> Waker {
        self.waker
            .lock()
            .unwrap()
            .take()
            .expect("the task was polled")
    }

    /// After everything: the future and the output were dropped, once. Wakers that are left go now.
    fn finish(&self) {
        drop(self.waker.lock().unwrap().take());
        assert_eq!(self.future_drops.load(SeqCst), 1, "the future's drops");
        assert_eq!(self.output_drops.load(SeqCst), 1, "the output's drops");
    }
}

fn poll_handle(handle: &mut JoinHandle<Tracked>) -> Poll<Result<Tracked, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn loom_wake_during_poll_leads_to_another_poll() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = waiting();
        // One wake without news makes the task run again; the real wake may come before, during or after that poll.
        shared.waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
        let waker = shared.take_waker();
        let (world2, shared2) = (world.clone(), shared.clone());
        let waking = thread::spawn(move || {
            shared2.go();
            waker.wake();
            world2.run_all();
        });
        world.run_all();
        waking.join().unwrap();
        world.run_all();
        assert!(handle.is_finished(), "a wake was lost");
        drop(handle);
        shared.finish();
    });
}

#[test]
fn loom_a_task_that_steps_back_keeps_one_token_beside_a_wake_and_an_abort() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = waiting();
        shared.steps_back.store(1, Relaxed);
        let waker = shared.take_waker();
        waker.wake_by_ref();
        let (world2, shared2, abort) = (world.clone(), shared.clone(), handle.abort_handle());
        let waking = thread::spawn(move || {
            shared2.go();
            waker.wake();
            abort.abort();
            world2.run_all();
        });
        world.run_all();
        waking.join().unwrap();
        world.run_all();
        assert!(
            poll_handle(&mut handle).is_ready(),
            "neither woken nor cancelled"
        );
        drop((handle, world));
        shared.finish();
    });
}

#[test]
fn loom_two_wakers_make_one_token() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = waiting();
        let first = shared.take_waker();
        let second = first.clone();
        shared.go();
        let waking = thread::spawn(move || first.wake());
        second.wake_by_ref();
        drop(second);
        waking.join().unwrap();
        world.run_all();
        assert!(handle.is_finished());
        // Polled once before, and once for both wakes.
        assert_eq!(shared.polls.load(SeqCst), 2);
        drop(handle);
        shared.finish();
    });
}

#[test]
fn loom_wake_and_abort() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = waiting();
        let waker = shared.take_waker();
        let (world2, shared2) = (world.clone(), shared.clone());
        let waking = thread::spawn(move || {
            shared2.go();
            waker.wake();
            world2.run_all();
        });
        handle.abort();
        world.run_all();
        waking.join().unwrap();
        world.run_all();
        let Poll::Ready(result) = poll_handle(&mut handle) else {
            panic!("neither woken nor cancelled")
        };
        assert_eq!(
            shared.future_drops.load(SeqCst),
            1,
            "the handle answered before the future was dropped"
        );
        drop((result, handle));
        shared.finish();
    });
}

#[test]
fn loom_poll_and_abort() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        let abort = handle.abort_handle();
        let world2 = world.clone();
        let polling = thread::spawn(move || world2.run_all());
        abort.abort();
        polling.join().unwrap();
        world.run_all();
        assert!(handle.is_finished());
        drop((handle, abort));
        shared.finish();
    });
}

#[test]
fn loom_completion_and_dropped_handle() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        shared.go();
        let polling = thread::spawn(move || world.run_all());
        drop(handle);
        polling.join().unwrap();
        shared.finish();
    });
}

#[test]
fn loom_completion_and_handle_that_registers_its_waker() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = scheduled();
        shared.go();
        let polling = thread::spawn(move || world.run_all());
        let output = loom::future::block_on(&mut handle);
        assert!(output.is_ok());
        polling.join().unwrap();
        drop((output, handle));
        shared.finish();
    });
}

#[test]
fn loom_completion_and_handle_that_replaces_its_waker_and_leaves() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = scheduled();
        shared.go();
        let first = Waker::from(std::sync::Arc::new(Flag));
        let second = Waker::from(std::sync::Arc::new(Flag));
        let _ = Pin::new(&mut handle)
            .poll(&mut Context::from_waker(&first))
            .is_pending();
        let polling = thread::spawn(move || world.run_all());
        let left = match Pin::new(&mut handle).poll(&mut Context::from_waker(&second)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        };
        drop((handle, left));
        polling.join().unwrap();
        shared.finish();
    });

    struct Flag;
    impl std::task::Wake for Flag {
        fn wake(self: std::sync::Arc<Self>) {}
    }
}

/// The way of a `JoinSet`: it takes the output, and gives the handle up, as soon as the waker has run, which may be while the
/// completer is still about to give the waker back.
#[test]
fn loom_a_handle_that_waits_by_its_waker_alone_is_woken_once() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = scheduled();
        shared.go();
        let wakes = std::sync::Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let polling = thread::spawn(move || world.run_all());
        handle.wake_when_finished(&waker);
        drop(waker);
        let mut handle = Some(handle);
        if wakes.count() == 1 {
            take_and_leave(&mut handle);
        }
        polling.join().unwrap();
        assert_eq!(wakes.count(), 1);
        if handle.is_some() {
            take_and_leave(&mut handle);
        }
        assert_eq!(std::sync::Arc::strong_count(&wakes), 1, "a waker is left");
        shared.finish();
    });

    fn take_and_leave(handle: &mut Option<JoinHandle<Tracked>>) {
        let mut handle = handle.take().unwrap();
        match handle.poll_output(Waker::noop()) {
            Poll::Ready(output) => assert!(output.is_ok()),
            Poll::Pending => panic!("woken before the task was complete"),
        }
    }

    #[derive(Default)]
    struct Wakes(Mutex<usize>);
    impl Wakes {
        fn count(&self) -> usize {
            *self.0.lock().unwrap()
        }
    }
    impl std::task::Wake for Wakes {
        fn wake(self: std::sync::Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }
}

#[test]
fn loom_last_waker_dropped_while_the_task_completes() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = waiting();
        drop(handle);
        let waker = shared.take_waker();
        shared.go();
        waker.wake_by_ref();
        let dropping = thread::spawn(move || drop(waker));
        world.run_all();
        dropping.join().unwrap();
        shared.finish();
    });
}

#[test]
fn loom_shutdown_claims_an_idle_task_that_is_being_woken() {
    loom::model(|| {
        let Model {
            world,
            shared,
            mut handle,
        } = waiting();
        let waker = shared.take_waker();
        let (world2, shared2) = (world.clone(), shared.clone());
        let waking = thread::spawn(move || {
            shared2.go();
            waker.wake();
            // The waker's own drain: a token that comes after the end is cancelled by whoever brings it.
            let token = world2.queue.lock().unwrap().pop();
            token.map(Notified::cancel)
        });
        let task = TaskRef::borrow_of(&handle).clone();
        task.cancel_if_idle();
        let token = world.queue.lock().unwrap().pop();
        token.map(Notified::cancel);
        waking.join().unwrap();
        let Poll::Ready(Err(error)) = poll_handle(&mut handle) else {
            panic!("the task survived the shutdown")
        };
        assert!(error.is_cancelled());
        drop((handle, task));
        shared.finish();
    });
}

#[test]
fn loom_shutdown_during_a_poll() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        let world2 = world.clone();
        let polling = thread::spawn(move || world2.run_all());
        let task = TaskRef::borrow_of(&handle).clone();
        task.cancel_if_idle();
        polling.join().unwrap();
        world.run_all();
        assert!(handle.is_finished());
        drop((handle, task));
        shared.finish();
    });
}

/// Its state word is written by plain stores while nobody else can reach it: until it is linked, and if it has no reference but the owner's.
#[test]
fn loom_a_task_alone_is_polled_while_its_last_waker_goes_and_shutdown_comes() {
    for steps_back in [1, 0] {
        loom::model(move || {
            let Model {
                world,
                shared,
                handle,
            } = scheduled();
            drop(handle);
            shared.steps_back.store(steps_back, Relaxed);
            let (world2, shared2) = (world.clone(), shared.clone());
            let polling = thread::spawn(move || {
                world2.run_all();
                let waker = shared2.waker.lock().unwrap().take();
                waker.map(Waker::wake);
                world2.run_all();
            });
            drop(shared.waker.lock().unwrap().take());
            world.shut_down();
            polling.join().unwrap();
            world.shut_down();
            shared.finish();
        });
    }
}

#[test]
fn loom_a_task_alone_steps_back_beside_a_wake() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        drop(handle);
        shared.steps_back.store(1, Relaxed);
        let (world2, shared2) = (world.clone(), shared.clone());
        let polling = thread::spawn(move || world2.run_all());
        shared2.go();
        let waker = shared2.waker.lock().unwrap().take();
        waker.map(Waker::wake);
        world.run_all();
        polling.join().unwrap();
        world.run_all();
        let waker = shared.waker.lock().unwrap().take();
        waker.map(Waker::wake);
        world.run_all();
        assert_eq!(shared.future_drops.load(SeqCst), 1, "a wake was lost");
        shared.finish();
    });
}

/// From then on others may reach it, by the list, so its word must not be written by plain stores any more.
#[test]
fn loom_a_task_alone_is_linked_with_its_token_and_aborted_by_who_finds_it() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = scheduled();
        drop(handle);
        world.links_tokens.store(true, Relaxed);
        shared.steps_back.store(1, Relaxed);
        shared.go();
        let (world2, shared2) = (world.clone(), shared.clone());
        let asking = thread::spawn(move || {
            drop(shared2.waker.lock().unwrap().take());
            if let Some(task) = world2.linked() {
                task.abort();
            }
            world2.run_all();
        });
        world.run_all();
        asking.join().unwrap();
        world.run_all();
        shared.finish();
    });
}

/// Proves that the models find what they look for: a wake that is skipped if the task looks notified already is lost.
#[test]
#[should_panic(expected = "a wake was lost")]
fn loom_finds_a_wake_that_is_skipped_after_a_plain_load() {
    loom::model(|| {
        let Model {
            world,
            shared,
            handle,
        } = waiting();
        shared.waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
        let task = TaskRef::borrow_of(&handle).clone();
        let shared2 = shared.clone();
        let waking = thread::spawn(move || {
            shared2.go();
            if !task.header().state.is_notified() {
                task.wake_for_test();
            }
        });
        world.run_all();
        waking.join().unwrap();
        world.run_all();
        assert!(handle.is_finished(), "a wake was lost");
        drop(handle);
        shared.finish();
    });
}
