//! The finalizers of a runtime: clean-up that outlives its task, and that an orderly shutdown waits for.

use std::collections::HashSet;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use slab::Slab;

use super::State;
use crate::rt_sync::whole::Mutex;
use crate::task::{Id, JoinHandle};

/// Those that run. Each takes itself out at its end.
#[derive(Default)]
pub(crate) struct Finalizers(Mutex<Slab<JoinHandle<()>>>);

impl Finalizers {
    /// Those that run.
    pub(crate) fn ids(&self) -> HashSet<Id> {
        self.0.lock().iter().map(|(_, task)| task.id()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// Held by a finalizer's future.
struct Place {
    finalizers: Arc<Finalizers>,
    key: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may run code of the user when it is dropped: not under the lock.
        let handle = self.finalizers.0.lock().try_remove(self.key);
        drop(handle);
    }
}

impl State {
    /// Runs clean-up as a task of the runtime. After the runtime's end it is dropped.
    pub(crate) fn finalize<F>(self: &Arc<Self>, future: F, location: &'static Location<'static>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let closed = {
            // With the lock: whoever aborts what is no finalizer must know it from its first poll on, and it must not leave before it is in. Code of
            // the user runs in the drain only.
            let mut finalizers = self.finalizers.0.lock();
            let entry = finalizers.vacant_entry();
            let place = Place {
                finalizers: self.finalizers.clone(),
                key: entry.key(),
            };
            let future = async move {
                let _place = place;
                future.await;
            };
            let (task, closed) = self.scheduler.spawn(future, location);
            entry.insert(task);
            closed
        };
        if let Some(closed) = closed {
            closed.drain();
        }
    }
}
