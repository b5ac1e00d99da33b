//! The threads that have no seat and wait for something to do: those that handed theirs over, for a while, before they end.
//!
//! A call reaches one thread. The caller sets a waiting thread aside, under the lock, by leaving the call for it: then as many
//! threads wait as are free and as there are calls, so whoever wakes for whatever reason and finds a call may take it. A thread
//! that gives up looks once more, under the lock, before it leaves.

use std::collections::VecDeque;
use std::time::Duration;

use crate::rt_sync::{Condvar, Mutex, wait_for};

#[derive(Debug)]
pub(super) struct Spares<C> {
    state: Mutex<State<C>>,
    /// A call, or the end.
    changed: Condvar,
    keep_alive: Duration,
}

#[derive(Debug)]
struct State<C> {
    /// What threads were called for and have not taken yet.
    calls: VecDeque<C>,
    /// The threads that wait and were not called.
    free: usize,
    closed: bool,
}

impl<C> Spares<C> {
    pub(super) fn new(keep_alive: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                calls: VecDeque::new(),
                free: 0,
                closed: false,
            }),
            changed: Condvar::new(),
            keep_alive,
        }
    }

    /// Calls a thread. False: none waits.
    #[must_use]
    pub(super) fn call(&self, call: C) -> bool {
        let mut state = self.state.lock();
        if state.free == 0 {
            return false;
        }
        state.free -= 1;
        state.calls.push_back(call);
        drop(state);
        self.changed.notify_one();
        true
    }

    /// Waits for a call. `None`: none came for as long as a thread is kept, or the runtime ends.
    pub(super) fn wait(&self) -> Option<C> {
        let mut state = self.state.lock();
        state.free += 1;
        loop {
            // Whoever left the call has taken one of us out of `free`.
            if let Some(call) = state.calls.pop_front() {
                return Some(call);
            }
            if state.closed {
                break;
            }
            let timed_out;
            (state, timed_out) = wait_for(&self.changed, state, self.keep_alive);
            if timed_out && state.calls.is_empty() {
                break;
            }
        }
        state.free -= 1;
        None
    }

    /// The threads that wait end, and no other waits from now on.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}
