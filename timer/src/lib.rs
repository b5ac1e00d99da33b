//! A hierarchical timing wheel with intrusive entries: `turn(now)` in, wakers out.
//!
//! The crate has no clock, no thread and no task. Time enters as a parameter of [`Wheel::turn`], and what
//! became due leaves as a list of [`Waker`](std::task::Waker)s that the caller wakes once it holds no lock.
//! A wheel never calls `wake` itself, so a waker is free to drop, reset or register any entry.
//!
//! ```
//! use std::{pin::pin, sync::Arc, task::Waker, time::{Duration, Instant}};
//! use timer::{Entry, Status, Wheel};
//!
//! let start = Instant::now();
//! let wheel = Arc::new(Wheel::new(start, ()));
//! let deadline = start + Duration::from_millis(5);
//! let mut sleep = pin!(Entry::new(wheel.clone(), deadline));
//!
//! // Registered, and earlier than all the wheel knew: whoever sleeps for this wheel must be told.
//! assert_eq!(sleep.as_mut().register(Waker::noop()), Status::Earliest);
//! assert_eq!(wheel.next_wake(), Some(deadline));
//!
//! let mut wakers = Vec::new();
//! let more = wheel.turn(deadline, &mut wakers);
//! assert!(!more && sleep.is_fired());
//! for waker in wakers {
//!     waker.wake();
//! }
//! ```
//!
//! # How it works
//!
//! The hierarchical wheel is Varghese and Lauck's (*Hashed and Hierarchical Timing Wheels*, 1987, scheme 7), without its clock tick:
//! the wheel is turned to whatever time it is.
//!
//! Time is a `u64` of nanoseconds since the wheel's origin, read as ten digits: of six bits each, but for one of twelve and a last one of four. An
//! entry lies on the level of the *highest digit in which its deadline differs* from the wheel's time, in the slot of that digit:
//!
//! ```text
//!  level     9        ...    5         4          3         2         1        0
//!  slots     16       ...    64       4096        64        64        64       64
//!  a slot's  36.5     ...    68.7     16.8        262       4.1       64       1
//!  width     years           s        ms          µs        µs        ns       ns
//!            |   ...  |      |d d d|  |. . . d .| |d d d d| |. . d .| |. . . .|
//!                                                                │
//!                                                                └─ doubly linked list of the entries themselves + its minimum
//! ```
//!
//! Most timeouts are seconds. So the level of seconds is wide: what waits for less than a minute goes straight to a slot of 17 ms, unless
//! one of the minutes (of 68.7 s) ends between. Its entries are moved only when that slot is due, and are few enough for a processor's cache.
//!
//! The digits hold every `u64`, so nothing wraps, and on each level only digits ahead of the wheel's own are
//! occupied. So the lowest set bit of the lowest occupied level names the slot of the earliest deadlines. A turn enters
//! this slot when its minimum is due, sets the wheel's time to that minimum and moves the entries down; from slots of
//! 4 µs and less it fires what is due at once. Hence:
//!
//! * no entry fires before its deadline, to the nanosecond;
//! * entries due in the same turn fire in the order of their deadlines, except within 4.1 µs;
//! * a lone far entry causes no wake-up before its deadline, because a slot is not entered before its minimum;
//! * insert and cancel take constant time and allocate nothing, but for the slots of a wheel at its first entry: the nodes live in the pinned
//!   [`Entry`] values;
//! * a reset to a later deadline takes no lock: it only notes the deadline, by which the wheel moves the entry once it comes upon it;
//! * a reset to an earlier deadline keeps the waker, too, and takes the lock once, to move the entry;
//! * a turn does a bounded amount of work, however many entries share a slot, and says whether more is due.

mod entry;
mod ledger;
mod levels;
mod list;
mod node;
mod prefetch;
mod slots;
mod sync;
#[cfg(test)]
mod tests;
mod wheel;

#[cfg(executor_ledger)]
#[doc(hidden)]
pub use crate::ledger::wheels_handed_over;
#[doc(hidden)]
pub use crate::prefetch::prefetch;
pub use crate::{
    entry::{Entry, Status},
    slots::BATCH,
    wheel::Wheel,
};
