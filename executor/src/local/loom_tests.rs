//! Models of a local task set: another thread wakes or aborts a task while the set is polled or closed.
//!
//! The shipped set, inbox and task run here, with their real thread numbers. What is not shipped: which set the thread is in is a plain
//! thread local, which all of a model's threads share, and only the owner uses it.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::sync::Mutex;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread::{self, ThreadId};

use super::*;

/// Ready at the poll that finds `go` set. Fails the model if it is polled or dropped on another thread than its own.
struct Waits {
    shared: Arc<World>,
    home: ThreadId,
    _leak: loom::alloc::Track<()>,
}

struct World {
    go: AtomicUsize,
    waker: Mutex<Option<Waker>>,
    drops: AtomicUsize,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            go: AtomicUsize::new(0),
            waker: Mutex::new(None),
            drops: AtomicUsize::new(0),
        })
    }

    fn take_waker(&self) -> Waker {
        let waker = self.waker.lock().unwrap().take();
        waker.expect("the task was polled")
    }
}

impl Future for Waits {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        assert_eq!(thread::current().id(), self.home, "polled elsewhere");
        *self.shared.waker.lock().unwrap() = Some(cx.waker().clone());
        // Relaxed: what makes a wake's news visible must be the way of its token alone.
        if self.shared.go.load(Relaxed) == 1 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        // Not an assertion, which a destructor of a task may not let out.
        let here = thread::current().id() == self.home;
        self.shared
            .drops
            .fetch_add(if here { 1 } else { 100 }, Relaxed);
    }
}

/// A set with one task that has been polled once and waits.
fn waiting() -> (Arc<Local>, Arc<World>, JoinHandle<()>) {
    let (local, world) = (
        Local::new(Host {
            failed: |_| Observer::default(),
            watcher: || None,
            polled: |_| {},
        }),
        World::new(),
    );
    let future = Waits {
        shared: world.clone(),
        home: thread::current().id(),
        _leak: loom::alloc::Track::new(()),
    };
    let handle = local.spawn(future, Location::caller());
    assert!(poll_once(&local).is_pending());
    (local, world, handle)
}

fn poll_once(local: &Arc<Local>) -> Poll<()> {
    local.poll_all(&mut Context::from_waker(Waker::noop()))
}

/// The set is closed and everything is gone.
fn finish(local: &Arc<Local>, world: &World) {
    assert_eq!(world.drops.load(Relaxed), 1, "the future's drops");
    assert!(local.is_empty());
    drop(world.waker.lock().unwrap().take());
}

#[test]
fn loom_a_wake_elsewhere_leads_to_another_poll_of_the_set() {
    loom::model(|| {
        let (local, world, handle) = waiting();
        drop(handle);
        let waker = world.take_waker();
        let other = thread::spawn({
            let world = world.clone();
            move || {
                world.go.store(1, Relaxed);
                waker.wake();
            }
        });
        // A wake that calls nobody is a deadlock, which fails the model.
        loom::future::block_on(std::future::poll_fn(|cx| local.poll_all(cx)));
        other.join().unwrap();
        finish(&local, &world);
    });
}

#[test]
fn loom_a_task_that_is_woken_elsewhere_is_dropped_by_the_close_of_its_set() {
    loom::model(|| {
        let (local, world, handle) = waiting();
        let waker = world.take_waker();
        let other = thread::spawn(move || waker.wake());
        local.close();
        assert!(handle.is_finished());
        finish(&local, &world);
        other.join().unwrap();
    });
}

#[test]
fn loom_an_abort_elsewhere_drops_the_future_at_home() {
    loom::model(|| {
        let (local, world, handle) = waiting();
        let abort = handle.abort_handle();
        let other = thread::spawn(move || {
            abort.abort();
            // "Cancelled" is seen only after the future is gone.
            if abort.is_finished() {
                assert_eq!(world.drops.load(Relaxed), 1);
            }
            world
        });
        let _ = poll_once(&local);
        let _ = poll_once(&local);
        local.close();
        assert!(handle.is_finished());
        let world = other.join().unwrap();
        finish(&local, &world);
    });
}

#[test]
fn loom_two_threads_wake_two_tasks_while_the_set_closes() {
    loom::model(|| {
        let (local, first, _first) = waiting();
        let second = World::new();
        let future = Waits {
            shared: second.clone(),
            home: thread::current().id(),
            _leak: loom::alloc::Track::new(()),
        };
        drop(local.spawn(future, Location::caller()));
        assert!(poll_once(&local).is_pending());
        let threads = [first.take_waker(), second.take_waker()]
            .map(|waker| thread::spawn(move || waker.wake()));
        local.close();
        finish(&local, &first);
        finish(&local, &second);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The output of a task, whose destructor closes the task's set.
struct Closes(Arc<Local>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn loom_an_output_that_closes_its_set_waits_for_the_token_that_another_thread_carries() {
    loom::model(|| {
        let (local, world, handle) = waiting();
        let waker = world.take_waker();
        let closes = Closes(local.clone());
        drop(local.spawn(async move { closes }, Location::caller()));
        let other = thread::spawn(move || waker.wake());
        let _ = poll_once(&local);
        assert!(handle.is_finished());
        finish(&local, &world);
        other.join().unwrap();
    });
}
