//! The queues of a worker, behind one small interface: its own FIFO, the thieves' end of it, the injector, and the next slot.
//!
//! The FIFOs are crossbeam's. Three facts about them that callers must know: `pop` is a read-modify-write on the line that thieves
//! read; a steal pins the epoch even if it finds nothing, so thieves ask `is_empty` first; a steal may say `Retry`, which is
//! neither "empty" nor a task. Under `cfg(loom)` and `cfg(shuttle)` a model queue with the same three answers stands in (`model`).

mod slot;

#[cfg(not(any(loom, shuttle)))]
mod crossbeam;
#[cfg(any(loom, shuttle))]
mod model;
#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

#[cfg(not(any(loom, shuttle)))]
pub(crate) use self::crossbeam::{Injector, Local, Stealer};
#[cfg(any(loom, shuttle))]
pub(crate) use self::model::{Injector, Local, Stealer};
pub(crate) use slot::{OneWord, Slot};
