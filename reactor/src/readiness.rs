//! The readiness of one direction of one source, and those who wait for it.
//!
//! ```text
//!            63 ......... 9   8        7       6      5         4         3       2      1       0
//!  word      tick (55 bits) | CLAIMED  LISTED  FAULT  PRIORITY  SHUTDOWN  STORED  ERROR  CLOSED  READY
//!  slot      the waker of the last caller of poll_ready
//!  listed    mutex { one waker per ReadyFuture }
//!
//!  event     CAS word: tick + 1, what it says on, STORED and LISTED off
//!              ── was STORED on? ──▶ take the waker out of the slot
//!              ── was LISTED on? ──▶ lock; take all that are listed
//!  wait      in the slot: CAS word: CLAIMED on, STORED off ──▶ put the waker ──▶ CAS word: CLAIMED off, STORED on
//!            in the list: lock; CAS word: LISTED on ──▶ insert the waker; unlock
//!            each CAS only while no bit that is waited for is on
//!  clear     CAS word: the bits off, only while the tick is the one that was seen
//! ```
//!
//! Who waits says for which bits (`Wanted`): those who want to read or write for READY and CLOSED, those who want priority data or
//! errors, who share the word of the readers, for PRIORITY and FAULT. Nobody clears the bits of others, so a reader that finds
//! nothing to read takes no error away from whoever waits for that.
//!
//! The slot belongs to whoever turned STORED off, until it is empty, and after that to whoever turned CLAIMED on, until that is off. An
//! event takes the slot's waker after one step on the word, and gives the slot back by emptying it, which is a plain store. A waiter that finds
//! CLAIMED on, or the slot not yet emptied, does not wait for the other: it leaves its waker in the list.
//!
//! Invariant: a waker in the slot implies that STORED is on, or that the slot has an owner, who takes the waker out or turns STORED on.
//! While nobody holds the lock, a listed waker implies that LISTED is on, or that the one who turned it off is on its way to the lock.
//!
//! Why no event is lost:
//! - *event against wait*. Both change the same word by a read-modify-write, so one comes first. The event first: the waiter's last step
//!   sees its bit, and the waiter takes its waker back. The wait first: the event sees STORED, and with it the waker; or LISTED, and since
//!   the waiter set it with the lock held, the event gets the lock only after the waker has been inserted. A waiter that finds LISTED on already
//!   need not write: whoever turns it off later takes the lock after the waiter has let go of it.
//! - *event against a waiter whose waker is there already*. It writes nothing if it sees its waker in the slot, and in the word, afterwards, STORED
//!   and no bit that it waits for: the next event takes what is in the slot, and that is its waker or that of somebody who came later.
//! - *event against clear*. An event that comes after the look changes the tick, and the clear does nothing. An event
//!   that comes after the clear stands. Ticks never run backwards, not even when the entry changes owner, and 2^55
//!   events do not happen between a look and a clear.
//! - *the two directions* share no word, so neither can disturb the other.
//!
//! An event takes the wakers of those who wait for other bits as well. They look, and wait again.
//!
//! An event may take listed wakers that were stored after it (the socket was drained and waited for again before the event got
//! the lock). That is a wake-up too many, never one too few; LISTED then stays on with nobody there, and costs the next
//! event one lock.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::slot::Slot;
use crate::sync::{AtomicU64, Mutex, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Readiness {
    word: AtomicU64,
    slot: Slot,
    /// An empty map owns no memory, so an entry is no larger for the futures it once had.
    listed: Mutex<BTreeMap<u64, Waker>>,
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
    /// and two steps on the word.
    #[inline]
    pub(crate) fn wait(&self, wanted: Wanted, place: Place, waker: &Waker) -> Look {
        match place {
            // Cloning runs user code, so it happens before anything is claimed or locked.
            Place::Slot if self.waits_already(wanted, waker) => Look::Idle,
            Place::Slot => self.wait_in_slot(wanted, waker.clone()),
            Place::Listed(key) => self.wait_in_list(wanted, key, waker.clone()),
        }
    }

    /// Whether the next event will find `waker` in the slot. Often so: a task that waits for several things is polled for the others, too.
    fn waits_already(&self, wanted: Wanted, waker: &Waker) -> bool {
        // In this order.
        self.slot.seems_to_hold(waker) && {
            let word = self.word.load(Ordering::Acquire);
            word & STORED != 0 && look(word, wanted) == Look::Idle
        }
    }

    #[inline]
    fn wait_in_slot(&self, wanted: Wanted, waker: Waker) -> Look {
        // AcqRel: Acquire pairs with who stored what is displaced, Release with nobody: only the next step publishes.
        let claim = |word| (word & !STORED) | CLAIMED;
        let displaced = match self.change_while_idle(wanted, CLAIMED, claim) {
            Err(Look::Idle) => return self.wait_in_list(wanted, OVERFLOW, waker),
            Err(seen) => return seen,
            // SAFETY: STORED was on and we turned it off, so the slot is ours, and who put the waker had turned STORED on after it.
            Ok(before) if before & STORED != 0 => unsafe { self.slot.take() },
            Ok(_) if self.slot.is_empty() => None,
            Ok(_) => {
                // Who turned STORED off has yet to take its waker.
                self.word.fetch_and(!CLAIMED, Ordering::AcqRel);
                return self.wait_in_list(wanted, OVERFLOW, waker);
            }
        };
        self.slot.put(waker);
        let publish = |word| (word & !CLAIMED) | STORED;
        let (seen, _unused) = match self.change_while_idle(wanted, 0, publish) {
            Ok(_) => (Look::Idle, None),
            Err(seen) => {
                // SAFETY: nobody saw STORED, and CLAIMED is ours. It was this thread that put the waker.
                let waker = unsafe { self.slot.take() };
                // Release: pairs with the next claim.
                self.word.fetch_and(!CLAIMED, Ordering::AcqRel);
                (seen, waker)
            }
        };
        // User code: after the slot is somebody else's.
        drop(displaced);
        seen
    }

    fn wait_in_list(&self, wanted: Wanted, key: u64, waker: Waker) -> Look {
        // Dropping runs user code, so it happens outside the lock: `_unused` dies after the guard.
        let (seen, _unused) = {
            let mut listed = self.listed.lock();
            match self.change_while_idle(wanted, LISTED, |word| word | LISTED) {
                Ok(_) | Err(Look::Idle) => (Look::Idle, listed.insert(key, waker)),
                Err(seen) => (seen, Some(waker)),
            }
        };
        seen
    }

    /// Changes the word to `next` of it, and returns what it was, unless it shows what is wanted, or one of the bits of `unless`. The look
    /// is then `Idle`.
    fn change_while_idle(
        &self,
        wanted: Wanted,
        unless: u64,
        next: impl Fn(u64) -> u64,
    ) -> Result<u64, Look> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let seen = look(word, wanted);
            if seen != Look::Idle || word & unless != 0 {
                return Err(seen);
            }
            // AcqRel: Release pairs with the event that reads STORED or LISTED, Acquire with the event, clear or waiter that came before.
            match self.word.compare_exchange_weak(
                word,
                next(word),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Ok(word),
                Err(now) => word = now,
            }
        }
    }

    /// Takes the waiter `key` off the list, if it is still there.
    pub(crate) fn forget(&self, key: u64) {
        let _dropped_unlocked = {
            let mut listed = self.listed.lock();
            listed.remove(&key)
        };
    }

    /// Forgets what `seen` showed, unless an event has come since.
    #[inline]
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
        let next = |word: u64| still_meant().then(|| word.wrapping_add(TICK) | event.0);
        self.end_waits(next, wakers);
    }

    /// Changes the word to `next` of it, and moves the waiting wakers into `wakers`. Does neither if there is none.
    fn end_waits(&self, next: impl Fn(u64) -> Option<u64>, wakers: &mut Vec<Waker>) {
        // Acquire: pairs with the exchange in `reset`; who reads the word of the next owner reads its generation too.
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let Some(next) = next(word) else { return };
            // AcqRel: Release publishes the event to `look`, and the change of owner to the load above; Acquire pairs with the waiter
            // that set STORED or LISTED.
            match self.word.compare_exchange_weak(
                word,
                next & !(STORED | LISTED),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & STORED != 0 {
            // SAFETY: we turned STORED off, so the slot is ours until it is empty, and who put the waker had turned STORED on after it.
            wakers.extend(unsafe { self.slot.take() });
        }
        if word & LISTED != 0 {
            let listed = std::mem::take(&mut *self.listed.lock());
            wakers.extend(listed.into_values());
        }
    }

    /// Turns READY on without an event. For the owner of an entry that nobody waits at: it wakes nobody.
    pub(crate) fn assume(&self) {
        // Relaxed: it publishes nothing. The tick stays, so an event that comes at the same time stands whatever is cleared.
        self.word.fetch_or(READY, Ordering::Relaxed);
    }

    /// Marks the direction shut down for ever, and moves the waiting wakers into `wakers`.
    pub(crate) fn shut_down(&self, wakers: &mut Vec<Waker>) {
        // A waiter that comes later sees SHUTDOWN, one that came earlier is taken.
        self.end_waits(|word| Some(word | SHUTDOWN), wakers);
    }

    /// Makes the direction empty for the next owner: a new tick and no readiness. Shut down it stays.
    ///
    /// The caller has made `still_meant` false for events of the last owner before. Nobody is about to wait.
    pub(crate) fn reset(&self, wakers: &mut Vec<Waker>) {
        // The Release of the exchange carries the generation bump that came before.
        let next = |word: u64| word.wrapping_add(TICK) & !(TICK - 1) | word & SHUTDOWN;
        self.end_waits(|word| Some(next(word)), wakers);
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
/// The slot holds a waker for the next event.
const STORED: u64 = 1 << 3;
/// The runtime has shut down; never turned off again.
const SHUTDOWN: u64 = 1 << 4;
/// There is priority data.
const PRIORITY: u64 = 1 << 5;
/// An error is pending, for whoever waits for errors: reading and writing leave it on.
const FAULT: u64 = 1 << 6;
/// Wakers may be listed.
const LISTED: u64 = 1 << 7;
/// A waiter is about to put its waker into the slot.
const CLAIMED: u64 = 1 << 8;
const TICK_SHIFT: u32 = 9;
const TICK: u64 = 1 << TICK_SHIFT;
/// The key in the list of who found the slot in use. No future has it.
const OVERFLOW: u64 = u64::MAX;

#[cfg(all(test, not(loom)))]
#[path = "tests/readiness_model.rs"]
mod model;
