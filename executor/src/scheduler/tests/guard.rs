//! Tests of the guard's thread: that it comes when a poll gets stuck, and what it does about calls that were given up.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::task::Wake;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::super::hand_over::Call;
use super::super::kernel::Tid;
use super::super::{Shared, StallConfig, StallHook};
use super::{ThreadlessRuntime, a_task};
use crate::rt_sync::whole::atomic::Ordering::Relaxed;

/// Calls `f` beside the guard, whose thread it is given, and the workers whose cores are still in `runtime`.
fn beside_the_guard(
    runtime: &mut ThreadlessRuntime,
    f: impl for<'scope> FnOnce(&ThreadlessRuntime, Tid, &'scope Scope<'scope, '_>),
) {
    let (shared, cores) = (runtime.shared.clone(), std::mem::take(&mut runtime.cores));
    let (send, tid) = mpsc::channel();
    thread::scope(|scope| {
        let _closing = Closing(shared.clone());
        let guarded = shared.clone();
        scope.spawn(move || {
            send.send(Tid::current()).unwrap();
            guarded.run_guard();
        });
        for core in cores {
            let shared = shared.clone();
            scope.spawn(move || shared.run_worker(core));
        }
        f(runtime, tid.recv().unwrap(), scope);
    });
}

/// Ends the threads also if the test has failed.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn spawn(shared: &Arc<Shared>, future: impl Future<Output = ()> + Send + 'static) {
    let (_, closed) = shared.spawn(future, Location::caller());
    assert!(closed.is_none());
}

#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < TOO_LONG);
        thread::sleep(Duration::from_millis(1));
    }
}

const TOO_LONG: Duration = Duration::from_secs(60);

#[test]
fn the_guard_leaves_its_deep_sleep_for_a_stuck_poll_and_does_not_go_back_before_the_spare_worker() {
    let mut runtime = ThreadlessRuntime::new(1, 1);
    beside_the_guard(&mut runtime, |runtime, guard, scope| {
        let shared = runtime.shared.clone();
        let sleeps_deeply = || shared.guard.deep.load(Relaxed);
        until(|| sleeps_deeply() && guard.is_runnable() != Some(true) && sleeps_deeply());
        let (end, wait) = mpsc::channel::<()>();
        spawn(&shared, async move { _ = wait.recv() });
        until(|| runtime.threads_asked_for() == [1]);
        let spare = shared.clone();
        scope.spawn(move || spare.run_spare(Call::Seat(1)));
        drop(end);
        until(|| shared.spare_workers() == 0);
        until(sleeps_deeply);
    });
}

/// Whether a guard that goes to sleep deeply does so, until it is called.
fn sleeps_on(shared: &Shared) -> bool {
    thread::scope(|scope| {
        let guard = scope.spawn(|| shared.sleep_deeply());
        let since = Instant::now();
        while !guard.is_finished() && since.elapsed() < TOO_LONG {
            thread::sleep(Duration::from_millis(1));
        }
        let sleeps = !guard.is_finished();
        guard.thread().unpark();
        sleeps
    })
}

#[test]
fn the_guard_does_not_sleep_deeply_if_somebody_is_awake_or_nobody_blocks_in_the_driver_or_all_is_over()
 {
    let runtime = ThreadlessRuntime::new(1, 0);
    let shared = &runtime.shared;
    let _ = shared.idle.sleep(0, false);
    assert!(!sleeps_on(shared), "nobody blocks");
    let (somebody_is_awake, all_is_over) = thread::scope(|scope| {
        scope.spawn(|| {
            let mut duty = shared.driver.try_duty().unwrap();
            duty.block(&mut Vec::new(), || None::<u64>);
        });
        until(|| shared.driver.is_blocking());
        let _ = shared.idle.leave(0);
        let somebody_is_awake = sleeps_on(shared);
        let _ = shared.idle.sleep(0, false);
        shared.closed.store(true, Relaxed);
        let all_is_over = sleeps_on(shared);
        // Before anything is asserted, or the scope would wait for it.
        shared.driver.wake();
        (somebody_is_awake, all_is_over)
    });
    assert!(!somebody_is_awake && !all_is_over);
    let counted_as_asleep = shared.guard.deep.load(Relaxed);
    assert!(!counted_as_asleep, "whoever awakes would call it");
}

#[test]
fn a_stuck_poll_is_told_of_though_nobody_stands_in_for_its_worker() {
    let (send, told) = mpsc::channel();
    let stalls = StallConfig {
        hook: StallHook::new(move |stall| send.send(stall.elapsed()).unwrap()),
        ..StallConfig::default()
    };
    let threshold = stalls.threshold;
    let mut runtime = ThreadlessRuntime::telling(1, 0, stalls);
    beside_the_guard(&mut runtime, |runtime, _, _| {
        let (_end, wait) = mpsc::channel::<()>();
        spawn(&runtime.shared, async move { _ = wait.recv() });
        let mut elapsed = None;
        until(|| {
            runtime.shared.run_errands();
            elapsed = told.try_recv().ok();
            elapsed.is_some()
        });
        assert!(elapsed.unwrap() >= threshold);
        assert_eq!(runtime.shared.stalls(), 1);
    });
}

/// What is queued behind the others was announced to nobody if the allowance was used up.
#[test]
fn calls_that_were_given_up_are_made_if_polls_block_for_a_moment() {
    let mut runtime = ThreadlessRuntime::new(2, 0);
    let cores = std::mem::take(&mut runtime.cores);
    let _ = runtime.shared.idle.sleep(1, false);
    while runtime.shared.allowance.take() {}
    cores[0].queue.push(a_task());
    beside_the_guard(&mut runtime, |runtime, _, _| {
        until(|| {
            // None of them is there at two looks.
            runtime.begin_poll(0);
            cores[1].parker.is_notified()
        });
        assert!(runtime.shared.allowance.is_full());
    });
}

#[test]
fn the_allowance_is_filled_if_a_poll_computes_for_long() {
    let mut runtime = ThreadlessRuntime::new(1, 0);
    while runtime.shared.allowance.take() {}
    beside_the_guard(&mut runtime, |runtime, _, _| {
        let alive = Arc::new(());
        let here = Arc::downgrade(&alive);
        spawn(&runtime.shared, async move {
            while here.strong_count() > 0 {
                std::hint::spin_loop();
            }
        });
        until(|| runtime.shared.allowance.is_full());
    });
}

#[test]
fn the_guard_does_not_wait_for_wakers_that_are_no_tasks() {
    struct Called(AtomicBool);
    impl Wake for Called {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Relaxed);
        }
    }
    let runtime = ThreadlessRuntime::new(1, 0);
    let waker = Arc::new(Called(AtomicBool::new(false)));
    let is_called = || waker.0.load(Relaxed);
    runtime
        .shared
        .take_vacant_duty(&mut vec![waker.clone().into()]);
    assert!(!is_called(), "on the guard's thread");
    runtime.shared.run_errands();
    assert!(is_called());
}

#[test]
fn a_duty_that_the_guard_gives_back_while_all_sleep_is_somebodys() {
    let runtime = ThreadlessRuntime::new(2, 0);
    let shared = &runtime.shared;
    let called = || {
        runtime
            .cores
            .iter()
            .filter(|core| core.parker.is_notified())
    };
    let _ = shared.idle.sleep(0, false);
    shared.take_vacant_duty(&mut Vec::new());
    assert_eq!(called().count(), 0, "somebody is awake");
    let _ = shared.idle.sleep(1, false);
    shared.take_vacant_duty(&mut Vec::new());
    assert_eq!(called().count(), 1);
}
