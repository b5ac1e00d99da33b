//! The contention ledger: under `--cfg executor_ledger`, counts the writes to lines that several workers share.
//!
//! What counts is a read-modify-write: it needs its line alone, and with many processors the line comes from another one's cache. A lock that
//! is taken and given back is two. Plain stores and loads are not counted: who stores does not wait for the line. Nor are lines that one worker
//! writes in the ordinary course: its own queue, slot, counters, list of tasks, wheel and stock of ids, a task's state word, a connection's
//! readiness. Left out as well is what no task does day by day: seats that are handed over, spare workers, errands of the guard, the end.
//!
//! Without the flag the functions are empty. With it each call writes a line that everybody shares: such a build counts, and is good for no times.
//!
//! crossbeam-deque's costs are those that its source shows (`deque.rs` of 0.8.8), for a call that meets nobody. One that does repeats its
//! compare-exchange: where the crate does so inside, as in `push`, the repetition is not seen here.
//!
//! | call | read-modify-writes | counted |
//! |---|---|---|
//! | `Worker::push` | none: a fence and a store | |
//! | `Worker::pop`, first in first out | `fetch_add` on `front`, the owner's line, which thieves read | no, see above |
//! | `Stealer::steal`, `steal_batch_and_pop` | if not empty, one compare-exchange on the victim's `front` for the whole batch; the epoch is pinned by one on the thread's own line (crossbeam-epoch 0.9.21, `internal.rs`), and every 128th pin looks at all threads | 1, also if it must be repeated |
//! | `Injector::push` | compare-exchange on `tail.index`, `fetch_or` on the slot's state | 2 |
//! | `Injector::steal` | if not empty, compare-exchange on `head.index`, `fetch_or` on the slot's state | 2 |
//! | `Injector::steal_batch`, `.._and_pop` | the same with a `fetch_or` for each task that is taken | 1 and 1 for each task |
//! | `is_empty`, `len` | none | |

// Not through the shim: what is counted orders nothing, and a static may not be a model's.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The build counts.
pub(crate) const COUNTS: bool = cfg!(executor_ledger);

/// A kind of line that several workers write.
#[derive(Clone, Copy, Debug)]
// The models have queues of their own.
#[cfg_attr(any(loom, shuttle), allow(dead_code))]
pub(crate) enum Line {
    /// How many workers are awake, and search.
    IdleCounts,
    /// The list of those that sleep, and its lock.
    Sleepers,
    Injector,
    /// The number of the next block of task ids, one for the process.
    Ids,
    /// The counters of what threads do that are no workers.
    Foreign,
    /// The reference count of what the workers of a runtime share.
    Runtime,
    /// The right to turn the reactor.
    Duty,
    BlockingPool,
    /// The lock of the blocks of memory that one thread leaves for another, see `task::memory`.
    TaskMemory,
    /// A worker's parker, which others unpark.
    Parker,
    /// The queue or the next slot of another worker, from which this one steals.
    Steal,
    /// The list of tasks at another worker's seat.
    TaskList,
    /// The count of references to a wheel of threads that are no workers. `driver` adds the locks of wheels.
    ForeignWheel,
}

/// A read-modify-write.
#[inline(always)]
pub(crate) fn write(line: Line) {
    writes(line, 1);
}

/// A lock taken, and given back.
#[inline(always)]
pub(crate) fn lock(line: Line) {
    writes(line, 2);
}

#[inline(always)]
pub(crate) fn writes(line: Line, count: usize) {
    if COUNTS {
        WRITES[line as usize].fetch_add(count as u64, Relaxed);
    }
}

/// One kind of line, and how many writes there were since the process began, in all its runtimes.
#[cfg(executor_ledger)]
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What the line is.
    pub line: &'static str,
    /// All workers of a runtime write the same one. Else it belongs to one worker, and others come by.
    pub of_all: bool,
    /// The read-modify-writes.
    pub writes: u64,
}

#[cfg(executor_ledger)]
pub(crate) fn entries() -> Vec<Entry> {
    let entry = |line: Line, name, of_all| Entry {
        line: name,
        of_all,
        writes: WRITES[line as usize].load(Relaxed),
    };
    vec![
        entry(Line::IdleCounts, "idle counts", true),
        entry(Line::Sleepers, "sleepers", true),
        entry(Line::Injector, "injector", true),
        entry(Line::Ids, "id blocks", true),
        entry(Line::Foreign, "foreign counters", true),
        entry(Line::Runtime, "reference count", true),
        entry(Line::Duty, "duty", true),
        entry(Line::BlockingPool, "blocking pool", true),
        entry(Line::TaskMemory, "task memory", true),
        entry(Line::ForeignWheel, "foreign wheel", true),
        entry(Line::Parker, "parker", false),
        entry(Line::Steal, "stolen from", false),
        entry(Line::TaskList, "other's task list", false),
    ]
}

static WRITES: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];
const KINDS: usize = Line::ForeignWheel as usize + 1;
