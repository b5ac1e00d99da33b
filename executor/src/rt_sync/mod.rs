//! The one shim over atomics, cells, locks, threads and the clock: the real ones, or a model checker's.
//!
//! There are two sets of names. What loom models are made of takes `rt_sync` itself; the rest, statics among it, takes `whole`, which is real
//! for loom: no loom model builds it.

#[cfg(loom)]
mod modelled;
// Of the names that loom has, too, `whole` needs only some.
#[cfg_attr(loom, allow(dead_code, unused_imports))]
mod real;

#[cfg(loom)]
pub(crate) use modelled::*;
#[cfg(not(loom))]
pub(crate) use real::*;

/// For what only runs as a part of a whole runtime.
pub(crate) mod whole {
    pub(crate) use super::real::*;
}
