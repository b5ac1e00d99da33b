//! The search: how a worker that has nothing of its own finds work at the others' seats.
//!
//! Several passes over all seats, from a random one on, while there is anything to be seen. A queue is halved whenever there is anything in it; a next slot is taken on the last
//! pass only, and only if its owner has been in the same poll since the search began: a healthy owner is about to run what is there.

use super::worker::Worker;
use crate::ledger::{self, Line};
use crate::rt_sync::whole::spin_loop;
use crate::task::Notified;

impl Worker {
    /// Looks for work at the others' seats.
    pub(super) fn search(&self) -> Option<Notified> {
        // Who sleeps has nothing (see `idle`). Another may be waking up: then the look before this worker sleeps finds what it has.
        if self.shared.idle.counts().awake() == 1 {
            return None;
        }
        let mut polls_before = self.polls_before.take();
        let found = self.search_noting(&mut polls_before);
        self.polls_before.set(polls_before);
        found
    }

    /// `polls_before` is room for how many polls each seat had begun at first.
    fn search_noting(&self, polls_before: &mut Vec<u64>) -> Option<Notified> {
        let seats = self.shared.seats.in_use();
        if seats.len() == 1 || !(self.searching.get() || self.shared.idle.start_searching()) {
            return None;
        }
        self.searching.set(true);
        let first = self.next_random() as usize % seats.len();
        let victims = || {
            (first..seats.len())
                .chain(0..first)
                .filter(|&index| index != self.core.index)
        };
        // A next slot is taken only from an owner that is in the same poll for the whole search.
        polls_before.clear();
        polls_before.extend(seats.iter().map(|seat| seat.running.seq()));
        for pass in 0..SEARCH_PASSES {
            let mut in_sight = false;
            for victim in victims() {
                let seat = &seats[victim];
                // Asked first, because a steal pins the epoch even if it finds nothing.
                let (in_slot, in_queue) = (!seat.slot.is_empty(), !seat.stealer.is_empty());
                in_sight |= in_slot || in_queue;
                if in_queue && let Some(task) = seat.stealer.steal_into(&self.core.queue) {
                    // Our queue was empty: the rest of what we took is all there is.
                    self.count_stolen(1 + self.core.queue.len());
                    return Some(task);
                }
                if pass == SEARCH_PASSES - 1
                    && in_slot
                    && polls_before[victim] == seat.running.seq()
                    && let Some(task) = seat.slot.steal()
                {
                    ledger::write(Line::Steal);
                    self.count_stolen(1);
                    return Some(task);
                }
            }
            if let Some(task) = self.next_injected() {
                return Some(task);
            }
            // A pause is 140 cycles on some processors: not if there is nothing to come back for, nor after the last pass.
            if !in_sight {
                break;
            }
            if pass < SEARCH_PASSES - 1 {
                spin_loop();
            }
        }
        None
    }

    pub(super) fn count_stolen(&self, tasks: usize) {
        if tasks > 0 {
            self.seat().counters.steals.add(1);
            self.seat().counters.stolen.add(tasks as u64);
        }
    }

    /// Marsaglia's xorshift: only to begin each search somewhere else.
    fn next_random(&self) -> u32 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        x
    }
}

/// How often a searcher goes round before it sleeps.
const SEARCH_PASSES: usize = 4;
