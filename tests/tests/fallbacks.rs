//! What `ci/fallbacks` runs: of the modules in `all.rs` those of what other systems of Unix do in another way, since flags of its own mean a build
//! of its own.

#![cfg(executor_fallbacks)]
// What only the others take.
#![allow(dead_code, unused_imports)]

mod async_fd;
mod durations;
mod graceful_shutdown;
mod idle;
mod intervals;
mod lost_wakes;
mod panics;
mod paused_clock;
mod pipes;
mod process;
mod sendfile;
mod shutdown;
mod signals;
mod splice;
mod stalls;
mod support;
mod tcp;
mod tcp_faults;
mod timers;
mod two_runtimes;
mod udp;
mod unix_datagrams;
