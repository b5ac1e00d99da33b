//! One thread's sleep: it ends when somebody wakes the thread, or at a deadline. Locks and threads are made of it.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::world::{self, Fault, happens};

/// Made by who is about to sleep, for one sleep.
#[derive(Debug)]
pub(super) struct Bed {
    thread: shuttle::thread::Thread,
    /// `None`: asleep. The lock is real, and never held where threads switch.
    end: Mutex<Option<End>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Woken,
    TimedOut,
}

impl Bed {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            thread: shuttle::thread::current(),
            end: Mutex::new(None),
        })
    }

    pub(super) fn is_asleep(&self) -> bool {
        self.end.lock().is_none()
    }

    /// Sleeps until woken, or until the clock has reached `deadline`.
    pub(super) fn sleep(self: &Arc<Self>, deadline: Option<Instant>) -> End {
        let alarm = deadline.map(|deadline| world::set_alarm(self, deadline));
        let end = loop {
            if let Some(end) = *self.end.lock() {
                break end;
            }
            // Whatever else ends this changes nothing: only `end` counts.
            shuttle::thread::park();
        };
        drop(alarm);
        end
    }

    /// What comes first ends the sleep; what comes later has no effect.
    pub(super) fn end(&self, end: End) {
        if end == End::Woken && happens(Fault::LateWake) {
            for _ in 0..8 {
                super::switch();
            }
        }
        self.end.lock().get_or_insert(end);
        self.thread.unpark();
    }
}
