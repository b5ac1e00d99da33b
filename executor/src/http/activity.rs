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
    /// Counts whatever happens, so that who looks twice sees whether anything has.
    changes: u64,
}

/// A request, from its head until its answer is handed over, or given up.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Arc<Activity>,
    is_ours: bool,
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

    /// The count of changes if no request is under way.
    pub(super) fn idle(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.requests == 0).then_some(state.changes)
    }

    /// The count of changes if there are requests, and all of them wait for the client.
    pub(super) fn stalled(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.requests > 0 && state.ours == 0).then_some(state.changes)
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
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.activity.change(|state| {
            state.requests -= 1;
            state.ours -= usize::from(self.is_ours);
        });
    }
}
