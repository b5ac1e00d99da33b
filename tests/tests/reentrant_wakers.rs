//! Wakers that come back into what wakes them: spawn, poll, reset and drop while they are woken.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use executor::runtime::{Handle, Runtime};
use executor::time::sleep;
use futures::channel::oneshot;

use crate::support::{assert_usable, in_time, pair_with_std, until, within, workers};

/// Polls once. True: it waits.
fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> bool {
    let poll = Pin::new(future).poll(&mut Context::from_waker(waker));
    poll.is_pending()
}

/// Calls a function when it is woken.
struct OnWake(Box<dyn Fn() + Send + Sync>);

impl Wake for OnWake {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn on_wake(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(OnWake(Box::new(f))))
}

/// Everything that a waker might do to the runtime that wakes it.
fn busy_waker(handle: &Handle, count: &Arc<AtomicUsize>) -> Waker {
    let (handle, count) = (handle.clone(), count.clone());
    on_wake(move || {
        let _entered = handle.enter();
        let task = executor::spawn(sleep(Duration::from_micros(10)));
        let mut timer = Box::pin(sleep(Duration::from_secs(3600)));
        poll_with(&mut timer, Waker::noop());
        drop(timer);
        task.abort();
        count.fetch_add(1, SeqCst);
    })
}

fn reentered(runtime: Runtime) {
    let count = Arc::new(AtomicUsize::new(0));
    let waker = busy_waker(runtime.handle(), &count);
    let guard = runtime.enter();
    // On a busy machine some have ended before they are polled, all perhaps if the time is short.
    let (mut timers, mut tasks, mut waiting) = (Vec::new(), Vec::new(), 0);
    in_time(|time| {
        let time = time / 10;
        timers = (0..100).map(|_| Box::pin(sleep(time))).collect();
        tasks = (0..100)
            .map(|_| executor::spawn(sleep(time)))
            .collect::<Vec<_>>();
        let timers = timers.iter_mut().map(|timer| poll_with(timer, &waker));
        let tasks = tasks.iter_mut().map(|task| poll_with(task, &waker));
        waiting = timers.chain(tasks).filter(|&waits| waits).count();
        waiting > 0
    });
    drop(guard);
    until(|| {
        runtime.block_on(sleep(Duration::from_millis(1)));
        count.load(SeqCst) == waiting
    });
    assert_usable(&runtime);
}

#[test]
fn a_waker_may_come_back_into_the_runtime_that_wakes_it() {
    within(60, || crate::support::each_runtime(reentered));
}

#[test]
fn a_waker_may_drop_the_timer_that_wakes_it() {
    within(60, || {
        crate::support::each_runtime(|runtime| {
            let guard = runtime.enter();
            let slot = Arc::new(Mutex::new(None));
            let count = Arc::new(AtomicUsize::new(0));
            let (timers, woken) = (slot.clone(), count.clone());
            let waker = on_wake(move || {
                drop(timers.lock().unwrap().take());
                woken.fetch_add(1, SeqCst);
            });
            // Those that are over before they are polled wake nobody.
            in_time(|time| {
                // The first to be woken waits until all are in the slot.
                let mut slot = slot.lock().unwrap();
                let timers = (0..10).map(|_| Box::pin(sleep(time / 2)));
                let mut timers: Vec<_> = timers.collect();
                timers.retain_mut(|timer| poll_with(timer, &waker));
                let some_wait = !timers.is_empty();
                *slot = Some(timers);
                some_wait
            });
            drop(guard);
            until(|| {
                runtime.block_on(sleep(Duration::from_millis(1)));
                count.load(SeqCst) > 0 && slot.lock().unwrap().is_none()
            });
            assert_usable(&runtime);
        });
    });
}

#[test]
fn a_waker_may_reset_and_poll_the_timer_that_wakes_it() {
    within(60, || {
        crate::support::each_runtime(|runtime| {
            let guard = runtime.enter();
            let timer = Arc::new(Mutex::new(Box::pin(sleep(Duration::from_millis(5)))));
            let again = Arc::new(AtomicUsize::new(0));
            let (held, count) = (timer.clone(), again.clone());
            let waker = on_wake(move || {
                // The test's own poll may hold the lock: it goes on by itself then.
                let Ok(mut timer) = held.try_lock() else {
                    return;
                };
                let later = executor::time::Instant::now() + Duration::from_millis(1);
                timer.as_mut().reset(later);
                poll_with(&mut *timer, Waker::noop());
                count.fetch_add(1, SeqCst);
            });
            poll_with(&mut *timer.lock().unwrap(), &waker);
            drop(guard);
            until(|| {
                runtime.block_on(sleep(Duration::from_millis(1)));
                again.load(SeqCst) > 0 && timer.lock().unwrap().is_elapsed()
            });
            assert_usable(&runtime);
        });
    });
}

#[test]
fn a_waker_may_drop_the_handle_that_wakes_it() {
    within(60, || {
        let runtime = workers(2);
        for _ in 0..1000 {
            let slot = Arc::new(Mutex::new(None));
            let held = slot.clone();
            let waker = on_wake(move || drop(held.lock().unwrap().take()));
            let (gate, wait) = oneshot::channel::<()>();
            let mut handle = runtime.spawn(wait);
            poll_with(&mut handle, &waker);
            *slot.lock().unwrap() = Some(handle);
            gate.send(()).unwrap();
            until(|| slot.lock().unwrap().is_none());
        }
        assert_usable(&runtime);
    });
}

#[test]
fn a_waker_that_polls_the_finished_handle_gets_the_output() {
    within(60, || {
        let runtime = workers(1);
        let (gate, wait) = oneshot::channel::<u32>();
        let handle = Arc::new(Mutex::new(runtime.spawn(wait)));
        let answer = Arc::new(Mutex::new(None));
        // Weak: a waker that owns the handle it waits for owns itself.
        let (polled, found) = (Arc::downgrade(&handle), answer.clone());
        let waker = on_wake(move || {
            let poll = Pin::new(&mut *polled.upgrade().unwrap().lock().unwrap())
                .poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(output) = poll {
                *found.lock().unwrap() = Some(output.unwrap().unwrap());
            }
        });
        poll_with(&mut *handle.lock().unwrap(), &waker);
        gate.send(9).unwrap();
        until(|| *answer.lock().unwrap() == Some(9));
    });
}

#[test]
fn a_waker_may_drop_the_socket_that_wakes_it() {
    within(60, || {
        crate::support::each_runtime(|runtime| {
            let (socket, peer) = runtime.block_on(pair_with_std());
            let slot = Arc::new(Mutex::new(None));
            let held = slot.clone();
            let waker = on_wake(move || drop(held.lock().unwrap().take()));
            poll_with(
                &mut std::future::poll_fn(|context| socket.poll_read_ready(context)),
                &waker,
            );
            *slot.lock().unwrap() = Some(socket);
            std::io::Write::write_all(&mut &peer, b"x").unwrap();
            until(|| {
                runtime.block_on(sleep(Duration::from_millis(1)));
                slot.lock().unwrap().is_none()
            });
            assert_usable(&runtime);
        });
    });
}
