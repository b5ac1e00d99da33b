//! Deadlines at the borders: of each level, of the digits, of time itself.

use std::{task::Waker, time::Duration};

use super::{Bench, Log};
use crate::{Entry, Status, levels::LATEST};

/// Times around each power of 64 and around the wrap of each digit.
fn borders() -> Vec<u64> {
    let mut times = vec![0, 1, LATEST - 1, LATEST];
    for six_bits in 0..11 {
        let unit = 1_u64 << (6 * six_bits);
        for factor in [1, 2, 31, 62, 63, 64, 65, 127, 128] {
            if let Some(time) = unit.checked_mul(factor) {
                times.extend([time - 1, time, time.saturating_add(1)]);
            }
        }
    }
    times.retain(|time| *time <= LATEST);
    times.sort_unstable();
    times.dedup();
    times
}

/// A wheel whose time is `now`.
fn bench_at(now: u64) -> Bench {
    let bench = Bench::new();
    let mut entry = bench.entry(now);
    let _ = entry.as_mut().register(Waker::noop());
    bench.turn_all(now);
    assert!(entry.is_fired());
    bench
}

#[test]
fn a_lone_entry_needs_one_turn_at_its_deadline_from_every_border_to_every_other() {
    let times = borders();
    for (index, &now) in times.iter().enumerate() {
        for &deadline in &times[index + 1..] {
            let bench = bench_at(now);
            let mut entry = bench.entry(deadline);
            assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
            assert_eq!(bench.next_wake(), Some(deadline));
            assert_eq!(bench.next_deadline(), Some(deadline));
            assert_eq!(bench.turn(deadline - 1), (0, false));
            assert_eq!(bench.next_wake(), Some(deadline));
            assert_eq!(bench.turn(deadline), (1, false), "from {now} to {deadline}");
            assert!(entry.is_fired());
            assert_eq!(bench.next_wake(), None);
        }
    }
}

#[test]
fn all_borders_together_fire_one_by_one_and_never_early() {
    let times = borders();
    let bench = Bench::new();
    let log = Log::default();
    let mut entries: Vec<_> = times.iter().map(|time| bench.entry(*time)).collect();
    // Inserted out of order, so that minima come late.
    for index in (0..times.len()).rev() {
        let status = entries[index].as_mut().register(&log.waker(index));
        assert_eq!(
            status,
            if times[index] == 0 {
                Status::Fired
            } else {
                Status::Earliest
            }
        );
    }
    for (index, &time) in times.iter().enumerate().skip(1) {
        assert_eq!(bench.next_wake(), Some(time));
        bench.check();
        assert_eq!(bench.turn_all(time), 1);
        assert_eq!(log.take(), [index]);
    }
    assert!(bench.wheel.is_empty());
}

#[test]
fn one_late_turn_fires_in_the_order_of_deadlines_except_within_4_microseconds() {
    let bench = Bench::new();
    let log = Log::default();
    let mut random = 1_u64;
    let deadlines: Vec<u64> = (0..2000)
        .map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            1 + (random >> 33) % 10_000_000
        })
        .collect();
    let mut entries: Vec<_> = deadlines.iter().map(|time| bench.entry(*time)).collect();
    for (index, entry) in entries.iter_mut().enumerate() {
        let _ = entry.as_mut().register(&log.waker(index));
    }
    assert_eq!(bench.turn_all(20_000_000), 2000);
    let order = log.take();
    assert!(order.is_sorted_by_key(|index| deadlines[*index] >> 12));
}

#[test]
fn equal_deadlines_fire_in_the_order_of_registration() {
    let bench = Bench::new();
    let log = Log::default();
    let mut entries: Vec<_> = (0..50).map(|_| bench.entry(123_456_789)).collect();
    for (index, entry) in entries.iter_mut().enumerate() {
        let _ = entry.as_mut().register(&log.waker(index));
    }
    bench.turn_all(123_456_789);
    assert!(log.take().into_iter().eq(0..50));
}

#[test]
fn a_cancelled_minimum_costs_at_most_one_wake_up() {
    // 20 neighbours in a far slot; all but the last are cancelled, always the earliest.
    for shift in [8, 20, 32, 44, 56] {
        let bench = Bench::new();
        let base = 3 << shift;
        let mut entries: Vec<_> = (0..20).map(|n| bench.entry(base + n * 40)).collect();
        for entry in &mut entries {
            let _ = entry.as_mut().register(Waker::noop());
        }
        let last = entries.pop().unwrap();
        let deadline = base + 19 * 40;
        drop(entries);
        let mut turns = 0;
        while !last.is_fired() {
            let wake = bench.next_wake().unwrap();
            assert!(wake <= deadline);
            assert_eq!(
                bench.next_wake() == Some(deadline),
                bench.turn_all(wake) == 1
            );
            turns += 1;
        }
        assert!(turns <= 2, "{turns} turns at shift {shift}");
    }
}

#[test]
fn next_deadline_is_exact_after_cancels_and_repairs_next_wake() {
    let bench = Bench::new();
    let mut entries: Vec<_> = [1 << 40, (1 << 40) + 5, (1 << 40) + 9]
        .map(|time| bench.entry(time))
        .into();
    for entry in &mut entries {
        let _ = entry.as_mut().register(Waker::noop());
    }
    entries.remove(0);
    assert_eq!(bench.next_wake(), Some(1 << 40));
    assert_eq!(bench.next_deadline(), Some((1 << 40) + 5));
    assert_eq!(bench.next_wake(), Some((1 << 40) + 5));
    entries.remove(0);
    entries.remove(0);
    assert_eq!((bench.next_wake(), bench.next_deadline()), (None, None));
}

#[test]
fn a_now_behind_the_wheel_does_nothing() {
    let bench = bench_at(1 << 30);
    let mut entry = bench.entry((1 << 30) + 100);
    let _ = entry.as_mut().register(Waker::noop());
    assert_eq!(bench.turn(0), (0, false));
    assert_eq!(bench.turn(1 << 29), (0, false));
    bench.check();
    assert_eq!(bench.turn((1 << 30) + 100), (1, false));
}

#[test]
fn times_before_the_origin_count_as_the_origin() {
    let bench = Bench::new();
    let Some(before) = bench.origin.checked_sub(Duration::from_secs(1)) else {
        return;
    };
    let mut past = Box::pin(Entry::new(bench.wheel.clone(), before));
    assert_eq!(past.as_mut().register(Waker::noop()), Status::Fired);
    let mut entry = bench.entry(1);
    let _ = entry.as_mut().register(Waker::noop());
    assert!(!bench.wheel.turn(before, &mut Vec::new()));
    assert!(!entry.is_fired());
}

#[test]
fn times_beyond_the_wheel_count_as_its_end() {
    let bench = Bench::new();
    // The latest that this platform's `Instant` can tell.
    let mut step = Duration::MAX;
    let mut end = bench.origin;
    while step > Duration::ZERO {
        match end.checked_add(step) {
            Some(later) => end = later,
            None => step /= 2,
        }
    }
    let mut entry = Box::pin(Entry::new(bench.wheel.clone(), end));
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
    assert_eq!(entry.deadline(), end);
    assert_eq!(bench.next_wake(), Some(LATEST));
    assert_eq!(bench.turn(LATEST - 1), (0, false));
    assert!(!bench.wheel.turn(end, &mut Vec::new()));
    assert!(entry.is_fired());
    entry.as_mut().reset(end);
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Fired);
}
