//! The blocking pool: threads for closures that block, as many as there is demand for, gone again when there is none.
//!
//! | file | concept |
//! |---|---|
//! | `pool` | a queue and its threads: who is called, and when |
//! | `job`  | a closure as a task |
//!
//! Closures come in two lanes, each a pool of its own, so that the one cannot use up the threads of the other:
//!
//! | lane | what | most threads |
//! |---|---|---|
//! | `Closures` | `spawn_blocking`, files, standard output | `Builder::max_blocking_threads` |
//! | `Lookups` | names of hosts | as many, but not more than `MOST_LOOKUPS` |
//!
//! Neither queue has a limit: who spawns faster than the threads run must bound that itself.

mod job;
mod pool;

#[cfg(all(test, loom))]
mod loom_tests;

use std::time::Duration;

pub(crate) use job::{Begun, job};
pub(crate) use pool::{AtClose, Counts, Pool, Submitted};

/// Which pool a closure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What users spawn, and calls on files.
    Closures,
    /// The system's resolver. A network without an answer may keep a thread for tens of seconds, a closure of the user for ever: neither
    /// is to hold the other up.
    Lookups,
}

/// The pools of one runtime.
#[derive(Debug)]
pub(crate) struct Lanes {
    closures: Pool,
    lookups: Pool,
}

impl Lanes {
    pub(crate) fn new(most_threads: usize, keep_alive: Duration) -> Self {
        Self {
            closures: Pool::new(most_threads, keep_alive),
            lookups: Pool::new(most_threads.min(MOST_LOOKUPS), keep_alive),
        }
    }

    pub(crate) fn pool(&self, lane: Lane) -> &Pool {
        match lane {
            Lane::Closures => &self.closures,
            Lane::Lookups => &self.lookups,
        }
    }

    pub(crate) fn all(&self) -> [&Pool; 2] {
        [&self.closures, &self.lookups]
    }
}

/// The most threads that look names up. Each waits for the network: more of them than a resolver answers at once gain nothing.
const MOST_LOOKUPS: usize = 64;
