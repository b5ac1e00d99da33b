//! Tests of the watch: which polls it finds stuck, what waits behind them, and when it tells of them.

use std::time::{Duration, Instant};

use super::super::kernel::Tid;
use super::super::stall::ThreadActivity;
use super::super::watch::{Found, Watch};
use super::{NO_THREAD, ThreadlessRuntime, a_task};
use crate::rt_sync::whole::atomic::Ordering::Relaxed;

/// A watch, and a clock that it looks at.
struct Watching<'a> {
    runtime: &'a ThreadlessRuntime,
    watch: Watch,
    now: Instant,
    threshold: Duration,
}

const PACE: Duration = Duration::from_millis(5);

impl<'a> Watching<'a> {
    fn new(runtime: &'a ThreadlessRuntime) -> Self {
        let now = Instant::now();
        Self {
            runtime,
            watch: Watch::new(now),
            now,
            threshold: Duration::from_millis(100),
        }
    }

    fn look(&mut self) -> Found {
        self.look_after(PACE)
    }

    fn look_after(&mut self, time: Duration) -> Found {
        self.now += time;
        let seats = self.runtime.shared.seats.in_use().iter();
        let seats = seats.map(|seat| &**seat);
        self.watch.look(seats, self.now, PACE, self.threshold)
    }
}

#[test]
fn a_poll_that_two_looks_have_found_is_stuck_until_it_ends() {
    let runtime = ThreadlessRuntime::new(2, 0);
    let mut watching = Watching::new(&runtime);
    for _ in 0..2 {
        runtime.begin_poll(1);
        let found = watching.look();
        assert_eq!((found.stuck, found.news), (vec![false; 2], false));
        let found = watching.look();
        assert_eq!((found.stuck, found.news), (vec![false, true], true));
        let found = watching.look();
        assert_eq!((found.stuck, found.news), (vec![false, true], false));
    }
    // Nobody was awake for a while.
    watching.watch.forget(watching.now);
    assert_eq!(watching.look().stuck, [false; 2]);
}

#[test]
fn a_worker_that_sleeps_or_has_slept_is_not_stuck() {
    let runtime = ThreadlessRuntime::new(1, 0);
    let seat = &runtime.shared.seats[0];
    let mut watching = Watching::new(&runtime);
    runtime.begin_poll(0);
    watching.look();
    // It falls asleep, and wakes up.
    for _ in 0..2 {
        seat.counters.parks_and_unparks.add(1);
        let found = watching.look();
        assert_eq!((found.stuck, found.work_waits), (vec![false], false));
    }
    // It has slept once more between two looks.
    seat.counters.parks_and_unparks.add(2);
    assert_eq!(watching.look().stuck, [false]);
    assert_eq!(watching.look().stuck, [true], "in a waker");
    seat.counters.parks_and_unparks.add(1);
    watching.look();
    assert_eq!(watching.look().stuck, [false], "it sleeps on");
}

#[test]
fn a_seat_without_a_thread_is_not_stuck() {
    let runtime = ThreadlessRuntime::new(1, 0);
    let mut watching = Watching::new(&runtime);
    runtime.begin_poll_on(0, Tid::NONE.0);
    watching.look();
    assert_eq!(watching.look().stuck, [false]);
}

#[test]
fn a_poll_is_told_of_at_the_threshold_and_each_time_it_has_lasted_ten_times_as_long() {
    let runtime = ThreadlessRuntime::new(2, 0);
    let mut watching = Watching::new(&runtime);
    for poll in 0..2 {
        runtime.begin_poll(1);
        watching.look();
        let (mut told, mut counted) = (Vec::new(), 0);
        for _ in 0..2100 {
            let found = watching.look();
            counted += found.new_stalls;
            told.extend(found.stalls.iter().map(|stall| stall.elapsed().as_millis()));
            let places = found.stalls.iter().map(|stall| stall.poll);
            assert!(places.into_iter().all(|place| place == (1, 2 * (poll + 1))));
        }
        assert_eq!(told, [100, 1_000, 10_000]);
        assert_eq!(counted, 1, "polls, not how often they were told of");
    }
}

#[test]
fn the_time_before_a_late_look_does_not_count() {
    let runtime = ThreadlessRuntime::new(1, 0);
    let mut watching = Watching::new(&runtime);
    let ms = Duration::from_millis;
    runtime.begin_poll(0);
    watching.look();
    let found = watching.look_after(Duration::from_secs(10));
    assert_eq!((found.stuck, found.stalls.len()), (vec![true], 0));
    // Two more are late, and two as late as may be.
    for after in [16, 85, 15, 15] {
        assert!(watching.look_after(ms(after)).stalls.is_empty());
    }
    for _ in 0..13 {
        assert!(watching.look().stalls.is_empty());
    }
    let stalls = watching.look().stalls;
    assert_eq!(stalls[0].elapsed(), ms(100));
}

#[test]
fn work_waits_behind_a_poll_that_has_lasted_since_the_last_look() {
    let runtime = ThreadlessRuntime::new(1, 0);
    let mut watching = Watching::new(&runtime);
    runtime.begin_poll(0);
    watching.look();
    assert!(!watching.look().work_waits, "there is none");
    runtime.cores[0].queue.push(a_task());
    assert!(watching.look().work_waits);
    runtime.begin_poll(0);
    assert!(!watching.look().work_waits, "the worker goes on");
    assert!(watching.look().work_waits);
    runtime.cores[0].queue.pop().unwrap().cancel();
    assert!(!watching.look().work_waits);
    assert!(runtime.shared.seats[0].slot.put(a_task()).is_none());
    assert!(watching.look().work_waits, "in the next slot");
}

#[test]
fn where_the_system_says_nothing_any_worker_in_a_poll_may_block() {
    let runtime = ThreadlessRuntime::new(2, 0);
    let seats = runtime.shared.seats.in_use();
    let mut watch = Watch::new(Instant::now());
    seats[0].tid.store(NO_THREAD, Relaxed);
    assert!(!watch.sees_one_block(seats), "nobody is in a poll");
    runtime.begin_poll(1);
    assert!(watch.sees_one_block(seats));
    seats[1].running.end();
    assert!(!watch.sees_one_block(seats));
}

/// What the system says of threads that are there.
#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
mod told_by_the_system {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Calls `f` with a thread that sleeps.
    fn beside_a_sleeper(f: impl FnOnce(u32)) {
        let (send, tid) = mpsc::channel();
        let (end, wait) = mpsc::channel::<()>();
        let sleeper = thread::spawn(move || {
            send.send(Tid::current()).unwrap();
            let _ = wait.recv();
        });
        let tid = tid.recv().unwrap();
        while tid.is_runnable() != Some(false) {
            thread::yield_now();
        }
        f(tid.0);
        drop(end);
        sleeper.join().unwrap();
    }

    #[test]
    fn a_poll_that_was_found_stuck_stays_so_while_its_thread_waits_for_a_processor() {
        let runtime = ThreadlessRuntime::new(1, 0);
        let mut watching = Watching::new(&runtime);
        watching.threshold = Duration::ZERO;
        // This thread runs, and by the clock of the test it has had little of an hour and all of a moment.
        let (hour, moment) = (Duration::from_secs(3600), Duration::ZERO);
        runtime.begin_poll_on(0, Tid::current().0);
        watching.look();
        assert_eq!(watching.look_after(hour).stuck, [false]);
        let found = watching.look_after(moment);
        assert_eq!((found.stuck, found.news), (vec![true], true));
        assert_eq!(found.stalls[0].activity(), ThreadActivity::Computing);
        for after in [hour, moment] {
            let found = watching.look_after(after);
            assert_eq!((found.stuck, found.news), (vec![true], false));
        }
    }

    #[test]
    fn a_look_cannot_tell_if_the_last_one_has_not_asked() {
        let runtime = ThreadlessRuntime::new(1, 0);
        let mut watching = Watching::new(&runtime);
        let hour = Duration::from_secs(3600);
        runtime.begin_poll_on(0, Tid::current().0);
        let unsure = [PACE, hour, hour].map(|after| watching.look_after(after).unsure);
        assert_eq!(unsure, [false, true, false]);
        // Of one that sleeps it can.
        beside_a_sleeper(|sleeper| {
            runtime.begin_poll_on(0, sleeper);
            for stuck in [false, true, true] {
                let found = watching.look_after(hour);
                assert_eq!((found.stuck, found.unsure), (vec![stuck], false));
            }
        });
    }

    #[test]
    fn the_time_before_a_late_look_counts_if_the_thread_has_computed_in_it() {
        let runtime = ThreadlessRuntime::new(1, 0);
        let mut watching = Watching::new(&runtime);
        watching.threshold = Duration::ZERO;
        let late = Duration::from_millis(16);
        let me = Tid::current();
        runtime.begin_poll_on(0, me.0);
        watching.look();
        watching.look_after(late);
        let before = me.cpu_time().unwrap();
        while me.cpu_time().unwrap() < before + late {
            std::hint::spin_loop();
        }
        let stalls = watching.look_after(late).stalls;
        assert_eq!(stalls[0].activity(), ThreadActivity::Computing);
        assert_eq!(stalls[0].elapsed(), late, "not of the first late look");
    }

    #[test]
    fn of_many_workers_in_polls_four_are_asked_in_turn() {
        let runtime = ThreadlessRuntime::new(10, 0);
        let seats = runtime.shared.seats.in_use();
        let mut watch = Watch::new(Instant::now());
        (0..10)
            .filter(|&seat| seat != 1)
            .for_each(|seat| runtime.begin_poll_on(seat, Tid::current().0));
        beside_a_sleeper(|sleeper| {
            // The second is in no poll.
            seats[1].tid.store(sleeper, Relaxed);
            seats[8].tid.store(sleeper, Relaxed);
            assert!(!watch.sees_one_block(seats), "0 2 3 4");
            assert!(watch.sees_one_block(seats), "5 6 7 8");
            seats[8].tid.store(Tid::current().0, Relaxed);
            seats[2].tid.store(sleeper, Relaxed);
            assert!(watch.sees_one_block(seats), "9 0 2 3");
            seats[2].tid.store(Tid::current().0, Relaxed);
            assert!(!watch.sees_one_block(seats));
        });
    }
}
