//! Cooperative cancellation: a request, and the stretches of futures that hear of it.
//!
//! ```text
//!   task ── Scope ◀─ waits in ── Region (or_cancelled) ─ polls ─▶ step1()
//!             ▲
//!             └──── linked ───── Region (CancelScope::run) ── Scope ◀─ waits in ── Region ─ polls ─▶ step2()
//! ```
//!
//! A `Scope` is a request that has come or not, and a list of who is to be told. Each task has one, and so has each region that has others inside; both
//! are made when the first region waits in them. A region that waits keeps its scope *live*. The one rule, for a task as for a region: when
//! what it polls returns `Pending`, its cancellation is requested, and nothing inside is live, then it is dropped.
//!
//! | file | concept |
//! |---|---|
//! | `cancelled` | what was requested, by whom and where |
//! | `scope` | the request, and who is told of it |
//! | `runner` | how a request wakes the future that runs in a scope |
//! | `word` | what is known of a scope without its lock |
//! | `level` | which scope the code that runs belongs to |
//! | `around` | which deadlines tasks have from outside |
//! | `region` | the life of a stretch of code that is told |
//! | `rare` | what few of the above have |

mod around;
mod cancelled;
mod level;
mod rare;
mod region;
mod runner;
mod scope;
mod word;

#[cfg(all(test, loom))]
mod loom_tests;

pub use cancelled::Cancelled;

pub(crate) use around::{Around, effective_deadline};
pub(crate) use level::{Deadline, is_inside, nearest_request};
pub(crate) use rare::Rare;
pub(crate) use region::Region;
pub(crate) use runner::Runner;
pub(crate) use scope::Scope;
