//! Watches which workers are in a poll that does not end, from one look of the guard to the next.
//!
//! A worker that is awake, and at two looks in the same poll, has been held for the time between them. Why, only the system knows: its
//! thread computes, sleeps, or would go on if it had a processor. The last is no stall: what a busy machine does to a thread, another
//! thread does not mend. So a worker is *stuck* if it has used the processor for a good part of the time, or sleeps in the system.
//!
//! A look that is late itself says nothing about how long a poll has lasted: the machine was stopped, or the whole process was. So it does
//! not count as time held, but for a thread that has used the processor meanwhile. What the thread does now, it says all the same.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::kernel::Tid;
use super::seat::Seat;
use super::stall::{Stall, ThreadActivity};
use crate::rt_sync::whole::atomic::Ordering::Relaxed;

/// What the guard remembers of the seats.
#[derive(Debug)]
pub(super) struct Watch {
    seats: Vec<Watched>,
    last_look: Instant,
    /// The seat that `sees_one_block` looks at next.
    next: usize,
}

/// Of one seat.
#[derive(Clone, Copy, Debug)]
struct Watched {
    seq: u64,
    parks: u64,
    cpu: Option<Duration>,
    /// The first look that found this poll.
    since: Instant,
    /// It was found stuck by some look. So it is until it ends: a thread that computes has to wait for a processor now and then, if others
    /// compute, too.
    is_stuck: bool,
    /// How often its stall was told of.
    told: u32,
}

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of each seat in use, whether its worker is stuck.
    pub(super) stuck: Vec<bool>,
    /// A poll has got stuck since the last look.
    pub(super) news: bool,
    /// Work waits behind a poll that has lasted since the last look.
    pub(super) work_waits: bool,
    /// A thread has been in its poll since the last look, and may compute: what time it has used from now on, the next look will say.
    pub(super) unsure: bool,
    /// What is to be told.
    pub(super) stalls: Vec<Stall>,
    /// How many of these are told of for the first time.
    pub(super) new_stalls: u64,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            seats: Vec::new(),
            last_look: now,
            next: 0,
        }
    }

    /// Nobody has looked for a while, and nobody was awake.
    pub(super) fn forget(&mut self, now: Instant) {
        self.seats.clear();
        self.last_look = now;
    }

    /// Looks at all seats. `pace`: how long after the last look this one was to come. `threshold`: from when on a stall is told of.
    pub(super) fn look<'a>(
        &mut self,
        seats: impl Iterator<Item = &'a Seat>,
        now: Instant,
        pace: Duration,
        threshold: Duration,
    ) -> Found {
        let window = now.saturating_duration_since(self.last_look);
        self.last_look = now;
        let is_late = window > 2 * pace + LATE;
        let mut found = Found::default();
        for (index, seat) in seats.enumerate() {
            let last = self.seats.get(index).copied();
            let (seen, activity) = Watched::look(seat, last, now, window, is_late);
            let seen = match self.seats.get_mut(index) {
                Some(place) => {
                    *place = seen;
                    place
                }
                None => {
                    self.seats.push(seen);
                    &mut self.seats[index]
                }
            };
            if let Some(activity) = activity {
                found.news |= !std::mem::replace(&mut seen.is_stuck, true);
                if let Some(mut stall) = seen.tell(seat, activity, now, threshold) {
                    found.new_stalls += u64::from(seen.told == 1);
                    stall.poll.0 = index;
                    found.stalls.push(stall);
                }
            }
            // The time is not asked for before a poll has lasted, so this is its second look.
            found.unsure |= activity.is_none()
                && seen.cpu.is_some()
                && last.is_some_and(|last| last.cpu.is_none());
            found.stuck.push(seen.is_stuck);
            found.work_waits |= seen.is_same_as(last) && !seat.has_no_task();
        }
        found
    }

    /// True if a worker sleeps in the system in the middle of a poll, however short. Of many workers in polls some are asked, others each time: the
    /// system takes some microseconds for an answer. Where it gives none, one may sleep.
    pub(super) fn sees_one_block(&mut self, seats: &[CachePadded<Seat>]) -> bool {
        let first = std::mem::replace(&mut self.next, 0) % seats.len();
        let in_turn = (first..seats.len()).chain(0..first);
        let in_polls = in_turn.filter(|&index| seats[index].running.look().is_some());
        for index in in_polls.take(ASKED_AT_ONCE) {
            self.next = index + 1;
            let seat = &seats[index];
            let seq = seat.running.seq();
            let is_runnable = Tid(seat.tid.load(Relaxed)).is_runnable();
            if is_runnable != Some(true) && seat.running.seq() == seq {
                return true;
            }
        }
        false
    }
}

impl Watched {
    /// What there is to remember now, and, if the worker is stuck, what its thread does.
    fn look(
        seat: &Seat,
        last: Option<Self>,
        now: Instant,
        window: Duration,
        is_late: bool,
    ) -> (Self, Option<ThreadActivity>) {
        let mut seen = Self::at(seat, now);
        let tid = Tid(seat.tid.load(Relaxed));
        let is_asleep = seen.parks % 2 == 1;
        if is_asleep || tid.0 == Tid::NONE.0 {
            return (seen, None);
        }
        let Some(last) = last.filter(|last| seen.is_same_as(Some(*last))) else {
            return (seen, None);
        };
        // Not before a poll has lasted: for each worker and each look it would be a system call, and a lock of the system's.
        seen.cpu = tid.cpu_time();
        let activity = activity(
            window,
            last.cpu,
            seen.cpu,
            || tid.is_runnable(),
            || seen.is_same_as(Some(Self::at(seat, now))),
        );
        let mut last = Self {
            cpu: seen.cpu,
            ..last
        };
        if is_late && activity != Some(ThreadActivity::Computing) {
            // Nobody knows what the thread would have done in that time.
            last.since += window;
        }
        (last, activity)
    }

    /// The poll that the seat is in, or not.
    fn at(seat: &Seat, now: Instant) -> Self {
        Self {
            seq: seat.running.seq(),
            parks: seat.counters.parks_and_unparks.get(),
            cpu: None,
            since: now,
            is_stuck: false,
            told: 0,
        }
    }

    fn is_same_as(&self, other: Option<Self>) -> bool {
        other.is_some_and(|other| (self.seq, self.parks) == (other.seq, other.parks))
    }

    /// The stall, if it is time to tell of it: at the threshold, and then each time it has lasted ten times as long.
    fn tell(
        &mut self,
        seat: &Seat,
        activity: ThreadActivity,
        now: Instant,
        threshold: Duration,
    ) -> Option<Stall> {
        let elapsed = now.saturating_duration_since(self.since);
        let due = threshold.saturating_mul(10_u32.saturating_pow(self.told));
        if elapsed < due {
            return None;
        }
        let polled = seat.running.look();
        let tid = Tid(seat.tid.load(Relaxed));
        let sleeps_in = if activity == ThreadActivity::Blocked {
            tid.sleeps_in()
        } else {
            None
        };
        // Asked last: if it is over by now, there is nothing to tell.
        if seat.running.seq() != self.seq {
            return None;
        }
        self.told += 1;
        Some(Stall {
            polled: polled.map(|(_, polled)| polled),
            elapsed,
            activity,
            sleeps_in,
            tid: tid.0,
            backtrace: None,
            poll: (0, self.seq),
        })
    }
}

/// What a thread does that has been in one poll for `window`. `None`: it waits for a processor, so it is not stuck; or nobody knows how much of the
/// time it has had one, since it was not asked before.
///
/// `lasts` is asked last: to ask takes some microseconds, or more if we have to wait for a processor ourselves. A thread that got one meanwhile has gone
/// on, and may sleep by now because there is nothing to do.
fn activity(
    window: Duration,
    cpu_before: Option<Duration>,
    cpu: Option<Duration>,
    is_runnable: impl FnOnce() -> Option<bool>,
    lasts: impl FnOnce() -> bool,
) -> Option<ThreadActivity> {
    let activity = match (cpu_before, cpu) {
        (Some(before), Some(cpu)) if cpu.saturating_sub(before) >= window / A_GOOD_PART => {
            ThreadActivity::Computing
        }
        (_, Some(_)) => match is_runnable() {
            Some(true) => return None,
            Some(false) => ThreadActivity::Blocked,
            None => ThreadActivity::Unknown,
        },
        (_, None) => ThreadActivity::Unknown,
    };
    lasts().then_some(activity)
}

/// A thread that has had one part in so many of the time computes.
const A_GOOD_PART: u32 = 4;

/// So many threads are asked for what they do, at a look that is for that.
const ASKED_AT_ONCE: usize = 4;

/// A look that comes so much too late does not say how long.
const LATE: Duration = Duration::from_millis(5);

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::panic::Location;

    use super::super::tests::ThreadlessRuntime;
    use super::*;
    use crate::task::Id;

    #[test]
    fn a_thread_that_waits_for_a_processor_is_not_stuck() {
        let ms = Duration::from_millis;
        let first = activity(ms(8), None, Some(ms(102)), || Some(true), || true);
        assert_eq!(first, None, "nobody knows how much of it is of this poll");
        let activity = |cpu, runnable| activity(ms(8), Some(ms(100)), cpu, || runnable, || true);
        assert_eq!(
            activity(Some(ms(102)), Some(true)),
            Some(ThreadActivity::Computing)
        );
        assert_eq!(activity(Some(ms(101)), Some(true)), None);
        assert_eq!(
            activity(Some(ms(101)), Some(false)),
            Some(ThreadActivity::Blocked)
        );
        assert_eq!(activity(Some(ms(100)), None), Some(ThreadActivity::Unknown));
        assert_eq!(activity(None, Some(true)), Some(ThreadActivity::Unknown));
    }

    #[test]
    fn a_thread_that_has_gone_on_while_it_was_asked_for_is_not_stuck() {
        let ms = Duration::from_millis;
        for (cpu, runnable) in [
            (None, Some(true)),
            (Some(ms(102)), Some(true)),
            (Some(ms(100)), Some(false)),
            (Some(ms(100)), None),
        ] {
            let activity = |lasts| activity(ms(8), Some(ms(100)), cpu, || runnable, || lasts);
            assert!(activity(true).is_some() && activity(false).is_none());
        }
    }

    #[test]
    fn nothing_is_told_of_a_poll_that_is_over() {
        let runtime = ThreadlessRuntime::new(1, 0);
        let (seat, now) = (&runtime.shared.seats[0], Instant::now());
        let begin = || seat.running.begin(Id::next(), &Location::caller().into());
        begin();
        let mut seen = Watched::at(seat, now);
        let mut tell = || seen.tell(seat, ThreadActivity::Blocked, now, Duration::ZERO);
        assert!(tell().is_some());
        begin();
        assert!(tell().is_none());
        assert_eq!(seen.told, 1);
    }
}
