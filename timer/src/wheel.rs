//! The wheel as its users see it: the lock, and the earliest deadline published beside it.

use std::{
    fmt,
    sync::atomic::Ordering,
    task::Waker,
    time::{Duration, Instant},
};

use crate::{
    ledger::LastHolder,
    levels::{LATEST, NONE},
    node::{Node, State},
    slots::{BATCH, Slots},
    sync::{AtomicBool, AtomicU64, Mutex},
};

/// A timing wheel: keeps registered [`Entry`](crate::Entry) values by their deadlines and hands out the wakers of those
/// that are due.
///
/// Every entry holds the wheel by an `Arc`, so a wheel outlives its entries. `X` is a value carried along for the user,
/// for example how to wake the thread that sleeps until [`next_wake`](Self::next_wake).
///
/// Times are kept in nanoseconds since the `origin`: earlier ones count as the origin, those more than 584 years after
/// it as 584 years after it.
pub struct Wheel<X = ()> {
    origin: Instant,
    /// `Slots::earliest` as of the last unlock.
    earliest: AtomicU64,
    /// Whether any entry was ever put off, so that its slot's minimum may be only a lower bound.
    put_off: AtomicBool,
    slots: Mutex<Slots>,
    last_holder: LastHolder,
    extra: X,
}

impl<X> Wheel<X> {
    /// An empty wheel whose time starts at `origin`.
    pub fn new(origin: Instant, extra: X) -> Self {
        Self {
            origin,
            earliest: AtomicU64::new(NONE),
            put_off: AtomicBool::new(false),
            slots: Mutex::new(Slots::new()),
            last_holder: LastHolder::default(),
            extra,
        }
    }

    /// The value given to [`new`](Self::new).
    pub fn extra(&self) -> &X {
        &self.extra
    }

    /// Fires entries that are due at `now` and appends their wakers, at most [`BATCH`], to `wakers`.
    ///
    /// Returns true if more is due: wake what was handed out, do what else is urgent, and call again with the same or a
    /// later `now`. A call may hand out nothing and yet return true, when it only sorted entries by their deadlines.
    /// A `now` earlier than that of a former turn fires nothing that is not due at it. Any thread may call this.
    ///
    /// The wakers must be woken: the entries already say that they fired.
    pub fn turn(&self, now: Instant, wakers: &mut Vec<Waker>) -> bool {
        let now = self.nanos(now);
        // Relaxed: as in `next_wake`; what is published too late for this look is seen by the next.
        if self.earliest.load(Ordering::Relaxed) > now {
            return false;
        }
        // Before locking, so that nobody waits for the allocator.
        wakers.reserve(BATCH);
        self.locked(|slots| slots.turn(now, wakers))
    }

    /// A time not later than the earliest deadline, without taking the lock; `None` if and only if the wheel is empty.
    ///
    /// It is the earliest deadline itself unless an entry was reset to a later one, or one that was the earliest of its slot was
    /// cancelled. Then it may be the time of that entry, and the turns at this time (until one returns false) make it exact.
    ///
    /// To sleep on it: publish the time up to which the sleep will last, `fence(SeqCst)`, read this again, and sleep
    /// only if it is not earlier. Whoever is told [`Status::Earliest`](crate::Status::Earliest) does the counterpart:
    /// `fence(SeqCst)`, read the published time, wake the sleeper if that is later than the deadline.
    pub fn next_wake(&self) -> Option<Instant> {
        // Relaxed: nothing is reached through this number. That either the sleeper sees a new deadline or the inserter
        // sees the sleeper comes from the two fences described above.
        self.instant(self.earliest.load(Ordering::Relaxed))
    }

    /// The earliest deadline, exactly. Takes the lock, and may look through all entries of one slot.
    ///
    /// For a paused clock, which jumps to it. For sleeping, [`next_wake`](Self::next_wake) is the cheap way.
    pub fn next_deadline(&self) -> Option<Instant> {
        // Relaxed: of a reset on another thread that the caller has not heard of nothing is promised.
        let put_off = self.put_off.load(Ordering::Relaxed);
        self.instant(self.locked(|slots| slots.exact_earliest(put_off)))
    }

    /// How many entries are registered and have not fired.
    pub fn len(&self) -> usize {
        self.locked(|slots| slots.len())
    }

    /// Whether no entry is registered, without taking the lock.
    pub fn is_empty(&self) -> bool {
        self.next_wake().is_none()
    }

    /// Closes the wheel: from the first call on, every registration answers [`Status::Closed`](crate::Status::Closed).
    ///
    /// Ends registered entries and appends their wakers, at most [`BATCH`], to `wakers`. Returns true if some are left:
    /// call again until it returns false.
    pub fn close(&self, wakers: &mut Vec<Waker>) -> bool {
        wakers.reserve(BATCH);
        self.locked(|slots| slots.close(wakers))
    }

    /// Runs `f` under the lock and publishes the earliest deadline afterwards. `f` must run no code of the user: no
    /// wake, no clone and no drop of a waker.
    pub(crate) fn locked<R>(&self, f: impl FnOnce(&mut Slots) -> R) -> R {
        let mut slots = self.slots.lock();
        self.last_holder.note();
        let result = f(&mut slots);
        let earliest = slots.earliest();
        // Relaxed, both: the number is written under the lock only, and its readers order themselves by fences, see
        // `next_wake`.
        if self.earliest.load(Ordering::Relaxed) != earliest {
            self.earliest.store(earliest, Ordering::Relaxed);
        }
        result
    }

    /// Gives a node of this wheel a later deadline, or the same, if it is registered.
    pub(crate) fn put_off(&self, node: &Node, deadline: Instant) -> bool {
        let deadline = self.nanos(deadline);
        if !matches!(node.state(), State::Registered(wanted) if wanted <= deadline) {
            return false;
        }
        // Before it is put off, for who looks for the earliest deadline afterwards. Once: the line is read by all.
        if !self.put_off.load(Ordering::Relaxed) {
            self.put_off.store(true, Ordering::Relaxed);
        }
        node.put_off(deadline)
    }

    /// Nanoseconds from the origin to `time`, between 0 and [`LATEST`].
    pub(crate) fn nanos(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.origin);
        // As `as_nanos`, without 128 bits.
        let nanos = since.as_secs().checked_mul(1_000_000_000);
        let nanos = nanos.and_then(|nanos| nanos.checked_add(since.subsec_nanos().into()));
        nanos.unwrap_or(LATEST).min(LATEST)
    }

    fn instant(&self, nanos: u64) -> Option<Instant> {
        // Cannot overflow: the number was made from an `Instant` that is at least as late.
        (nanos != NONE).then(|| self.origin + Duration::from_nanos(nanos))
    }
}

impl<X> fmt::Debug for Wheel<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("next_wake", &self.next_wake())
            .finish_non_exhaustive()
    }
}
