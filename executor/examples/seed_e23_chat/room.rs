//! `Room`: who is here, and a queue for each. Nobody waits for anybody in it.
//!
//! What finds a queue full is dropped for that guest alone, who is told how many lines were missed. So memory is bounded: the length of a queue
//! times that of the longest line, for each guest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use executor::sync::mpsc;

/// Shared by all queues that it is in.
pub(crate) type Line = Arc<[u8]>;

/// A guest's queue.
pub(crate) type Lines = mpsc::Receiver<Line>;

#[derive(Default)]
pub(crate) struct Room(Mutex<Seats>);

#[derive(Default)]
struct Seats {
    taken: HashMap<usize, Seat>,
    /// How many have ever come.
    guests: usize,
    closed: bool,
}

struct Seat {
    queue: mpsc::Sender<Line>,
    /// How many lines were dropped since the last that was queued.
    missed: usize,
}

/// One who is in the room, and leaves it when dropped.
pub(crate) struct Guest {
    room: Arc<Room>,
    number: usize,
}

impl Room {
    /// A new guest, who is greeted. `None` if the room is closed.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<(Guest, Lines)> {
        let mut seats = self.seats();
        if seats.closed {
            return None;
        }
        seats.guests += 1;
        let number = seats.guests;
        let (queue, lines) = mpsc::channel(QUEUE);
        let mut seat = Seat { queue, missed: 0 };
        let others = seats.taken.len();
        let greeting = format!("* you are guest {number}, others: {others}\n");
        seat.offer(&greeting.into_bytes().into());
        seats.taken.insert(number, seat);
        let room = self.clone();
        Some((Guest { room, number }, lines))
    }

    /// Ends all queues: what is in them is still delivered.
    pub(crate) fn close(&self) {
        let mut seats = self.seats();
        seats.closed = true;
        seats.taken.clear();
    }

    /// Nothing panics under this lock; and if it did, the seats would still be good.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Queues a line for everybody else.
    pub(crate) fn say(&self, line: &[u8]) {
        let line = [format!("{}: ", self.number).as_bytes(), line].concat();
        let line = Line::from(line);
        for (number, seat) in &mut self.room.seats().taken {
            if *number != self.number {
                seat.offer(&line);
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.room.seats().taken.remove(&self.number);
    }
}

impl Seat {
    fn offer(&mut self, line: &Line) {
        if self.missed > 0 {
            let notice = format!("* you have missed {} lines\n", self.missed);
            if self.queue.try_send(notice.into_bytes().into()).is_ok() {
                self.missed = 0;
            }
        }
        // The queue of one who is just leaving counts as full.
        if self.missed > 0 || self.queue.try_send(line.clone()).is_err() {
            self.missed += 1;
        }
    }
}

/// How many lines may wait for a slow reader.
const QUEUE: usize = 256;
