//! Tests of what the guard and a searching worker decide, in a runtime that has no threads but those of the test.

mod guard;
mod reserve;
mod search;
mod shutdown;
mod watch;

use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::hand_over::Call;
use super::home::Home;
use super::{Config, Core, Failures, Shared, StallConfig};
use crate::driver::MostEvents;
use crate::rt_sync::Mutex;
use crate::task::{self, Id, Notified, Observer};

/// The test is its workers and its guard, one step after the other.
pub(super) struct ThreadlessRuntime {
    pub(super) shared: Arc<Shared>,
    /// Of the workers that are no spare ones.
    pub(super) cores: Vec<Core>,
    system: Arc<System>,
}

/// Whom threads are asked from.
#[derive(Default)]
struct System {
    refuses: AtomicBool,
    /// The seats that threads were asked for.
    seats: Mutex<Vec<usize>>,
}

impl ThreadlessRuntime {
    pub(super) fn new(workers: usize, spare_workers: usize) -> Self {
        Self::telling(workers, spare_workers, StallConfig::default())
    }

    fn telling(workers: usize, spare_workers: usize, stalls: StallConfig) -> Self {
        let config = Config {
            workers,
            spare_workers,
            current_thread: false,
            start_paused: false,
            stalls,
            keep_alive: Duration::ZERO,
            most_polls: 64,
            most_events: MostEvents {
                of_a_turn: 8,
                of_a_look: None,
            },
            on_park: None,
            on_unpark: None,
            failures: Failures::new(Observer::default(), false),
            debug: None,
        };
        let (shared, cores) = Shared::new(config).unwrap();
        let system = Arc::<System>::default();
        let asked = system.clone();
        shared.set_start_spare(Box::new(move |call| {
            if let Call::Seat(seat) = call {
                asked.seats.lock().push(seat);
            }
            if asked.refuses.load(Relaxed) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        }));
        Self {
            shared,
            cores,
            system,
        }
    }

    /// The seats that threads were asked for since this was last called.
    fn threads_asked_for(&self) -> Vec<usize> {
        std::mem::take(&mut self.system.seats.lock())
    }

    /// A poll begins that nothing is known of but that it has begun: the system says nothing of a thread that is not there.
    fn begin_poll(&self, seat: usize) {
        self.begin_poll_on(seat, NO_THREAD);
    }

    fn begin_poll_on(&self, seat: usize, thread: u32) {
        let seat = &self.shared.seats[seat];
        seat.tid.store(thread, Relaxed);
        seat.running.begin(Id::next(), &Location::caller().into());
    }
}

impl Drop for ThreadlessRuntime {
    fn drop(&mut self) {
        // Its lists of tasks keep it alive until then.
        self.shared.close();
        self.shared.drain();
    }
}

/// More than any system counts to.
const NO_THREAD: u32 = 0x0fff_ffff;

fn a_task() -> Notified {
    task::new(async {}, Home::nowhere(), Id::next(), Location::caller()).0
}
