//! The timer wheel against a sorted map, through its public methods.
#![no_main]

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use timer::{BATCH, Entry, Status, Wheel};

#[derive(Arbitrary, Debug)]
enum Op {
    /// Makes or resets this entry, that far from now, and registers it.
    Register(u8, Distance),
    /// Resets this entry, if it is there, and does not register it.
    Reset(u8, Distance),
    /// Registers it once more, as it is.
    Again(u8),
    Cancel(u8),
    Drop(u8),
    /// One turn after so much time.
    Turn(Distance),
    /// A turn to a time before the last.
    TurnBack(Distance),
    /// To the next wake-up, as a driver sleeps, and turns until nothing is due.
    Sleep,
    /// To the next deadline, as a paused clock jumps.
    Jump,
    Close,
}

/// A power of two and something: what is near a border is as likely as what is far from all.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Distance {
    power: u8,
    offset: i16,
}

impl Distance {
    fn nanos(self) -> u64 {
        (1_u64 << (self.power % 64)).saturating_add_signed(self.offset.into())
    }
}

/// A waker that counts by being there.
struct Counted(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

struct Model {
    origin: Instant,
    wheel: Arc<Wheel>,
    now: u64,
    entries: Vec<Option<Pin<Box<Entry>>>>,
    /// Those that wait: deadline and index.
    waiting: BTreeSet<(u64, usize)>,
    closed: bool,
    /// Whoever has it is a waker: none is lost, none left behind.
    alive: Arc<()>,
}

impl Model {
    fn new() -> Self {
        let origin = Instant::now();
        Self {
            origin,
            wheel: Arc::new(Wheel::new(origin, ())),
            now: 0,
            entries: std::iter::repeat_with(|| None).take(256).collect(),
            waiting: BTreeSet::new(),
            closed: false,
            alive: Arc::new(()),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Register(index, distance) => {
                let deadline = self.later(distance);
                let time = self.at(deadline);
                let index = usize::from(index);
                self.forget(index);
                match &mut self.entries[index] {
                    Some(entry) => _ = entry.as_mut().reset(time),
                    empty => *empty = Some(Box::pin(Entry::new(self.wheel.clone(), time))),
                }
                let before = self.wheel.next_wake();
                let status = self.register(index, deadline);
                if status == Status::Earliest {
                    assert!(before.is_none_or(|before| time < before));
                    assert_eq!(self.wheel.next_wake(), Some(time));
                }
            }
            Op::Again(index) => {
                let index = usize::from(index);
                if let Some(entry) = &self.entries[index] {
                    let deadline = self.nanos(entry.deadline());
                    _ = self.register(index, deadline);
                }
            }
            Op::Reset(index, distance) => {
                let deadline = self.later(distance);
                let time = self.at(deadline);
                let index = usize::from(index);
                if let Some(entry) = &mut self.entries[index] {
                    let waits = self.waiting.iter().find(|(_, other)| *other == index);
                    let before = waits.map(|(before, _)| *before);
                    let status = entry.as_mut().reset(time);
                    self.forget(index);
                    match status {
                        None => assert_eq!(before, None),
                        Some(Status::Fired) => {
                            assert!(before.is_some_and(|before| deadline < before));
                            assert!(deadline <= self.now, "fired early by a reset");
                        }
                        Some(_) => {
                            assert!(before.is_some());
                            self.waiting.insert((deadline, index));
                        }
                    }
                }
            }
            Op::Cancel(index) => {
                let index = usize::from(index);
                if let Some(entry) = &mut self.entries[index] {
                    entry.as_mut().cancel();
                    self.forget(index);
                }
            }
            Op::Drop(index) => {
                let index = usize::from(index);
                self.entries[index] = None;
                self.forget(index);
            }
            Op::Turn(distance) => {
                self.now = self.later(distance);
                self.turn(self.now);
            }
            Op::TurnBack(distance) => {
                self.turn(self.now.saturating_sub(distance.nanos()));
            }
            Op::Sleep => {
                if let Some(wake) = self.wheel.next_wake() {
                    self.now = self.now.max(self.nanos(wake));
                    while self.turn(self.now) {}
                }
            }
            Op::Jump => {
                let deadline = self.wheel.next_deadline().map(|time| self.nanos(time));
                assert_eq!(deadline, self.waiting.first().map(|(time, _)| *time));
                if let Some(deadline) = deadline {
                    self.now = self.now.max(deadline);
                    while self.turn(self.now) {}
                    assert!(
                        self.waiting
                            .first()
                            .is_none_or(|(time, _)| *time > self.now)
                    );
                }
            }
            Op::Close => {
                let mut wakers = Vec::new();
                while self.wheel.close(&mut wakers) {}
                assert_eq!(wakers.len(), self.waiting.len());
                wakers.into_iter().for_each(Waker::wake);
                self.waiting.clear();
                self.closed = true;
            }
        }
        assert_eq!(self.wheel.len(), self.waiting.len());
        assert_eq!(self.wheel.is_empty(), self.waiting.is_empty());
        assert_eq!(Arc::strong_count(&self.alive), 1 + self.waiting.len());
        // Never later than the earliest deadline.
        let earliest = self.waiting.first().map(|(time, _)| self.at(*time));
        assert!(earliest.is_none() || self.wheel.next_wake() <= earliest);
    }

    fn register(&mut self, index: usize, deadline: u64) -> Status {
        let entry = self.entries[index].as_mut().unwrap().as_mut();
        let was_fired = entry.is_fired();
        let waker = Arc::new(Counted(self.alive.clone())).into();
        let status = entry.register(&waker);
        match status {
            Status::Fired => {
                assert!(deadline <= self.now, "fired early at registration");
                assert!(was_fired || !self.waiting.contains(&(deadline, index)));
            }
            Status::Closed => assert!(self.closed),
            Status::Waiting | Status::Earliest => {
                assert!(!self.closed);
                self.waiting.insert((deadline, index));
            }
        }
        status
    }

    fn turn(&mut self, now: u64) -> bool {
        let mut wakers = Vec::new();
        let more = self.wheel.turn(self.at(now), &mut wakers);
        assert!(wakers.len() <= BATCH);
        let before = self.waiting.len();
        let entries = &self.entries;
        self.waiting.retain(|(deadline, index)| {
            let fired = entries[*index].as_ref().unwrap().is_fired();
            assert!(!fired || *deadline <= now, "fired early");
            assert!(fired || more || *deadline > now, "left behind");
            !fired
        });
        assert_eq!(before - self.waiting.len(), wakers.len());
        wakers.into_iter().for_each(Waker::wake);
        more
    }

    fn forget(&mut self, index: usize) {
        self.waiting.retain(|(_, other)| *other != index);
    }

    fn later(&self, distance: Distance) -> u64 {
        // The last numbers have other meanings.
        self.now.saturating_add(distance.nanos()).min(LATEST)
    }

    fn at(&self, nanos: u64) -> Instant {
        self.origin + Duration::from_nanos(nanos)
    }

    fn nanos(&self, time: Instant) -> u64 {
        time.duration_since(self.origin).as_nanos() as u64
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let mut model = Model::new();
    for op in ops {
        model.apply(op);
    }
});

/// The latest deadline that a wheel tells from others.
const LATEST: u64 = u64::MAX - 3;
