//! Tests of the reserve: how many spare workers come, when they leave, and what they leave behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::kernel::Tid;
use super::super::reserve::Reserve;
use super::super::seat::Core;
use super::{ThreadlessRuntime, a_task};
use crate::rt_sync::whole::atomic::Ordering::Relaxed;

/// A reserve, and a clock that it looks at.
struct Adjusting {
    runtime: ThreadlessRuntime,
    reserve: Reserve,
    start: Instant,
}

impl Adjusting {
    /// With two workers.
    fn new(spares: usize) -> Self {
        let start = Instant::now();
        Self {
            runtime: ThreadlessRuntime::new(2, spares),
            reserve: Reserve::new(start),
            start,
        }
    }

    /// With two workers, and as many spare ones, which come while as many are stuck.
    fn with_spare_workers(spares: usize) -> Self {
        let mut guard = Self::new(spares);
        let stuck: Vec<_> = (0..spares).collect();
        // Those that are stuck, and those that come in their place, which are stuck then.
        (0..spares).for_each(|_| guard.look(0, &stuck));
        guard
    }

    /// A look of the guard, so many milliseconds after the start, that finds the workers at `stuck` stuck.
    fn look(&mut self, millis: u64, stuck: &[usize]) {
        let seats = self.runtime.shared.seats.in_use().len();
        let stuck: Vec<_> = (0..seats).map(|seat| stuck.contains(&seat)).collect();
        let now = self.start + Duration::from_millis(millis);
        self.reserve.adjust(&self.runtime.shared, &stuck, now);
    }

    /// The thread that was asked for comes.
    fn sit(&self, seat: usize) -> Core {
        self.runtime.shared.seats[seat].vacancy.answer().unwrap()
    }

    fn leaving(&self) -> Vec<usize> {
        let seats = 0..self.runtime.shared.seats.all().len();
        seats
            .filter(|&seat| self.runtime.shared.seats[seat].post.is_leaving())
            .collect()
    }

    fn in_use(&self) -> usize {
        self.runtime.shared.seats.in_use().len()
    }

    fn workers_and_awake(&self) -> (usize, usize) {
        let counts = self.runtime.shared.idle.counts();
        (counts.workers(), counts.awake())
    }
}

#[test]
fn there_is_a_spare_worker_for_each_that_is_stuck_but_no_more_than_allowed() {
    let mut guard = Adjusting::new(4);
    guard.look(0, &[]);
    assert_eq!(guard.runtime.threads_asked_for(), []);
    guard.look(5, &[0]);
    assert_eq!(guard.runtime.threads_asked_for(), [2]);
    assert_eq!((guard.in_use(), guard.workers_and_awake()), (3, (3, 3)));
    // Those that have come are counted, and those that are on their way.
    guard.look(10, &[0]);
    guard.look(15, &[1]);
    assert_eq!(guard.runtime.threads_asked_for(), []);
    guard.look(20, &[0, 1, 2]);
    assert_eq!(guard.runtime.threads_asked_for(), [3, 4]);
    guard.look(25, &[0, 1, 2, 3, 4]);
    assert_eq!(guard.runtime.threads_asked_for(), [5]);
    assert_eq!((guard.in_use(), guard.workers_and_awake()), (6, (6, 6)));
    assert_eq!(guard.runtime.shared.spare_workers(), 4);
}

#[test]
fn a_spare_worker_stays_for_one_to_two_seconds_after_it_was_last_needed() {
    // It was needed last early in the first second, or at the end of it, or in the second one.
    for (last, leaves) in [(5, 2000), (1000, 2000), (1005, 3000)] {
        let mut guard = Adjusting::new(1);
        for millis in (0..=leaves).step_by(5) {
            assert_eq!(guard.leaving(), [], "at {millis} ms");
            guard.look(millis, if millis <= last { &[0] } else { &[] });
        }
        assert_eq!(guard.leaving(), [2]);
    }
}

#[test]
fn as_many_as_were_needed_at_once_stay_for_the_second() {
    let mut guard = Adjusting::with_spare_workers(4);
    guard.look(1000, &[]);
    assert_eq!(guard.leaving(), []);
    // Needed at different times, one seat would do for them.
    guard.look(1200, &[0]);
    guard.look(1400, &[1, 2]);
    guard.look(1600, &[1]);
    guard.look(2000, &[]);
    assert_eq!(guard.leaving(), [4, 5]);
}

#[test]
fn the_last_ones_leave_first_but_not_those_that_are_stuck() {
    let mut guard = Adjusting::with_spare_workers(4);
    let cores: Vec<_> = (2..6).map(|seat| guard.sit(seat)).collect();
    guard.look(1000, &[0, 5]);
    guard.look(2000, &[0, 5]);
    assert_eq!(guard.leaving(), [3, 4]);
    let called: Vec<_> = cores.iter().map(|core| core.parker.is_notified()).collect();
    assert_eq!(called, [false, true, true, false], "they may sleep");
    // They are not counted any more, nor asked again.
    guard.look(3000, &[0, 5]);
    assert_eq!(guard.leaving(), [3, 4]);
    guard.runtime.threads_asked_for();
    guard.look(3005, &[0, 1, 5]);
    assert_eq!(guard.runtime.threads_asked_for(), [], "no seat is free");
    guard.look(4000, &[5]);
    guard.look(5000, &[5]);
    assert_eq!(guard.leaving(), [2, 3, 4]);
}

#[test]
fn seats_are_in_use_until_nobody_sits_there_or_behind() {
    let mut guard = Adjusting::with_spare_workers(3);
    let mut cores: Vec<_> = (2..5).map(|seat| guard.sit(seat)).collect();
    guard.look(1000, &[4]);
    guard.look(2000, &[4]);
    assert_eq!((guard.in_use(), guard.leaving()), (5, vec![2, 3]));
    let last = cores.pop().unwrap();
    for core in cores {
        guard.runtime.shared.retire(core, false);
    }
    guard.look(3000, &[4]);
    assert_eq!((guard.in_use(), guard.leaving()), (5, vec![]));
    // The first free seat is taken again, and those behind it stay in use.
    guard.runtime.threads_asked_for();
    guard.look(3005, &[0, 4]);
    assert_eq!(guard.runtime.threads_asked_for(), [2]);
    assert_eq!(guard.in_use(), 5);
    guard.look(4000, &[]);
    guard.look(5000, &[]);
    assert_eq!((guard.in_use(), guard.leaving()), (5, vec![2, 4]));
    guard.runtime.shared.retire(last, false);
    guard.look(6000, &[]);
    assert_eq!(guard.in_use(), 3, "that of the one that leaves");
    guard.runtime.shared.retire(guard.sit(2), false);
    guard.look(7000, &[]);
    assert_eq!(guard.in_use(), 2);
}

#[test]
fn a_seat_is_kept_while_the_system_refuses_threads() {
    let mut guard = Adjusting::new(2);
    guard.runtime.system.refuses.store(true, Relaxed);
    for _ in 0..2 {
        guard.look(0, &[0, 1]);
        assert_eq!(guard.runtime.threads_asked_for(), [2], "once at each look");
        assert_eq!(guard.workers_and_awake(), (2, 2));
    }
    guard.runtime.system.refuses.store(false, Relaxed);
    guard.look(5, &[0, 1]);
    assert_eq!(guard.runtime.threads_asked_for(), [2, 3]);
    assert_eq!(guard.workers_and_awake(), (4, 4));
}

#[test]
fn a_worker_that_retires_leaves_its_tasks_to_the_others() {
    let mut guard = Adjusting::with_spare_workers(1);
    let (core, shared) = (guard.sit(2), guard.runtime.shared.clone());
    let seat = &shared.seats[2];
    guard.runtime.begin_poll(2);
    assert!(shared.idle.start_searching());
    assert!(seat.slot.put(a_task()).is_none());
    core.queue.push(a_task());
    shared.retire(core, true);
    assert_eq!(shared.injector.len(), 2);
    assert_eq!(
        (shared.spare_workers(), shared.idle.counts().searching()),
        (0, 0)
    );
    assert_eq!(guard.workers_and_awake(), (2, 2));
    assert!(seat.running.look().is_none() && seat.tid.load(Relaxed) == Tid::NONE.0);
    // Somebody else may sit there.
    guard.runtime.threads_asked_for();
    guard.look(5, &[0]);
    assert_eq!(guard.runtime.threads_asked_for(), [2]);
}

#[test]
fn a_worker_that_retires_wakes_another_if_nobody_is_awake_or_looks_for_what_it_leaves() {
    // How many others sleep, whether there is a task, and whether one of them is woken.
    for (asleep, task, woken) in [
        (0, true, false),
        (1, false, false),
        (1, true, true),
        (2, false, true),
        (2, true, true),
    ] {
        let guard = Adjusting::with_spare_workers(1);
        let (core, shared) = (guard.sit(2), Arc::clone(&guard.runtime.shared));
        (0..asleep).for_each(|worker| _ = shared.idle.sleep(worker, false));
        if task {
            core.queue.push(a_task());
        }
        shared.retire(core, false);
        let awake = 2 - asleep + usize::from(woken);
        assert_eq!(guard.workers_and_awake(), (2, awake), "{asleep} {task}");
        let called = |core: &Core| core.parker.is_notified();
        assert_eq!(guard.runtime.cores.iter().any(called), woken);
    }
}
