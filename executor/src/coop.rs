//! The budget of a poll: how many operations may succeed in it before the task lets others run.
//!
//! ```text
//!          ROUND operations           SLICE since the first round ended
//!  First ─────────────────▶ Timed ────────────────────────────────────▶ Over ──▶ operations say Pending, and wake the task
//!                            ▲  │                                        │
//!                            └──┘ ROUND operations, and time left        └ MOST_REFUSALS later: First
//! ```
//!
//! Counting alone would be wrong both ways: operations take from nanoseconds to milliseconds. Reading the clock alone would cost each
//! poll of each task, and most polls do little. So a poll begins with one store, and the clock is read once per round.
//!
//! A poll that was refused returns `Pending` and ends, unless what polls is an executor inside a task. That one would poll again
//! for ever, because the budget is only filled up between polls; so refusals end, too.
//!
//! Real time, also while the runtime's clock is paused: this is about threads.

use std::cell::Cell;
use std::marker::PhantomData;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::rt_sync::whole::{now, thread_local};

/// Calls `f`, a poll of a whole task, with a full budget.
#[inline]
pub(crate) fn budgeted<R>(f: impl FnOnce() -> R) -> R {
    with(Budget::FULL, f)
}

/// As `budgeted`, for the loop of a worker: `f` does not panic, and before and after it there is no limit.
#[inline]
pub(crate) fn budgeted_task(f: impl FnOnce()) {
    BUDGET.set(Budget::FULL);
    f();
    BUDGET.set(Budget::UNLIMITED);
}

/// Calls `f`, and leaves the budget as it was whatever `f` does with it.
pub(crate) fn preserved<R>(f: impl FnOnce() -> R) -> R {
    with(BUDGET.get(), f)
}

/// Calls `f` without a limit.
#[inline]
pub(crate) fn unlimited<R>(f: impl FnOnce() -> R) -> R {
    with(Budget::UNLIMITED, f)
}

/// Polls an operation that waits for the runtime itself and not for other futures. If it is ready, it counts.
#[inline]
pub(crate) fn poll_counted<T>(
    cx: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    ready!(poll_allowed(cx));
    let result = poll(cx);
    if result.is_ready() {
        count();
    }
    result
}

/// Ready, if the budget allows another operation, which is to be [counted](count) if it succeeds. As `poll_proceed`, without a value to drop:
/// this is on the way of every operation.
#[inline(always)]
pub(crate) fn poll_allowed(cx: &Context<'_>) -> Poll<()> {
    match budget() {
        Some(_) => Poll::Ready(()),
        None => refuse(cx),
    }
}

/// An operation has succeeded.
#[inline(always)]
pub(crate) fn count() {
    let budget = BUDGET.get();
    // Without a limit there is nothing to count.
    if budget.left() > 0 {
        BUDGET.set(budget.less_one());
    }
}

/// The operation that was just made took as long as many others: the clock is read before the next one.
pub(crate) fn end_of_round() {
    let budget = BUDGET.get();
    BUDGET.set(Budget::new(budget.phase(), 0));
}

/// Takes one operation out of the budget of the task that is being polled, for a future of one's own that waits for no other.
///
/// If the result is ready, the operation may go on. What was taken is put back when the result is dropped, unless
/// [`made_progress`](RestoreOnPending::made_progress) says that the operation succeeded. If the budget is used up, the task is woken, and the
/// operation must return `Pending`. Outside of a task it is always ready.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::coop::poll_proceed;
/// use std::task::{Context, Poll, ready};
///
/// fn poll_next(queue: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
///     let budget = ready!(poll_proceed(cx));
///     let item = queue.pop();
///     budget.made_progress();
///     Poll::Ready(item)
/// }
/// # let mut queue = vec![7];
/// # assert_eq!(std::future::poll_fn(|cx| poll_next(&mut queue, cx)).await, Some(7));
/// # });
/// ```
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    let Some(budget) = budget() else {
        return refuse(cx);
    };
    if budget == Budget::UNLIMITED {
        return Poll::Ready(RestoreOnPending::new(None));
    }
    BUDGET.set(budget.less_one());
    Poll::Ready(RestoreOnPending::new(Some(budget)))
}

/// False if the task that is being polled has used up its budget: the next operation that counts will let others run first.
///
/// True outside of a task.
#[inline]
pub fn has_budget_remaining() -> bool {
    budget().is_some()
}

/// Puts what [`poll_proceed`] took back into the budget when it is dropped, unless the operation made progress.
#[derive(Debug)]
#[must_use = "dropped at once, it counts nothing"]
pub struct RestoreOnPending {
    before: Cell<Option<Budget>>,
    /// The budget is the thread's.
    _not_send: PhantomData<*mut ()>,
}

impl RestoreOnPending {
    #[inline]
    fn new(before: Option<Budget>) -> Self {
        Self {
            before: Cell::new(before),
            _not_send: PhantomData,
        }
    }

    /// The operation succeeded: it counts.
    #[inline]
    pub fn made_progress(&self) {
        self.before.set(None);
    }
}

impl Drop for RestoreOnPending {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before.get() {
            BUDGET.set(before);
        }
    }
}

/// How often a budget was used up on this thread since the last call.
pub(crate) fn take_forced() -> u64 {
    FORCED.take()
}

/// The phase, and in the lower byte how many operations there are until the end of the round; none, if there are no rounds. One number, so that it
/// is copied in one step, and that an operation is counted by taking one off.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Budget(u16);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Unlimited,
    /// The clock was not read yet.
    First,
    /// `SINCE` says when the first round ended.
    Timed,
    /// Operations are refused.
    Over,
}

impl Budget {
    const UNLIMITED: Self = Self::new(Phase::Unlimited, 0);
    const FULL: Self = Self::new(Phase::First, ROUND);

    const fn new(phase: Phase, left: u8) -> Self {
        Self((phase as u16) << 8 | left as u16)
    }

    const fn left(self) -> u8 {
        self.0 as u8
    }

    /// Something is left.
    const fn less_one(self) -> Self {
        Self(self.0 - 1)
    }

    const fn phase(self) -> Phase {
        match self.0 >> 8 {
            0 => Phase::Unlimited,
            1 => Phase::First,
            2 => Phase::Timed,
            _ => Phase::Over,
        }
    }
}

#[inline]
fn with<R>(budget: Budget, f: impl FnOnce() -> R) -> R {
    struct Restore(Budget);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            BUDGET.set(self.0);
        }
    }
    let _restore = Restore(BUDGET.replace(budget));
    f()
}

/// The budget, if it allows an operation.
#[inline]
fn budget() -> Option<Budget> {
    let budget = BUDGET.get();
    if budget.left() > 0 || budget == Budget::UNLIMITED {
        return Some(budget);
    }
    end_round(budget.phase())
}

/// A round is used up: looks at the clock, unless the last one was.
#[cold]
fn end_round(phase: Phase) -> Option<Budget> {
    if phase == Phase::Over {
        return None;
    }
    let now = now();
    let is_over = match (phase, SINCE.get()) {
        (Phase::Timed, Some(since)) => now.saturating_duration_since(since) >= SLICE,
        _ => {
            SINCE.set(Some(now));
            false
        }
    };
    let next = if is_over {
        FORCED.set(FORCED.get() + 1);
        REFUSALS.set(0);
        Budget::new(Phase::Over, 0)
    } else {
        Budget::new(Phase::Timed, ROUND)
    };
    BUDGET.set(next);
    (!is_over).then_some(next)
}

#[cold]
fn refuse<T>(cx: &Context<'_>) -> Poll<T> {
    REFUSALS.set(REFUSALS.get() + 1);
    if REFUSALS.get() > MOST_REFUSALS {
        BUDGET.set(Budget::FULL);
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

thread_local! {
    static BUDGET: Cell<Budget> = const { Cell::new(Budget::UNLIMITED) };
    // A poll inside a poll overwrites it, which gives the outer one more time.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    // In this poll.
    static REFUSALS: Cell<u8> = const { Cell::new(0) };
    static FORCED: Cell<u64> = const { Cell::new(0) };
}

/// Operations between two looks at the clock, which then costs about a nanosecond for each.
const ROUND: u8 = 32;

/// How long a poll may go on after its first round: as long as a busy worker goes between two looks at the outside world.
const SLICE: Duration = Duration::from_micros(50);

/// Refusals that no end of the poll follows.
const MOST_REFUSALS: u8 = 128;
