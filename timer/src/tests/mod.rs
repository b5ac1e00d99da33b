//! Tests of the wheel, and what they share.

#[cfg(not(loom))]
mod batches;
#[cfg(not(loom))]
mod behaviour;
#[cfg(not(loom))]
mod edges;
#[cfg(not(loom))]
mod levels;
#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod model;
#[cfg(not(loom))]
mod stress;

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Wake, Waker},
    time::{Duration, Instant},
};

use crate::{Entry, Wheel};

/// A wheel and its origin; times in tests are nanoseconds after it.
struct Bench {
    origin: Instant,
    wheel: Arc<Wheel>,
}

impl Bench {
    fn new() -> Self {
        let origin = Instant::now();
        Self {
            origin,
            wheel: Arc::new(Wheel::new(origin, ())),
        }
    }

    fn at(&self, nanos: u64) -> Instant {
        self.origin + Duration::from_nanos(nanos)
    }

    fn entry(&self, nanos: u64) -> Pin<Box<Entry>> {
        Box::pin(Entry::new(self.wheel.clone(), self.at(nanos)))
    }

    fn nanos(&self, time: Option<Instant>) -> Option<u64> {
        time.map(|time| u64::try_from(time.duration_since(self.origin).as_nanos()).unwrap())
    }

    fn next_wake(&self) -> Option<u64> {
        self.nanos(self.wheel.next_wake())
    }

    #[cfg(not(loom))]
    fn next_deadline(&self) -> Option<u64> {
        self.nanos(self.wheel.next_deadline())
    }

    /// One turn: its wakers, woken, and whether there is more.
    fn turn(&self, nanos: u64) -> (usize, bool) {
        let mut wakers = Vec::new();
        let more = self.wheel.turn(self.at(nanos), &mut wakers);
        let count = wakers.len();
        wakers.into_iter().for_each(Waker::wake);
        (count, more)
    }

    /// Turns until nothing is due; how many fired.
    fn turn_all(&self, nanos: u64) -> usize {
        let mut fired = 0;
        loop {
            let (count, more) = self.turn(nanos);
            fired += count;
            if !more {
                return fired;
            }
        }
    }

    #[cfg(not(loom))]
    fn check(&self) {
        self.wheel.locked(|slots| slots.check());
    }
}

/// A waker that appends its number to a log shared with others.
struct Logged(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Logged {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<usize>>>);

impl Log {
    fn waker(&self, number: usize) -> Waker {
        Arc::new(Logged(number, self.0.clone())).into()
    }

    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
