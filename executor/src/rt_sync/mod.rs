//! The one shim over atomics, cells, locks, threads and the clock: the real ones, or a model checker's.
//!
//! There are two sets of names. What loom models are made of takes `rt_sync` itself; the rest, statics among it, takes `whole`, which is real
//! for loom: no loom model builds it. For shuttle, which runs whole runtimes, both are simulated.
//!
//! Who shares something with another thread, waits, or asks for the time, takes it from here: what does not come from here, a
//! simulation cannot see, and a run of it cannot be repeated.

#[cfg_attr(loom, allow(dead_code))]
mod cell;
#[cfg(loom)]
mod modelled;
// Of the names that loom has, too, `whole` needs only some.
#[cfg(not(shuttle))]
#[cfg_attr(loom, allow(dead_code, unused_imports))]
mod real;
#[cfg(shuttle)]
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
pub(crate) mod simulated;

#[cfg(loom)]
pub(crate) use modelled::*;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use real::*;
#[cfg(shuttle)]
pub(crate) use simulated::*;

/// For what only runs as a part of a whole runtime.
pub(crate) mod whole {
    #[cfg(not(shuttle))]
    pub(crate) use super::real::*;
    #[cfg(shuttle)]
    pub(crate) use super::simulated::*;
}
