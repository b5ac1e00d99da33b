//! `Activity`: what is under way on one connection, and whose turn it is.

use std::sync::Arc;

use parking_lot::Mutex;

/// Shared by a connection's task and its requests, which may be in other tasks.
#[derive(Debug, Default)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests whose answer is not all handed over yet.
    requests: usize,
    /// Those of them that wait for the server: for the service, or for more of a body. The others wait for the client to take what there is.
    ours: usize,
    /// Parts of answers that are handed over, and that the connection has not taken down yet, perhaps long after the requests' ends.
    unsent: usize,
    /// Counts whatever happens, so that who looks twice sees whether anything has.
    changes: u64,
}

/// A request, from its head until its answer is handed over, or given up.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Arc<Activity>,
    is_ours: bool,
}

/// A part of an answer that hyper has, until it is sent, or given up.
#[derive(Debug)]
pub(super) struct Unsent {
    activity: Arc<Activity>,
}

impl Activity {
    /// A request has come, and the service is to answer.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.change(|state| {
            state.requests += 1;
            state.ours += 1;
        });
        UnderWay {
            activity: self.clone(),
            is_ours: true,
        }
    }

    /// The count of changes if no request is under way, and all answers are sent.
    pub(super) fn idle(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.requests + state.unsent == 0).then_some(state.changes)
    }

    /// The count of changes if there is something, and all of it waits for the client.
    pub(super) fn stalled(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.requests + state.unsent > 0 && state.ours == 0).then_some(state.changes)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        state.changes += 1;
        change(&mut state);
    }
}

impl UnderWay {
    /// The server has nothing to send: it waits for the service, or for its body.
    pub(super) fn wait_for_server(&mut self) {
        if !self.is_ours {
            self.is_ours = true;
            self.activity.change(|state| state.ours += 1);
        }
    }

    /// There is something to send.
    pub(super) fn wait_for_client(&mut self) {
        let was_ours = std::mem::replace(&mut self.is_ours, false);
        self.activity
            .change(|state| state.ours -= usize::from(was_ours));
    }

    /// There is this to send.
    pub(super) fn hand_over(&mut self) -> Unsent {
        self.wait_for_client();
        self.activity.change(|state| state.unsent += 1);
        Unsent {
            activity: self.activity.clone(),
        }
    }
}

impl Unsent {
    /// Some of it has gone, and not the last of it.
    pub(super) fn shrink(&self) {
        self.activity.change(|_| ());
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.activity.change(|state| state.unsent -= 1);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.activity.change(|state| {
            state.requests -= 1;
            state.ours -= usize::from(self.is_ours);
        });
    }
}
