//! `Meeting`: a queue with no room, through which each item goes from hand to hand.
//!
//! ```text
//!   send:  item ─▶ slot ; offer the slot in a queue ; wait ─▶ taken: done
//!                                                     ├ the offer is dropped, for nobody will take it: the item comes back
//!                                                     └ dropped meanwhile ─▶ withdraw the offer, if it is still in the queue
//!   recv:  the next offer ─▶ take the item, tell its sender
//! ```
//! Whoever takes the offer out of the queue has the item, and the sender learns what became of it by a look into the slot.

use std::sync::Arc;

use futures::channel::oneshot;

use super::{Closed, PushError, Queue, QueueStatistics, TryPopError, TryPushError};
use crate::rt_sync::whole::Mutex;
use crate::task::coop::cooperative;

/// Clones are the same one.
pub(super) struct Meeting<T>(Queue<Offer<T>>);

type Slot<T> = Arc<Mutex<Option<T>>>;

/// What a receiver finds.
struct Offer<T> {
    slot: Slot<T>,
    taken: oneshot::Sender<()>,
}

/// The sender's side of an offer.
struct Offered<'a, T> {
    meeting: &'a Meeting<T>,
    /// Until the wait is over.
    slot: Option<Slot<T>>,
}

impl<T> Meeting<T> {
    pub(super) fn new() -> Self {
        Self(Queue::unbounded())
    }

    pub(super) async fn send(&self, item: T) -> Result<(), PushError<T>> {
        let slot = Arc::new(Mutex::new(Some(item)));
        let (taken, wait) = oneshot::channel();
        let mut offered = Offered {
            meeting: self,
            slot: Some(slot.clone()),
        };
        // Refused, the offer is dropped, and the wait is over.
        let _ = self.0.try_push(Offer { slot, taken });
        let _ = cooperative(wait).await;
        match offered.take_back() {
            None => Ok(()),
            Some(item) => Err(PushError(item)),
        }
    }

    /// Offers the item if a receiver waits.
    pub(super) fn try_send(&self, item: T) -> Result<(), TryPushError<T>> {
        let slot = Arc::new(Mutex::new(Some(item)));
        let (taken, _) = oneshot::channel();
        let offer = Offer {
            slot: slot.clone(),
            taken,
        };
        let error = match self.0.push_if_awaited(offer) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let item = slot.lock().take().expect("it was not offered");
        Err(match error {
            TryPushError::Full(_) => TryPushError::Full(item),
            TryPushError::Closed(_) => TryPushError::Closed(item),
        })
    }

    pub(super) async fn recv(&self) -> Result<T, Closed> {
        self.0.pop().await.map(Offer::accept)
    }

    pub(super) fn try_recv(&self) -> Result<T, TryPopError> {
        self.0.try_pop().map(Offer::accept)
    }

    pub(super) fn close(&self) {
        self.0.close();
    }

    /// As `close`, and all who send have their items back.
    pub(super) fn close_now(&self) {
        drop(self.0.close_now());
    }

    /// Offers are not in it: they wait for room.
    pub(super) fn statistics(&self) -> QueueStatistics {
        let offers = self.0.statistics();
        QueueStatistics {
            len: 0,
            capacity: Some(0),
            waiting_to_push: offers.len,
            ..offers
        }
    }
}

impl<T> Offer<T> {
    fn accept(self) -> T {
        let item = self.slot.lock().take();
        // Nobody listens if the item was left for whoever comes.
        let _ = self.taken.send(());
        item.expect("it is in the slot as long as the offer is in the queue")
    }
}

impl<T> Offered<'_, T> {
    /// The wait is over: the item, if nobody has it.
    fn take_back(&mut self) -> Option<T> {
        self.slot.take().and_then(|slot| slot.lock().take())
    }
}

impl<T> Drop for Offered<'_, T> {
    fn drop(&mut self) {
        if let Some(slot) = &self.slot {
            drop(
                self.meeting
                    .0
                    .withdraw(|offer| Arc::ptr_eq(&offer.slot, slot)),
            );
        }
    }
}

impl<T> Clone for Meeting<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
