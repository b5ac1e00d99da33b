//! Whole runtimes in simulations: all of the shipped code but reactor and queues, under schedules, clocks and faults that follow from a
//! seed (`rt_sync::simulated`). `ci/shuttle` runs them.
//!
//! Not shipped: crossbeam's queues (`queue::model`), the reactor (`driver::simulated`), and threads, locks and the clock themselves. A wake-up
//! that is lost shows as a deadlock, which shuttle reports, or as time that passes: where a model has a timer, it has one that is an
//! hour away, too, and the clock gets there only if nothing else can happen.
//!
//! Most of them run without the guard, which would make good after a while what the idle protocol had lost.

mod blocking;
mod current_thread;
mod guard;
mod handles;
mod idle;
mod paused;
mod shutdown;
mod support;
mod timers;
