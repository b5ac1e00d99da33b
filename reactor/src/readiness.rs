//! The readiness of one direction of one source, and those who wait for it.
//!
//! ```text
//!            63 ......... 8   6      5         4         3        2      1       0
//!  word      tick (56 bits) | FAULT  PRIORITY  SHUTDOWN  WAITING  ERROR  CLOSED  READY
//!  waiters   mutex { slot: the last caller of poll_ready; listed: one waker per ReadyFuture }
//!
//!  event     CAS word: tick + 1, what it says on, WAITING off ── was WAITING on? ──▶ lock; take all wakers
//!  wait      lock; CAS word: WAITING on, only while no bit that is waited for is on ──▶ store the waker; unlock
//!  clear     CAS word: the bits off, only while the tick is the one that was seen
//! ```
//!
//! Who waits says for which bits (`Wanted`): those who want to read or write for READY and CLOSED, those who want priority data or
//! errors, who share the word of the readers, for PRIORITY and FAULT. Nobody clears the bits of others, so a reader that finds
//! nothing to read takes no error away from whoever waits for that.
//!
//! Invariant: while nobody holds the lock, a stored waker implies that WAITING is on, or that the one who turned it off
//! is on its way to the lock and will take that waker.
//!
//! Why no event is lost:
//! - *event against wait*. Both change the same word by a read-modify-write, so one comes first. The event first: wait
//!   sees its bit and stores nothing. The wait first: the event sees WAITING, and since the waiter set it with the lock
//!   held, the event gets the lock only after the waker has been stored. A waiter that finds WAITING on already need
//!   not write: whoever turns it off later takes the lock after the waiter has let go of it.
//! - *event against clear*. An event that comes after the look changes the tick, and the clear does nothing. An event
//!   that comes after the clear stands. Ticks never run backwards, not even when the entry changes owner, and 2^56
//!   events do not happen between a look and a clear.
//! - *the two directions* share no word, so neither can disturb the other.
//!
//! An event takes the wakers of those who wait for other bits as well. They look, and wait again.
//!
//! An event may take wakers that were stored after it (the socket was drained and waited for again before the event got
//! the lock). That is a wake-up too many, never one too few; WAITING then stays on with nobody there, and costs the next
//! event one lock.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::sync::{AtomicU64, Mutex, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Readiness {
    word: AtomicU64,
    waiters: Mutex<Waiters>,
}

/// The wakers of one direction. An empty map owns no memory, so an entry is no larger for the futures it once had.
#[derive(Debug, Default)]
struct Waiters {
    slot: Option<Waker>,
    listed: BTreeMap<u64, Waker>,
}

/// What a look at the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Idle,
    Ready(Snapshot),
    /// The runtime has shut down: no event will ever come again.
    Shutdown,
}

/// Where a waiter leaves its waker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The one slot of the direction; the last caller wins.
    Slot,
    /// A place of its own, under a key nobody else uses.
    Listed(u64),
}

/// The bits that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// That the operation is worth trying.
    Transfer,
    /// Priority data, or that none will come.
    Priority,
    /// An error.
    Fault,
}

/// Which part of a readiness a clear takes away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clear {
    /// All but a hang-up. A short read does not prove that the end of stream has been read as well, and the event that
    /// announced both does not come twice.
    KeepClosed,
    /// All. The operating system itself said "would block", so whatever makes the operation possible is a new event.
    /// Without this a hang-up that ends (a FIFO gets a new writer) would turn a waiting loop into a spinning one.
    All,
}

impl Readiness {
    #[inline]
    pub(crate) fn look(&self, wanted: Wanted) -> Look {
        // Acquire: pairs with the Release half of the event's exchange, as every later read of the word does.
        look(self.word.load(Ordering::Acquire), wanted)
    }

    /// Stores `waker` unless the direction is ready (or shut down) already, and says which. For who has looked before: it costs a clone
    /// and a lock.
    pub(crate) fn wait(&self, wanted: Wanted, place: Place, waker: &Waker) -> Look {
        // Cloning and dropping run user code, so both happen outside the lock: `_unused` dies after the guard.
        let waker = waker.clone();
        let (seen, _unused) = {
            let mut waiters = self.waiters.lock();
            match self.announce_waiter(wanted) {
                Look::Idle => (Look::Idle, waiters.store(place, waker)),
                seen => (seen, Some(waker)),
            }
        };
        seen
    }

    /// Turns WAITING on unless the word shows what is wanted. Only called with the lock held.
    fn announce_waiter(&self, wanted: Wanted) -> Look {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let seen = look(word, wanted);
            if seen != Look::Idle || word & WAITING != 0 {
                return seen;
            }
            // AcqRel: Release pairs with the event that reads WAITING, Acquire with the event or clear that came before.
            match self.word.compare_exchange_weak(
                word,
                word | WAITING,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Look::Idle,
                Err(now) => word = now,
            }
        }
    }

    /// Takes the waiter `key` off the list, if it is still there.
    pub(crate) fn forget(&self, key: u64) {
        let _dropped_unlocked = {
            let mut waiters = self.waiters.lock();
            waiters.listed.remove(&key)
        };
    }

    /// Forgets what `seen` showed, unless an event has come since.
    pub(crate) fn clear(&self, wanted: Wanted, seen: Snapshot, part: Clear) {
        let gone = match part {
            Clear::KeepClosed => wanted.cleared() & !CLOSED,
            Clear::All => wanted.cleared(),
        };
        let mut word = self.word.load(Ordering::Acquire);
        while word >> TICK_SHIFT == seen.tick() && word & gone != 0 {
            // AcqRel: pairs with the next event and the next waiter, who see what was done on the strength of `seen`.
            match self.word.compare_exchange_weak(
                word,
                word & !gone,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Stores an event and moves the waiting wakers into `wakers`, if `still_meant` holds at that very moment.
    ///
    /// `still_meant` is asked between the read of the word and the exchange. A change of owner first makes it false and
    /// then changes the word (see `reset`), so an exchange that succeeds proves that no owner has changed in between.
    pub(crate) fn deliver(
        &self,
        event: Event,
        still_meant: impl Fn() -> bool,
        wakers: &mut Vec<Waker>,
    ) {
        // Acquire: pairs with the exchange in `reset`; who reads the word of the next owner reads its generation too.
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if !still_meant() {
                return;
            }
            let next = (word.wrapping_add(TICK) | event.0) & !WAITING;
            // AcqRel: Release publishes the event to `look`, Acquire pairs with the waiter that set WAITING.
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & WAITING != 0 {
            self.take_wakers(wakers);
        }
    }

    /// Turns READY on without an event. For the owner of an entry that nobody waits at: it wakes nobody.
    pub(crate) fn assume(&self) {
        // Relaxed: it publishes nothing. The tick stays, so an event that comes at the same time stands whatever is cleared.
        self.word.fetch_or(READY, Ordering::Relaxed);
    }

    /// Marks the direction shut down for ever, and moves the waiting wakers into `wakers`.
    pub(crate) fn shut_down(&self, wakers: &mut Vec<Waker>) {
        // AcqRel: as in `deliver`. A waiter that comes later sees SHUTDOWN, one that came earlier is taken below.
        self.word.fetch_or(SHUTDOWN, Ordering::AcqRel);
        self.take_wakers(wakers);
    }

    /// Makes the direction empty for the next owner: a new tick and no readiness. Shut down it stays.
    ///
    /// The caller has made `still_meant` false for events of the last owner before.
    pub(crate) fn reset(&self, wakers: &mut Vec<Waker>) {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let next = word.wrapping_add(TICK) & !(TICK - 1) | word & SHUTDOWN;
            // AcqRel: Release pairs with the load in `deliver` and carries the generation bump that came before.
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        self.take_wakers(wakers);
    }

    fn take_wakers(&self, wakers: &mut Vec<Waker>) {
        let (slot, listed) = {
            let mut waiters = self.waiters.lock();
            let listed = (!waiters.listed.is_empty()).then(|| std::mem::take(&mut waiters.listed));
            (waiters.slot.take(), listed)
        };
        wakers.extend(slot);
        if let Some(listed) = listed {
            wakers.extend(listed.into_values());
        }
    }
}

impl Waiters {
    /// Stores `waker` and gives back the one that is not needed any more, to be dropped without the lock.
    fn store(&mut self, place: Place, waker: Waker) -> Option<Waker> {
        match place {
            Place::Slot => self.slot.replace(waker),
            Place::Listed(key) => self.listed.insert(key, waker),
        }
    }
}

/// The word of a direction at one moment; only made from a word that shows what was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(u64);

impl Wanted {
    /// One of these ends the wait.
    const fn awaited(self) -> u64 {
        match self {
            Self::Transfer => READY | CLOSED,
            Self::Priority => PRIORITY | CLOSED,
            Self::Fault => FAULT,
        }
    }

    /// What "would block" makes untrue.
    const fn cleared(self) -> u64 {
        match self {
            Self::Transfer => READY | ERROR | CLOSED,
            Self::Priority => PRIORITY,
            Self::Fault => FAULT,
        }
    }
}

impl Snapshot {
    pub(crate) const fn tick(self) -> u64 {
        self.0 >> TICK_SHIFT
    }

    pub(crate) const fn is_ready(self) -> bool {
        self.0 & READY != 0
    }

    pub(crate) const fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    pub(crate) const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(crate) const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    pub(crate) const fn is_fault(self) -> bool {
        self.0 & FAULT != 0
    }
}

/// What one event says about one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event(u64);

impl Event {
    pub(crate) const fn new(closed: bool, error: bool) -> Self {
        let closed = if closed { CLOSED } else { 0 };
        let error = if error { ERROR | FAULT } else { 0 };
        Self(READY | closed | error)
    }

    /// The same, and that there is priority data.
    pub(crate) const fn with_priority(self) -> Self {
        Self(self.0 | PRIORITY)
    }
}

const fn look(word: u64, wanted: Wanted) -> Look {
    if word & SHUTDOWN != 0 {
        Look::Shutdown
    } else if word & wanted.awaited() != 0 {
        Look::Ready(Snapshot(word))
    } else {
        Look::Idle
    }
}

/// The operation is worth trying.
const READY: u64 = 1;
/// Hung up.
const CLOSED: u64 = 1 << 1;
/// An error is pending, for whoever reads or writes; only ever on together with READY.
const ERROR: u64 = 1 << 2;
/// A waker may be stored.
const WAITING: u64 = 1 << 3;
/// The runtime has shut down; never turned off again.
const SHUTDOWN: u64 = 1 << 4;
/// There is priority data.
const PRIORITY: u64 = 1 << 5;
/// An error is pending, for whoever waits for errors: reading and writing leave it on.
const FAULT: u64 = 1 << 6;
const TICK_SHIFT: u32 = 8;
const TICK: u64 = 1 << TICK_SHIFT;

#[cfg(all(test, not(loom)))]
#[path = "tests/readiness_model.rs"]
mod model;
