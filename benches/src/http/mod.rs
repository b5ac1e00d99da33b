//! A plain-text HTTP server on each runtime, under the same load in turn.
//!
//! ```text
//!   parent ──starts──▶ server on executor   (lives for all rounds, asleep while the other is loaded)
//!     │    ──starts──▶ server on tokio
//!     └────starts──▶ load, once a round ══ connections ══▶ one of the two
//! ```
//!
//! The parent asks the loaded server for its resource usage before and after the round: the machine is the same, but what the load
//! costs and how the two share the processors differs from round to round, so what the server spends for each request says more
//! than how many requests there were.

mod compare;
mod load;
mod round;
mod server;

pub(crate) use compare::compare;
pub(crate) use load::load_child;
pub(crate) use round::Server;
pub(crate) use server::{serve, serve_child};
