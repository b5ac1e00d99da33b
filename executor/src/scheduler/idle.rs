//! Decides who sleeps and who is woken.
//!
//! ```text
//!   awake ──no work in own queues──▶ searching ──none found──▶ asleep (in `sleepers`) ──woken──▶ searching ──work found──▶ awake
//!                                                              asleep ──its own poll ended───────────────────────────────▶ awake
//!   awake ──retires──▶ (no worker)        (no worker) ──enrolled by the guard──▶ awake
//! ```
//! Invariant: if a task is in any queue, some worker is awake, or about to be.
//!
//! ```text
//!   who pushes                                   who falls asleep
//!   P1  push to a queue                          S1  enter `sleepers`, leave the counts
//!   P2  fence(SeqCst)                            S2  fence(SeqCst)
//!   P3  read the counts: nobody searches and     S3  look at all queues once more;
//!       somebody sleeps? then wake one               anything there? then leave `sleepers` and go on
//! ```
//! The pattern is Dekker's: each side writes, fences, and reads what the other wrote, so one of them sees the other.
//!
//! Proof sketch. Let the push be the last one before all workers sleep, and W the last worker to pass S2. Either P2 comes before W's S2:
//! then S3 sees the pushed task. Or S2 comes before P2: then P3 sees W's S1. If P3 wakes nobody because somebody searches, that
//! searcher has S1 before it, so its own S3 sees the task, or it found other work: then, as the last searcher, it leaves the counts, fences,
//! and looks at all queues, as one who falls asleep does, and calls somebody if there is anything (`stop_searching` says so). If P3 wakes
//! nobody because nobody sleeps, some worker is awake and will look everywhere before it sleeps. A task in a worker's own queue is run
//! by its owner, who is awake and looks there first, but the owner's next poll may block, so it is announced as any other. Not announced are those of a batch
//! of events that will be done before a thread that is called would be up, as it seems (see `Pace::keep`): when they have taken
//! longer their owner calls, and if its poll does block the guard.
//!
//! A worker's own queue, and its next slot, are empty when it falls asleep, and only it fills them. So who comes last looks at the injector alone
//! in S3, and a worker that is the only one awake need not search: the lock of `sleepers` orders what the others did before their S1.
//!
//! Who moves tasks from one queue to another is a pusher, too: S3 does not see what is in its hand. As a searcher it calls when it stops
//! searching; as one who does not search, once they are in its own queue (`Worker::announce_taken`).
//!
//! A spare worker retires as if it fell asleep, S1 to S3, but for that it cannot go on if it sees work: it calls somebody else, as a pusher
//! does. Its own queue it has emptied before S1, into the injector. One that is enrolled counts as awake before its thread is there; it will
//! look everywhere, as any worker that is awake.
//!
//! Counts change only under the lock of `sleepers`, but for searching, which any awake worker may start and stop. So "in
//! `sleepers`" and "not counted as awake" are one thing for whoever holds the lock. They are one word, so that a look at them is of one
//! moment.
//!
//! Why not wake one worker per push: workers would thrash between sleep and a search that finds nothing. Why at most half of the
//! awake workers search: searchers read the lines that the others write.

use crossbeam_utils::CachePadded;

use crate::ledger::{self, Line};
use crate::rt_sync::Mutex;
use crate::rt_sync::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::atomic::{AtomicU64, fence};

/// Who is awake. Written when workers fall asleep, wake or search, only read while all are busy.
#[derive(Debug)]
pub(crate) struct Idle {
    counts: CachePadded<AtomicU64>,
    /// The workers that sleep, the latest last: it is woken first, its cache is the warmest.
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug)]
struct Sleepers {
    workers: Vec<usize>,
    /// How many ever left.
    left: u64,
}

/// A value of the counts: the workers there are, how many of them are awake, and how many of those search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts(u64);

/// How a worker left `sleepers`.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) enum Left {
    /// It was still there, and is awake now. True: it is the first one awake.
    Myself { first: bool },
    /// Somebody had taken it out, and counted it as awake and searching.
    Woken,
}

const SEARCHING: u64 = 1;
const AWAKE: u64 = 1 << FIELD;
const WORKER: u64 = 1 << (2 * FIELD);
/// The bits of each number.
const FIELD: u32 = 20;

impl Idle {
    /// All workers start awake.
    pub(crate) fn new(workers: usize) -> Self {
        debug_assert!(workers < 1 << FIELD);
        Self {
            counts: CachePadded::new(AtomicU64::new(workers as u64 * (WORKER + AWAKE))),
            sleepers: Mutex::new(Sleepers {
                workers: Vec::with_capacity(workers),
                left: 0,
            }),
        }
    }

    /// There is one more worker. It counts as awake, so the caller must see to it that it comes, or let it `retire`.
    pub(crate) fn enroll(&self) {
        ledger::lock(Line::Sleepers);
        let mut sleepers = self.sleepers.lock();
        ledger::write(Line::IdleCounts);
        self.counts.fetch_add(WORKER + AWAKE, Relaxed);
        // For who compares: somebody is awake who was not.
        sleepers.left += 1;
    }

    /// S1 and S2 for a worker that leaves for good. The caller must look at all queues, and wake somebody if there is anything.
    pub(crate) fn retire(&self, searching: bool) {
        {
            ledger::lock(Line::Sleepers);
            let _sleepers = self.sleepers.lock();
            let searching = if searching { SEARCHING } else { 0 };
            ledger::write(Line::IdleCounts);
            self.counts.fetch_sub(WORKER + AWAKE + searching, Relaxed);
        }
        // Pairs with the fence in `should_wake`, as that in `sleep`.
        fence(SeqCst);
    }

    /// P2 and P3: true if somebody should be woken for work that the caller has just pushed.
    #[inline]
    pub(crate) fn should_wake(&self) -> bool {
        // Pairs with the fence in `sleep`: see the top of this file.
        fence(SeqCst);
        self.nobody_looks()
    }

    /// P3, for a caller who has fenced since its push.
    #[inline]
    pub(crate) fn nobody_looks(&self) -> bool {
        let counts = self.counts();
        counts.searching() == 0 && counts.awake() < counts.workers()
    }

    /// Takes up to `most` sleepers out, counting them as awake and searching. The caller must unpark each of them. Returns true
    /// if nobody was awake before.
    pub(crate) fn wake(&self, most: usize, mut each: impl FnMut(usize)) -> bool {
        let mut woken = [0; 8];
        let mut count = 0;
        let first = {
            ledger::lock(Line::Sleepers);
            let mut sleepers = self.sleepers.lock();
            while count < most.min(woken.len()) {
                let Some(worker) = sleepers.pop() else { break };
                woken[count] = worker;
                count += 1;
            }
            let woken = count as u64 * (AWAKE + SEARCHING);
            ledger::write(Line::IdleCounts);
            let before = Counts(self.counts.fetch_add(woken, Relaxed));
            count > 0 && before.awake() == 0
        };
        // Unparking may call into the system: not under the lock.
        woken[..count].iter().for_each(|&worker| each(worker));
        first
    }

    /// As `wake(1, ..)`, if still nobody searches. Of many pushers at once, one wakes somebody.
    pub(crate) fn wake_one(&self, mut each: impl FnMut(usize)) -> bool {
        let worker = {
            ledger::lock(Line::Sleepers);
            let mut sleepers = self.sleepers.lock();
            if self.counts().searching() > 0 {
                return false;
            }
            sleepers.pop().map(|worker| {
                ledger::write(Line::IdleCounts);
                (
                    worker,
                    Counts(self.counts.fetch_add(AWAKE + SEARCHING, Relaxed)).awake() == 0,
                )
            })
        };
        let Some((worker, first)) = worker else {
            return false;
        };
        each(worker);
        first
    }

    /// True: the caller now counts as searching. False: enough others do.
    #[must_use]
    pub(crate) fn start_searching(&self) -> bool {
        let counts = self.counts();
        if 2 * counts.searching() >= counts.awake() {
            return false;
        }
        // Two may pass the check at once: the limit is there for speed, not for truth.
        ledger::write(Line::IdleCounts);
        self.counts.fetch_add(SEARCHING, Relaxed);
        true
    }

    /// As `start_searching`, beyond the limit, for a worker that has seen the work it is after.
    pub(crate) fn force_searching(&self) {
        ledger::write(Line::IdleCounts);
        self.counts.fetch_add(SEARCHING, Relaxed);
    }

    /// The caller has found work. True: it was the last searcher, and should look at all queues, and wake another if there is more (P2, P3).
    #[must_use]
    pub(crate) fn stop_searching(&self) -> bool {
        ledger::write(Line::IdleCounts);
        let last = Counts(self.counts.fetch_sub(SEARCHING, Relaxed)).searching() == 1;
        if last {
            // Pairs with the fence of P2: who saw us search has pushed before, and the caller's look sees it.
            fence(SeqCst);
        }
        last
    }

    /// S1 and S2. The caller must look at all queues before it really sleeps.
    /// True: no worker is awake now.
    pub(crate) fn sleep(&self, worker: usize, searching: bool) -> bool {
        let last = {
            ledger::lock(Line::Sleepers);
            let mut sleepers = self.sleepers.lock();
            let searching = if searching { SEARCHING } else { 0 };
            ledger::write(Line::IdleCounts);
            let before = Counts(self.counts.fetch_sub(AWAKE + searching, Relaxed));
            sleepers.workers.push(worker);
            before.awake() == 1
        };
        // Pairs with the fence in `should_wake`, and with those of the duty's releaser, of the guard, and of who pauses the clock.
        fence(SeqCst);
        last
    }

    /// The caller, who called `sleep`, is up again.
    pub(crate) fn leave(&self, worker: usize) -> Left {
        ledger::lock(Line::Sleepers);
        let mut sleepers = self.sleepers.lock();
        // From the end: the latest sleepers are the likeliest to be up first.
        let position = sleepers
            .workers
            .iter()
            .rposition(|&sleeper| sleeper == worker);
        match position {
            Some(position) => {
                sleepers.workers.remove(position);
                sleepers.left += 1;
                ledger::write(Line::IdleCounts);
                Left::Myself {
                    first: Counts(self.counts.fetch_add(AWAKE, Relaxed)).awake() == 0,
                }
            }
            None => Left::Woken,
        }
    }

    /// If all workers sleep, a number that changes whenever one stops.
    pub(crate) fn all_asleep(&self) -> Option<u64> {
        ledger::lock(Line::Sleepers);
        let sleepers = self.sleepers.lock();
        (self.counts().awake() == 0).then_some(sleepers.left)
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts(self.counts.load(Relaxed))
    }
}

impl Sleepers {
    fn pop(&mut self) -> Option<usize> {
        let worker = self.workers.pop()?;
        self.left += 1;
        Some(worker)
    }
}

impl Counts {
    pub(crate) fn workers(self) -> usize {
        (self.0 / WORKER) as usize
    }

    pub(crate) fn awake(self) -> usize {
        (self.0 / AWAKE) as usize % (1 << FIELD)
    }

    pub(crate) fn searching(self) -> usize {
        (self.0 % AWAKE) as usize
    }
}
