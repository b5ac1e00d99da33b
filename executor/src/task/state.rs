//! The state word of a task: who may poll it, who is interested in it, how many references it has.
//!
//! ```text
//!                   wake (1)                    start_poll (2)
//!        ┌──────┐ ───────────▶ ┌──────────┐ ─────────────────▶ ┌─────────┐
//!        │ idle │              │ NOTIFIED │                    │ RUNNING │──┐ wake or abort (5)
//!        └──────┘ ◀──────────┐ └──────────┘ ◀────────────────┐ └─────────┘◀─┘ sets NOTIFIED as well
//!                 end_poll   │              end_poll: Again  │  │   │
//!                 Idle (3)   └──────────────────(4)──────────┴──┘   │ complete (6)
//!                                                                   ▼
//!             claim (7): idle ──▶ RUNNING | CANCELLED          ┌──────────┐
//!                                                              │ COMPLETE │  final
//!                                                              └──────────┘
//! ```
//!
//! Two bits say that the task is to end. CANCELLED is an order: the next poll drops the future instead. REQUESTED is a request, which only has the
//! poll that follows it looked at: if it ends `Pending` and nothing in the task hears of the request (see `cancel`), the future is dropped. Both come
//! with NOTIFIED, so a poll does follow, and both are seen where the token is spent. The end of a poll, and its plain stores, need not look.
//!
//! The right to poll is a token. It exists exactly while NOTIFIED is set and RUNNING is not: whoever sets NOTIFIED on an idle task
//! (1) holds it and must put it in a queue, whoever takes it out of the queue spends it (2). A wake during a poll (5) makes no
//! token; the poll's end (4) does. So a task is in at most one queue, and one thread polls it at a time.
//!
//! References: wakers and handles count one each, and "not COMPLETE" counts one, the owner's. A token therefore needs no reference
//! of its own: while one exists the task is not COMPLETE. The thread that completes the task gives the owner's reference up.
//!
//! Every transition is one read-modify-write, with one exception: of a task that nobody else can reach, because it has no reference but the
//! owner's and was never linked, who has its token or runs it writes the word by a plain store. That is a task whose handle is gone and which has not
//! waited for anything but its turn. Only who runs it can make a reference, so what is alone stays so while the store is under way. In particular a wake of a task that is already NOTIFIED still writes: skipping it
//! after a plain load is store buffering (the waker's data and the poller's read may cross), and loses wakes.

use crate::rt_sync::atomic::AtomicUsize;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Somebody polls the task, or drops its future.
const RUNNING: usize = 1;
/// The future is dropped and the output stored. Never cleared.
const COMPLETE: usize = 1 << 1;
/// A wake has come since the last poll began. Means nothing once COMPLETE.
const NOTIFIED: usize = 1 << 2;
/// A `JoinHandle` exists. Decides, at completion, who drops the output.
const JOIN_INTEREST: usize = 1 << 3;
/// The join waker is set: shared for reading. Clear: it belongs to the `JoinHandle` alone.
const JOIN_WAKER: usize = 1 << 4;
/// The next poll must drop the future instead. Never cleared.
const CANCELLED: usize = 1 << 5;
/// The task is in its owner's list, where shutdown finds it. Set by who runs it, or has its token, once.
const LINKED: usize = 1 << 6;
/// Somebody has asked that the task end by itself. Never cleared.
const REQUESTED: usize = 1 << 7;
const REF_ONE: usize = 1 << 8;

/// A new task is NOTIFIED, its token in the spawner's hand, with two references: the owner's and the `JoinHandle`'s.
const INITIAL: usize = (2 * REF_ONE) | JOIN_INTEREST | NOTIFIED;

/// What says nothing of who can reach the task.
const ANY_TIME: usize = NOTIFIED | CANCELLED | LINKED | REQUESTED;

/// The atomic word.
pub(crate) struct State(AtomicUsize);

/// A value the word had.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot(usize);

/// What a spent token allows.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) enum StartPoll {
    Poll,
    /// Poll, and look whether the task goes on.
    Requested,
    Cancel,
}

/// What happened to the right to poll when a poll ended.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) enum EndPoll {
    Idle,
    /// A wake came during the poll: the caller holds a new token.
    Again,
}

/// What a wake, abort or claim has to do next.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) enum Wake {
    Nothing,
    /// The caller holds the token and must schedule it.
    Schedule,
    /// The caller gave up the last reference and must free the task.
    Free,
}

/// What a dropped `JoinHandle` has to clean up.
#[must_use]
pub(crate) struct DropJoin {
    pub(crate) output: bool,
    pub(crate) waker: bool,
}

/// The task completed before the transition: the output is ready.
pub(crate) struct Completed;

impl State {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(INITIAL))
    }

    /// (2) Spends the token.
    #[inline]
    pub(crate) fn start_poll(&self) -> StartPoll {
        // Acquire: pairs with the Release of `end_poll` (the last poll's writes to the future) and of `wake` (what the waker wrote).
        if self.0.load(Acquire) == REF_ONE | NOTIFIED {
            // Nobody else can reach it. Relaxed: whoever gets a reference gets it from us.
            self.0.store(REF_ONE | RUNNING, Relaxed);
            return StartPoll::Poll;
        }
        let before = self.0.fetch_xor(NOTIFIED | RUNNING, AcqRel);
        debug_assert_eq!(
            before & (NOTIFIED | RUNNING | COMPLETE),
            NOTIFIED,
            "a token without its bit"
        );
        if before & (CANCELLED | REQUESTED) == 0 {
            StartPoll::Poll
        } else if before & CANCELLED == 0 {
            StartPoll::Requested
        } else {
            StartPoll::Cancel
        }
    }

    /// (3), (4) Ends a poll that returned `Pending`. `linked`: the caller has linked the task, now or earlier. After `Idle` the task may be
    /// gone: the caller must not touch it again.
    #[inline]
    pub(crate) fn end_poll(&self, linked: bool) -> EndPoll {
        // Relaxed: only who runs the task, which is the caller, or had its token, sets the bit.
        let first = if linked {
            LINKED & !self.0.load(Relaxed)
        } else {
            0
        };
        // Release: pairs with the Acquire of the next `start_poll` or `claim`.
        let before = self.0.fetch_xor(RUNNING | first, AcqRel);
        debug_assert_eq!(before & (RUNNING | COMPLETE), RUNNING);
        if before & NOTIFIED == 0 {
            EndPoll::Idle
        } else {
            EndPoll::Again
        }
    }

    /// (5) and (4) at once: ends a poll that returned `Pending` and asked to be polled again. The caller holds a new token.
    pub(crate) fn end_poll_again(&self) {
        // Acquire: pairs with the Release of every dropped reference, which a plain store hides from who frees the memory.
        let mut current = self.0.load(Acquire);
        if current == REF_ONE | RUNNING {
            // Nobody else can reach it. Release: pairs with the Acquire of `start_poll`.
            return self.0.store(REF_ONE | NOTIFIED, Release);
        }
        loop {
            debug_assert_eq!(current & (RUNNING | COMPLETE), RUNNING);
            let next = (current & !RUNNING) | NOTIFIED;
            // Orderings as in `end_poll` and `wake_by_ref`, which this joins.
            match self.0.compare_exchange_weak(current, next, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(actual) => current = actual,
            }
        }
    }

    /// The caller has the token, and is about to link the task.
    pub(crate) fn link_token(&self) {
        // Relaxed: it goes with the token to who spends that. From now on the word is written by read-modify-writes only.
        self.0.fetch_or(LINKED, Relaxed);
    }

    /// (6) Publishes the output and gives the owner's reference up, in one step, if there is nobody to wake and a handle that takes the output.
    /// False: take the long way.
    pub(crate) fn complete_for_handle(&self) -> bool {
        let current = self.0.load(Relaxed);
        current & (JOIN_INTEREST | JOIN_WAKER) == JOIN_INTEREST
            // Orderings as in `complete` and `drop_reference`, which this joins. The handle's reference is left.
            && self
                .0
                .compare_exchange(
                    current,
                    (current ^ (RUNNING | COMPLETE)) - REF_ONE,
                    AcqRel,
                    Relaxed,
                )
                .is_ok()
    }

    /// (6) Publishes the output. The caller still holds the owner's reference.
    pub(crate) fn complete(&self) -> Snapshot {
        // Release: pairs with the Acquire of `is_complete` and `Completed`, which lead to reading the output.
        // Acquire: pairs with the Release of `set_join_waker`, for reading the join waker.
        let before = self.0.fetch_xor(RUNNING | COMPLETE, AcqRel);
        debug_assert_eq!(before & (RUNNING | COMPLETE), RUNNING);
        Snapshot(before ^ (RUNNING | COMPLETE))
    }

    /// True if the caller, who runs the task and has unlinked it, holds the only reference: nobody can make another.
    pub(crate) fn is_sole_owner(&self) -> bool {
        // Acquire: pairs with the Release of every dropped reference, before the memory is freed.
        self.0.load(Acquire) & !ANY_TIME == RUNNING | REF_ONE
    }

    /// (1), (5) A wake through a borrowed waker.
    pub(crate) fn wake_by_ref(&self) -> Wake {
        // Release: pairs with the Acquire of `start_poll`. Acquire: whoever schedules the token reads the task.
        let before = self.0.fetch_or(NOTIFIED, AcqRel);
        if before & (NOTIFIED | RUNNING | COMPLETE) == 0 {
            Wake::Schedule
        } else {
            Wake::Nothing
        }
    }

    /// (1), (5) A wake that gives the waker's reference up.
    pub(crate) fn wake_by_value(&self) -> Wake {
        let mut current = self.0.load(Relaxed);
        loop {
            let next = (current | NOTIFIED) - REF_ONE;
            // Orderings as in `wake_by_ref` and `drop_reference`, which this joins.
            match self.0.compare_exchange_weak(current, next, AcqRel, Relaxed) {
                Ok(_) if current & (NOTIFIED | RUNNING | COMPLETE) == 0 => return Wake::Schedule,
                Ok(_) if next < REF_ONE => return Wake::Free,
                Ok(_) => return Wake::Nothing,
                Err(actual) => current = actual,
            }
        }
    }

    /// (1), (5) Asks that the next poll drops the future.
    pub(crate) fn abort(&self) -> Wake {
        self.wake_with(CANCELLED)
    }

    /// (1), (5) Asks that the task end by itself, or be dropped after the next poll.
    pub(crate) fn request(&self) -> Wake {
        self.wake_with(REQUESTED)
    }

    fn wake_with(&self, bit: usize) -> Wake {
        // Orderings as in `wake_by_ref`.
        let before = self.0.fetch_or(bit | NOTIFIED, AcqRel);
        if before & (NOTIFIED | RUNNING | COMPLETE) == 0 {
            Wake::Schedule
        } else {
            Wake::Nothing
        }
    }

    /// Marks the task CANCELLED for a caller who holds its token.
    pub(crate) fn cancel_token(&self) {
        // Relaxed: the same thread spends the token next, and `start_poll` is a read-modify-write on this word.
        let before = self.0.fetch_or(CANCELLED, Relaxed);
        debug_assert_eq!(before & (NOTIFIED | RUNNING | COMPLETE), NOTIFIED);
    }

    /// (7) Takes the right to run an idle task without a queue, to cancel it at shutdown. False: the task is complete, or
    /// whoever holds its token, or runs it, finds CANCELLED.
    pub(crate) fn claim(&self) -> bool {
        let mut current = self.0.load(Relaxed);
        loop {
            let idle = current & (NOTIFIED | RUNNING | COMPLETE) == 0;
            let next = current | CANCELLED | if idle { RUNNING } else { NOTIFIED };
            // Acquire: pairs with the Release of `end_poll`, before the future is dropped.
            match self.0.compare_exchange_weak(current, next, AcqRel, Relaxed) {
                Ok(_) => return idle,
                Err(actual) => current = actual,
            }
        }
    }

    /// True if the running task, which the caller runs, was woken: `end_poll` will say Again.
    #[inline]
    pub(crate) fn is_notified(&self) -> bool {
        // Relaxed: a hint, and nothing unsets the bit but the caller.
        self.0.load(Relaxed) & NOTIFIED != 0
    }

    /// For the `JoinHandle`: one look for both questions. Asked one after the other, "not complete" could be older than "no join
    /// waker", which the completer brings about as well, and the handle would write what the completer may still read.
    pub(crate) fn load(&self) -> Snapshot {
        // Acquire: pairs with the Release of `complete`.
        Snapshot(self.0.load(Acquire))
    }

    /// Drops a `JoinHandle` that was never used, in one step. False: take the long way.
    pub(crate) fn drop_join_handle_fast(&self) -> bool {
        // Release: pairs with the Acquire of `is_sole_owner` or `drop_reference`, before the memory is freed.
        self.0
            .compare_exchange(INITIAL, INITIAL - REF_ONE - JOIN_INTEREST, Release, Relaxed)
            .is_ok()
    }

    /// Ends the `JoinHandle`'s interest. This one step decides who drops the output: the handle if COMPLETE, else the completer.
    pub(crate) fn drop_join_interest(&self) -> DropJoin {
        let mut current = self.0.load(Relaxed);
        loop {
            let complete = current & COMPLETE != 0;
            // Once COMPLETE with JOIN_WAKER set, the completer may be reading the waker: it will drop it.
            let next = current & !(JOIN_INTEREST | if complete { 0 } else { JOIN_WAKER });
            // Acquire: pairs with the Release of `complete`. Release: pairs with the Acquire of `complete` and `release_join_waker`.
            match self.0.compare_exchange_weak(current, next, AcqRel, Relaxed) {
                Ok(_) => {
                    return DropJoin {
                        output: complete,
                        waker: next & JOIN_WAKER == 0,
                    };
                }
                Err(actual) => current = actual,
            }
        }
    }

    /// The `JoinHandle` has stored a waker and shares it.
    pub(crate) fn set_join_waker(&self) -> Result<(), Completed> {
        self.change_join_waker(|current| current | JOIN_WAKER)
    }

    /// The `JoinHandle` takes the waker back, to replace it.
    pub(crate) fn unset_join_waker(&self) -> Result<(), Completed> {
        self.change_join_waker(|current| current & !JOIN_WAKER)
    }

    fn change_join_waker(&self, change: impl Fn(usize) -> usize) -> Result<(), Completed> {
        let mut current = self.0.load(Acquire);
        loop {
            if current & COMPLETE != 0 {
                return Err(Completed);
            }
            // Release: pairs with the Acquire of `complete`. Acquire, also on failure: pairs with the Release of `complete`.
            match self
                .0
                .compare_exchange_weak(current, change(current), AcqRel, Acquire)
            {
                Ok(_) => return Ok(()),
                Err(actual) => current = actual,
            }
        }
    }

    /// The completer has woken the join waker and gives it back.
    pub(crate) fn release_join_waker(&self) -> Snapshot {
        // Release: pairs with the Acquire of the `JoinHandle`'s drop. Acquire: pairs with its Release, if it was dropped already.
        Snapshot(self.0.fetch_and(!JOIN_WAKER, AcqRel))
    }

    /// As `release_join_waker`, and gives the owner's reference up in the same step, if the handle is still there, whose the waker is then.
    /// False: take the long way.
    pub(crate) fn release_join_waker_to_handle(&self) -> bool {
        let current = self.0.load(Relaxed);
        debug_assert_eq!(current & (COMPLETE | JOIN_WAKER), COMPLETE | JOIN_WAKER);
        current & JOIN_INTEREST != 0
            // Orderings as in `release_join_waker` and `drop_reference`, which this joins. The handle's reference is left.
            && self
                .0
                .compare_exchange(current, current - JOIN_WAKER - REF_ONE, AcqRel, Relaxed)
                .is_ok()
    }

    /// True if the caller, the `JoinHandle`, holds the only reference of a complete task: nobody can make another.
    pub(crate) fn is_handles_alone(&self) -> bool {
        // Acquire: pairs with the Release of every dropped reference, before the memory is freed.
        self.0.load(Acquire) & !ANY_TIME == COMPLETE | JOIN_INTEREST | REF_ONE
    }

    pub(crate) fn add_reference(&self) {
        // Relaxed: a reference is made from one that exists.
        let before = self.0.fetch_add(REF_ONE, Relaxed);
        if before > isize::MAX as usize {
            // 2^55 forgotten wakers: going on would free a task in use.
            std::process::abort();
        }
    }

    /// True: it was the last one, and the caller frees the task.
    #[must_use]
    pub(crate) fn drop_reference(&self) -> bool {
        // Release: this holder's accesses come before the free. Acquire: pairs with the Release of all other holders.
        self.0.fetch_sub(REF_ONE, AcqRel) < 2 * REF_ONE
    }
}

impl Snapshot {
    pub(crate) fn is_complete(self) -> bool {
        self.0 & COMPLETE != 0
    }

    pub(crate) fn has_join_interest(self) -> bool {
        self.0 & JOIN_INTEREST != 0
    }

    pub(crate) fn has_join_waker(self) -> bool {
        self.0 & JOIN_WAKER != 0
    }
}
