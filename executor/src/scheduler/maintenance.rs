//! What a busy worker does between tasks for those who cannot push to its queue: the injector, timers, the reactor, and a worker
//! that does not get on.

use std::task::Waker;
use std::time::Instant;

use super::pace;
use super::worker::Worker;
#[cfg(feature = "test-util")]
use super::{Shared, batch::wake_all, current};
use crate::ledger::{self, Line};
use crate::rt_sync::whole;

impl Worker {
    #[cold]
    pub(super) fn maintain(&self) {
        let driver = &self.shared.driver;
        let real = whole::now();
        let now = driver.clock().at(real);
        self.core.pace.restart(self.count_busy(real));
        // Remote work first: a worker with an endless local queue would never see it.
        self.take_injected();
        let mut wakers = self.wakers.take();
        if let Some(number) = self.number() {
            driver.fire_wheel(number, now, &mut wakers);
        } else {
            self.is_leaving();
        }
        // Whom an event wakes would wait behind the others.
        if driver.is_stale(real, self.core.pace.estimate(self.core.queue.len())) {
            self.look(&mut wakers);
        }
        self.wake_batch(wakers);
        self.announce_kept();
        self.rescue(real);
    }

    /// Moves what waits in the injector behind this worker's own tasks: not one batch only, or remote tasks would be done at so many in each
    /// interval, however short they are; nor all, or those that come from outside for ever would be all that is done here.
    fn take_injected(&self) {
        let injector = &self.shared.injector;
        if injector.is_empty() {
            return;
        }
        for _ in 0..MOST_BATCHES {
            injector.move_into(&self.core.queue);
            if injector.is_empty() {
                break;
            }
        }
        self.announce_taken();
    }

    /// What was kept of a batch of events was more than it seemed.
    fn announce_kept(&self) {
        if self.core.pace.take_overdue() && self.core.queue.len() > 0 {
            self.shared.wake_for_work();
        }
    }

    /// Takes work from a worker that has been in one poll since we began to watch it: its thread blocks, computes, or was preempted,
    /// which two workers that share a processor do to each other for milliseconds. A thief that has work of its own would not
    /// come otherwise. One worker is watched at a time.
    fn rescue(&self, now: Instant) {
        let (victim, polls, since) = self.watched.get();
        // Not from one maintenance to the next: where polls are short that is a microsecond or two, and the other worker may be in its own maintenance,
        // or in an interrupt. Work that is taken from who gets on costs both.
        if now.saturating_duration_since(since) < pace::TARGET {
            return;
        }
        let seats = self.shared.seats.in_use();
        let seat = &self.shared.seats[victim];
        if victim != self.core.index && seat.running.seq() == polls {
            let queued = self.core.queue.len();
            let stolen = if seat.stealer.is_empty() {
                None
            } else {
                seat.stealer.steal_into(&self.core.queue)
            };
            stolen
                .into_iter()
                .chain(seat.slot.steal().inspect(|_| ledger::write(Line::Steal)))
                .for_each(|task| self.core.queue.push(task));
            let taken = self.core.queue.len().saturating_sub(queued);
            self.count_stolen(taken);
            if taken > 0 {
                self.announce_taken();
            }
        }
        let next = (victim + 1) % seats.len();
        self.watched.set((next, seats[next].running.seq(), now));
    }

    /// Collects whom the outside world wakes, if nobody else is about to.
    fn look(&self, wakers: &mut Vec<Waker>) {
        if let Some(mut duty) = self.shared.driver.try_duty() {
            duty.look(wakers);
        }
    }
}

#[cfg(feature = "test-util")]
impl Shared {
    /// Fires what is due now, in the order of the deadlines, for a caller that has moved the clock.
    pub(crate) fn fire_due(&self) {
        let now = self.driver.clock().now();
        while let Some(deadline) = self.driver.next_deadline().filter(|&due| due <= now) {
            current::with(
                |worker| match worker.filter(|worker| worker.belongs_to(self)) {
                    Some(worker) => {
                        let mut wakers = worker.wakers.take();
                        self.driver.fire_all(deadline, &mut wakers);
                        worker.wake_batch(wakers);
                    }
                    None => {
                        let mut wakers = Vec::new();
                        self.driver.fire_all(deadline, &mut wakers);
                        wake_all(&mut wakers);
                    }
                },
            );
        }
    }
}

/// Batches from the injector at one maintenance, of some 30 tasks each.
const MOST_BATCHES: usize = 8;
