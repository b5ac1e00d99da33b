//! The races between an entry's owner and whoever turns its wheel, in all orders.
//!
//! The wheel and the entries are the shipped code. Not shipped: loom's mutex stands for parking_lot's; the wakers are
//! plain `Arc`s that loom does not watch; an entry lies in a `Box` whose memory loom does not watch either, but its
//! drop touches the guarded fields, so freeing it beside a thread that still uses them is found.

use std::{pin::Pin, sync::Arc, task::Waker};

use loom::{
    sync::atomic::{AtomicU64, Ordering, fence},
    thread,
};

use super::{Bench, Log};
use crate::{Entry, Status, levels::NONE};

const DEADLINE: u64 = 1_000_000;

/// Runs `owner` with a registered entry while another thread runs `other`; then checks that the wheel is in order.
fn race(owner: impl Fn(&Bench, Pin<Box<Entry>>, &Log) + Sync + Send + 'static, other: fn(&Bench)) {
    let owner = Arc::new(owner);
    loom::model(move || {
        let bench = Arc::new(Bench::new());
        let log = Log::default();
        let mut entry = bench.entry(DEADLINE);
        assert_eq!(entry.as_mut().register(&log.waker(1)), Status::Earliest);
        let thread = thread::spawn({
            let bench = bench.clone();
            move || other(&bench)
        });
        owner(&bench, entry, &log);
        thread.join().unwrap();
        bench.wheel.locked(|slots| slots.check());
        assert_eq!(bench.wheel.len(), 0);
        assert_eq!(bench.next_wake(), None);
    });
}

fn fire(bench: &Bench) {
    bench.turn_all(DEADLINE);
}

fn close(bench: &Bench) {
    let mut wakers = Vec::new();
    while bench.wheel.close(&mut wakers) {}
    wakers.into_iter().for_each(Waker::wake);
}

#[test]
fn loom_fire_and_drop() {
    race(|_, entry, _| drop(entry), fire);
}

#[test]
fn loom_fire_and_see_and_drop() {
    race(
        |bench, entry, _| {
            if !entry.is_fired() {
                fire(bench);
            }
            drop(entry);
        },
        fire,
    );
}

#[test]
fn loom_fire_and_reset() {
    race(
        |bench, mut entry, log| {
            entry.as_mut().reset(bench.at(2 * DEADLINE));
            assert!(!entry.is_fired());
            assert_ne!(entry.as_mut().register(&log.waker(2)), Status::Fired);
            // The other thread's turn is too early for the new deadline.
            bench.turn_all(DEADLINE);
            assert!(!entry.is_fired());
            assert_eq!(bench.turn_all(2 * DEADLINE), 1);
            assert!(entry.is_fired());
            assert!(log.take().ends_with(&[2]));
        },
        fire,
    );
}

#[test]
fn loom_fire_and_put_off() {
    race(
        |bench, mut entry, log| {
            let put_off = entry.as_mut().reset(bench.at(2 * DEADLINE)).is_some();
            fire(bench);
            // Whichever came first, the other side has seen it: it waits on for the new deadline, or it fires by the old one.
            assert!(!entry.is_fired());
            assert_eq!(bench.turn_all(2 * DEADLINE), usize::from(put_off));
            assert_eq!(entry.is_fired(), put_off);
            while log.take() != [1] {
                thread::yield_now();
            }
        },
        fire,
    );
}

#[test]
fn loom_close_and_put_off() {
    race(
        |bench, mut entry, log| {
            let put_off = entry.as_mut().reset(bench.at(2 * DEADLINE)).is_some();
            close(bench);
            assert!(put_off || entry.as_mut().register(Waker::noop()) == Status::Closed);
            assert_eq!(entry.as_mut().register(&log.waker(1)), Status::Closed);
        },
        close,
    );
}

#[test]
fn loom_fire_and_bring_forward() {
    race(
        |bench, mut entry, log| {
            let status = entry.as_mut().reset(bench.at(DEADLINE / 2));
            assert!(matches!(status, Some(Status::Earliest) | None));
            fire(bench);
            // Either it has fired by the new deadline, or it had by the old one; once in any case.
            assert_eq!(entry.is_fired(), status.is_some());
            while log.take() != [1] {
                thread::yield_now();
            }
        },
        fire,
    );
}

#[test]
fn loom_close_and_bring_forward() {
    race(
        |bench, mut entry, log| {
            let status = entry.as_mut().reset(bench.at(DEADLINE / 2));
            close(bench);
            assert!(status.is_some() || entry.as_mut().register(Waker::noop()) == Status::Closed);
            assert_eq!(entry.as_mut().register(&log.waker(1)), Status::Closed);
        },
        close,
    );
}

#[test]
fn loom_turn_and_register() {
    loom::model(|| {
        let bench = Arc::new(Bench::new());
        let log = Log::default();
        // Something else is due, so that the turn has work and moves the wheel's time.
        let mut first = bench.entry(DEADLINE - 1);
        let _ = first.as_mut().register(&log.waker(1));
        let thread = thread::spawn({
            let bench = bench.clone();
            move || fire(&bench)
        });
        let mut entry = bench.entry(DEADLINE);
        let status = entry.as_mut().register(&log.waker(2));
        thread.join().unwrap();
        let before = log.take().contains(&2);
        let after = bench.turn_all(DEADLINE) == 1;
        assert!(entry.is_fired());
        assert_eq!(
            [status == Status::Fired, before, after]
                .iter()
                .filter(|case| **case)
                .count(),
            1
        );
    });
}

#[test]
fn loom_fire_and_change_the_waker() {
    race(
        |bench, mut entry, log| {
            let status = entry.as_mut().register(&log.waker(2));
            fire_until(bench, &entry);
            // Told to wait: the new waker is the one that must be woken, sooner or later; else the state told all.
            while status == Status::Waiting && !log.take().contains(&2) {
                thread::yield_now();
            }
        },
        fire,
    );
}

#[test]
fn loom_fire_and_poll_again_with_the_same_waker() {
    loom::model(|| {
        let bench = Arc::new(Bench::new());
        let log = Log::default();
        let waker = log.waker(1);
        let mut entry = bench.entry(DEADLINE);
        let _ = entry.as_mut().register(&waker);
        let thread = thread::spawn({
            let bench = bench.clone();
            move || fire(&bench)
        });
        let status = entry.as_mut().register(&waker);
        thread.join().unwrap();
        assert!(matches!(status, Status::Waiting | Status::Fired));
        assert_eq!(log.take(), [1], "woken once, whatever was answered");
    });
}

fn fire_until(bench: &Bench, entry: &Pin<Box<Entry>>) {
    fire(bench);
    assert!(entry.is_fired());
}

#[test]
fn loom_close_and_drop() {
    race(|_, entry, _| drop(entry), close);
}

#[test]
fn loom_close_and_register() {
    loom::model(|| {
        let bench = Arc::new(Bench::new());
        let log = Log::default();
        let thread = thread::spawn({
            let bench = bench.clone();
            move || close(&bench)
        });
        let mut entry = bench.entry(DEADLINE);
        let status = entry.as_mut().register(&log.waker(1));
        thread.join().unwrap();
        // Refused, or registered before and then ended and woken; never left behind.
        assert_eq!(log.take().len(), usize::from(status != Status::Closed));
        assert_eq!(entry.as_mut().register(Waker::noop()), Status::Closed);
        assert_eq!(bench.wheel.len(), 0);
    });
}

/// Not shipped here: the sleeper's side, and the bit that says that a wheel was ever used, which are the driver's in the runtime.
#[test]
fn loom_a_sleeper_is_told_of_an_earlier_deadline_or_sees_it() {
    loom::model(|| {
        let bench = Arc::new(Bench::new());
        let sleep_until = Arc::new(AtomicU64::new(0));
        let used = Arc::new(AtomicU64::new(0));
        let sleeper = thread::spawn({
            let (bench, sleep_until, used) = (bench.clone(), sleep_until.clone(), used.clone());
            move || {
                sleep_until.store(NONE, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                used.load(Ordering::Relaxed) != 0 && bench.next_wake().is_some()
            }
        });
        let mut entry = bench.entry(DEADLINE);
        assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
        used.fetch_or(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let told = sleep_until.load(Ordering::Relaxed) > DEADLINE;
        let seen = sleeper.join().unwrap();
        assert!(told || seen, "the deadline would be overslept");
    });
}
