//! The finalizers of a runtime: clean-up that outlives its task, and that an orderly shutdown waits for.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::State;
use crate::rt_sync::whole::Mutex;
use crate::task::{Id, JoinHandle};

/// Those that run.
#[derive(Default)]
pub(crate) struct Finalizers(Mutex<Vec<JoinHandle<()>>>);

impl Finalizers {
    /// Takes those out that have ended: the caller drops them, which may run code of the user, without the lock.
    fn ended(&self) -> Vec<JoinHandle<()>> {
        self.0
            .lock()
            .extract_if(.., |task| task.is_finished())
            .collect()
    }

    /// Those that run.
    pub(crate) fn ids(&self) -> Vec<Id> {
        drop(self.ended());
        self.0.lock().iter().map(JoinHandle::id).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().iter().all(JoinHandle::is_finished)
    }
}

impl State {
    /// Runs clean-up as a task of the runtime. After the runtime's end it is dropped.
    pub(crate) fn finalize<F>(self: &Arc<Self>, future: F, location: &'static Location<'static>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.finalizers.ended());
        let closed = {
            // With the lock: whoever aborts what is no finalizer must know it from its first poll on. Code of the user runs in the drain only.
            let mut finalizers = self.finalizers.0.lock();
            let (task, closed) = self.scheduler.spawn(future, location);
            finalizers.push(task);
            closed
        };
        if let Some(closed) = closed {
            closed.drain();
        }
    }
}
