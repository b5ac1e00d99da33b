//! Servers on each runtime, and on none, under the same load in turn.
//!
//! ```text
//!   parent ──starts──▶ server on executor   (lives for a few rounds, asleep while the others are loaded)
//!     │    ──starts──▶ server on tokio, smol, mio
//!     │
//!     └────starts──▶ load, once a round ══ connections ══▶ one of the servers
//!              ◀── ready ──   all connections are open, and have exchanged something
//!              ───  go  ──▶   what the server has used so far is noted
//!              ◀─ results ─   and again, when the load has heard the last answer
//! ```
//!
//! The parent asks the loaded server for its resource usage before and after the round: the machine is the same, but what the load
//! costs and how the two share the processors differs from round to round, so what the server spends for each request says more
//! than how many requests there were.
//!
//! | file | concept |
//! |---|---|
//! | `service` | what servers do, and who has such a server |
//! | `wire` | a runtime's own way to read, write, accept |
//! | `conversation` | what a server says to the bytes it gets |
//! | `serve` | the servers, generic over the runtime |
//! | `floor` `awaited` `tasks` `shared` | the same servers without a runtime; with futures; with tasks; and with sockets that all threads share |
//! | `client/` | who asks: a connection, one after the other, a UDP socket |
//! | `load` `closed` `open` `seen` | the load: its process, when it asks, what it has seen |
//! | `round` `compare` `metrics` | rounds of it, alternating, and what they show |
//! | `idle` | connections that do nothing |
//! | `perf` `calls` `samples` | perf on a server; its system calls, and its user time by samples |

mod awaited;
mod calls;
mod client;
mod closed;
mod compare;
mod conversation;
mod floor;
mod idle;
mod load;
mod metrics;
mod open;
mod perf;
mod round;
mod samples;
mod seen;
mod serve;
mod service;
mod shared;
mod tasks;
mod wire;

pub(crate) use compare::compare;
pub(crate) use idle::compare as compare_idle;
pub(crate) use load::load_child;
pub(crate) use round::Server;
pub(crate) use seen::{LATE, LOAD};
pub(crate) use service::{FLOOR, FLOORS, Service, serve_child};
pub(crate) use wire::{SmolIo, Wire};
