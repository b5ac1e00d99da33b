//! The wheel against a sorted map, with random operations.

use std::{collections::BTreeSet, pin::Pin, task::Waker};

use proptest::prelude::*;

use super::Bench;
use crate::{BATCH, Entry, Status, levels::LATEST};

const ENTRIES: usize = 150;

#[derive(Clone, Debug)]
enum Op {
    /// Makes or resets this entry, that far from now, and registers it.
    Register(usize, u64),
    /// Makes or resets many neighbouring ones.
    RegisterMany(usize, u64, u64),
    Again(usize),
    /// Resets this entry, if it is there, and does not register it.
    Reset(usize, u64),
    Cancel(usize),
    Drop(usize),
    /// One turn after so much time.
    Turn(u64),
    /// Turns until nothing is due.
    TurnAll(u64),
    TurnBack(u64),
    /// Sleeps as a driver does, and turns.
    Sleep,
    /// Jumps to the next deadline as a paused clock does, and turns.
    Jump,
    NextDeadline,
}

fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..200_u64,
        0..1_u64 << 20,
        0..1_u64 << 34,
        (0..64_u32, -2..=2_i64).prop_map(|(bit, off)| (1_u64 << bit).saturating_add_signed(off)),
        any::<u64>(),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let index = 0..ENTRIES;
    prop_oneof![
        6 => (index.clone(), distance()).prop_map(|(i, d)| Op::Register(i, d)),
        1 => (index.clone(), distance(), distance()).prop_map(|(i, d, s)| Op::RegisterMany(i, d, s)),
        1 => index.clone().prop_map(Op::Again),
        3 => (index.clone(), distance()).prop_map(|(i, d)| Op::Reset(i, d)),
        2 => index.clone().prop_map(Op::Cancel),
        2 => index.prop_map(Op::Drop),
        3 => distance().prop_map(Op::Turn),
        2 => distance().prop_map(Op::TurnAll),
        1 => distance().prop_map(Op::TurnBack),
        2 => Just(Op::Sleep),
        2 => Just(Op::Jump),
        1 => Just(Op::NextDeadline),
    ]
}

struct Model {
    bench: Bench,
    now: u64,
    entries: Vec<Option<Pin<Box<Entry>>>>,
    /// Registered ones: deadline and index.
    waiting: BTreeSet<(u64, usize)>,
}

impl Model {
    fn new() -> Self {
        let entries = std::iter::repeat_with(|| None).take(ENTRIES).collect();
        Self {
            bench: Bench::new(),
            now: 0,
            entries,
            waiting: BTreeSet::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Register(index, distance) => self.register(index, distance),
            Op::RegisterMany(start, distance, step) => {
                for n in 0..100_u64 {
                    self.register(
                        (start + n as usize) % ENTRIES,
                        distance.saturating_add(n.saturating_mul(step)),
                    );
                }
            }
            Op::Again(index) => {
                if let Some(entry) = &mut self.entries[index] {
                    let waiting = self.waiting.iter().any(|(_, i)| *i == index);
                    let status = entry.as_mut().register(Waker::noop());
                    // Otherwise it has fired, or was cancelled and registers anew.
                    assert!(!waiting || status == Status::Waiting);
                    self.note(index, status);
                }
            }
            Op::Reset(index, distance) => {
                let deadline = self.later(distance);
                let time = self.bench.at(deadline);
                if let Some(entry) = &mut self.entries[index] {
                    let waits = self.waiting.iter().find(|(_, i)| *i == index);
                    let before = waits.map(|(before, _)| *before);
                    let earliest = self.bench.next_wake().is_some_and(|wake| deadline < wake);
                    let status = entry.as_mut().reset(time);
                    self.forget(index);
                    match status {
                        None => assert_eq!(before, None),
                        Some(Status::Fired) => {
                            assert!(before.is_some_and(|before| deadline < before));
                            assert!(deadline <= self.now, "fired early by a reset");
                        }
                        Some(status) => {
                            assert!(before.is_some());
                            assert_eq!(status == Status::Earliest, earliest);
                            self.note(index, status);
                        }
                    }
                }
            }
            Op::Cancel(index) => {
                if let Some(entry) = &mut self.entries[index] {
                    entry.as_mut().cancel();
                    self.forget(index);
                }
            }
            Op::Drop(index) => {
                self.entries[index] = None;
                self.forget(index);
            }
            Op::Turn(distance) => {
                self.now = self.later(distance);
                self.turn(self.now);
            }
            Op::TurnAll(distance) => {
                self.now = self.later(distance);
                while self.turn(self.now) {}
            }
            Op::TurnBack(distance) => {
                self.turn(self.now.saturating_sub(distance));
            }
            Op::Sleep => {
                if let Some(wake) = self.bench.next_wake() {
                    self.now = self.now.max(wake);
                    while self.turn(self.now) {}
                }
            }
            Op::Jump => {
                if let Some(deadline) = self.bench.next_deadline() {
                    let count = self
                        .waiting
                        .iter()
                        .filter(|(time, _)| *time <= deadline.max(self.now))
                        .count();
                    let before = self.waiting.len();
                    self.now = self.now.max(deadline);
                    while self.turn(self.now) {}
                    assert_eq!(before - self.waiting.len(), count);
                }
            }
            Op::NextDeadline => {
                let exact = self.waiting.first().map(|(time, _)| *time);
                assert_eq!(self.bench.next_deadline(), exact);
                assert_eq!(self.bench.next_wake(), exact);
            }
        }
    }

    fn later(&self, distance: u64) -> u64 {
        self.now.saturating_add(distance).min(LATEST)
    }

    fn register(&mut self, index: usize, distance: u64) {
        let deadline = self.later(distance);
        let time = self.bench.at(deadline);
        self.forget(index);
        match &mut self.entries[index] {
            Some(entry) => _ = entry.as_mut().reset(time),
            empty => *empty = Some(self.bench.entry(deadline)),
        }
        let wake = self.bench.next_wake();
        let status = self.entries[index]
            .as_mut()
            .unwrap()
            .as_mut()
            .register(Waker::noop());
        let earliest = wake.is_none_or(|wake| deadline < wake);
        match status {
            Status::Fired => assert!(deadline <= self.now, "fired early at registration"),
            other => assert_eq!(other == Status::Earliest, earliest),
        }
        self.note(index, status);
    }

    fn note(&mut self, index: usize, status: Status) {
        assert_ne!(status, Status::Closed);
        if status != Status::Fired {
            let deadline = self.entries[index].as_ref().unwrap().deadline();
            self.waiting
                .insert((self.bench.nanos(Some(deadline)).unwrap(), index));
        }
    }

    fn forget(&mut self, index: usize) {
        self.waiting.retain(|(_, other)| *other != index);
    }

    fn turn(&mut self, now: u64) -> bool {
        let (count, more) = self.bench.turn(now);
        assert!(count <= BATCH);
        let before = self.waiting.len();
        let entries = &self.entries;
        self.waiting.retain(|(deadline, index)| {
            let fired = entries[*index].as_ref().unwrap().is_fired();
            assert!(!fired || *deadline <= now, "fired early");
            assert!(fired || more || *deadline > now, "left behind");
            !fired
        });
        assert_eq!(before - self.waiting.len(), count);
        more
    }

    fn check(&self) {
        self.bench.check();
        assert_eq!(self.bench.wheel.len(), self.waiting.len());
        assert_eq!(self.bench.wheel.is_empty(), self.waiting.is_empty());
        let exact = self.waiting.first().map(|(time, _)| *time);
        assert!(self.bench.next_wake() <= exact);
    }
}

fn compare(ops: Vec<Op>) {
    let mut model = Model::new();
    for op in ops {
        model.apply(op);
        model.check();
    }
}

// No other test here takes nearly as long: two, so that two processors share the cases.
proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_wheel_does_what_a_sorted_map_does(ops in prop::collection::vec(op(), 1..100)) {
        compare(ops);
    }

    #[test]
    fn the_wheel_does_what_a_sorted_map_does_in_other_cases(ops in prop::collection::vec(op(), 1..100)) {
        compare(ops);
    }
}
