//! `channel`: a queue with two kinds of ends, which closes when the last of one kind is gone.

use std::fmt;
use std::sync::{Arc, Weak};

use super::super::block::block;
use super::meeting::Meeting;
use super::{Closed, PushError, Queue, TryPopError, TryPushError};

/// A queue with room for `capacity` items, and its two ends, of which each may be cloned.
///
/// When the last [`Sender`] is gone, receivers get what is left, and then [`Closed`]. When the last [`Receiver`] is gone, senders get their items
/// back, and what nobody will take is dropped.
///
/// With room for none a sender waits until a receiver has taken its item: a rendezvous. Two allocations for each item.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::sync::mpmc;
///
/// let (sender, receiver) = mpmc::channel(8);
/// executor::spawn(async move {
///     for n in 0..3 {
///         sender.send(n).await.unwrap();
///     }
/// });
/// let mut sum = 0;
/// while let Ok(n) = receiver.recv().await {
///     sum += n;
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
#[doc(alias = "open_memory_channel")]
#[doc(alias = "rendezvous")]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let way = match capacity {
        0 => Way::Meeting(Meeting::new()),
        _ => Way::Queue(Queue::bounded(capacity)),
    };
    let sending = Arc::new(Sending(way.clone()));
    let receiving = Arc::new(Receiving(way));
    let sender = Sender {
        receivers: Arc::downgrade(&receiving),
        sending,
    };
    let receiver = Receiver {
        senders: Arc::downgrade(&sender.sending),
        receiving,
    };
    (sender, receiver)
}

/// The end of a [`channel`] that puts in.
#[doc(alias = "MemorySendChannel")]
pub struct Sender<T> {
    sending: Arc<Sending<T>>,
    receivers: Weak<Receiving<T>>,
}

/// The end of a [`channel`] that takes out. Each item goes to one receiver.
#[doc(alias = "MemoryReceiveChannel")]
pub struct Receiver<T> {
    receiving: Arc<Receiving<T>>,
    senders: Weak<Sending<T>>,
}

/// What is in a [`channel`], who waits, and how many ends there are.
#[doc(alias = "MemoryChannelStatistics")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatistics {
    /// How many items are in it.
    #[doc(alias = "current_buffer_used")]
    pub len: usize,
    /// For how many there is room.
    #[doc(alias = "max_buffer_size")]
    pub capacity: usize,
    /// How many clones of the [`Sender`] there are.
    #[doc(alias = "open_send_channels")]
    pub senders: usize,
    /// How many clones of the [`Receiver`] there are.
    #[doc(alias = "open_receive_channels")]
    pub receivers: usize,
    /// How many wait for room, or for a receiver.
    #[doc(alias = "tasks_waiting_send")]
    pub waiting_to_send: usize,
    /// How many wait for an item.
    #[doc(alias = "tasks_waiting_receive")]
    pub waiting_to_receive: usize,
}

struct Sending<T>(Way<T>);

struct Receiving<T>(Way<T>);

/// How items get from one end to the other.
enum Way<T> {
    Queue(Queue<T>),
    /// There is no room.
    Meeting(Meeting<T>),
}

impl<T> Sender<T> {
    /// Puts an item in; waits while there is no room.
    ///
    /// # Errors
    ///
    /// No receiver is left. The item comes back.
    ///
    /// # Cancel safety
    ///
    /// As [`Buffer::push`](super::Buffer::push). But without any room a receiver may have taken the item while this waited for its turn to run: dropped then,
    /// it has sent it. Otherwise the item is dropped with it.
    pub async fn send(&self, item: T) -> Result<(), PushError<T>> {
        match &self.sending.0 {
            Way::Queue(queue) => queue.push(item).await,
            Way::Meeting(meeting) => meeting.send(item).await,
        }
    }

    /// Puts an item in if that needs no waiting. Without any room: if a receiver waits; should that be dropped at this moment, the item is the
    /// next one's.
    ///
    /// # Errors
    ///
    /// There is no room, or no receiver. The item comes back.
    pub fn try_send(&self, item: T) -> Result<(), TryPushError<T>> {
        match &self.sending.0 {
            Way::Queue(queue) => queue.try_push(item),
            Way::Meeting(meeting) => meeting.try_send(item),
        }
    }

    /// What is in the channel, who waits, and how many ends there are.
    pub fn statistics(&self) -> ChannelStatistics {
        let senders = Arc::strong_count(&self.sending);
        let receivers = self.receivers.strong_count();
        self.sending.0.statistics(senders, receivers)
    }

    /// As [`send`](Self::send), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    pub fn blocking_send(&self, item: T) -> Result<(), PushError<T>> {
        block(self.send(item))
    }
}

impl<T> Receiver<T> {
    /// Takes the next item out; waits while there is none.
    ///
    /// # Errors
    ///
    /// Nothing is left, and no sender.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it has taken nothing out.
    pub async fn recv(&self) -> Result<T, Closed> {
        match &self.receiving.0 {
            Way::Queue(queue) => queue.pop().await,
            Way::Meeting(meeting) => meeting.recv().await,
        }
    }

    /// Takes the next item out if that needs no waiting.
    ///
    /// # Errors
    ///
    /// Nothing is there, or nothing is left, and no sender.
    pub fn try_recv(&self) -> Result<T, TryPopError> {
        match &self.receiving.0 {
            Way::Queue(queue) => queue.try_pop(),
            Way::Meeting(meeting) => meeting.try_recv(),
        }
    }

    /// As [`Sender::statistics`].
    pub fn statistics(&self) -> ChannelStatistics {
        let receivers = Arc::strong_count(&self.receiving);
        let senders = self.senders.strong_count();
        self.receiving.0.statistics(senders, receivers)
    }

    /// As [`recv`](Self::recv), for plain threads, see [`Sender::blocking_send`].
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// As [`Sender::blocking_send`].
    #[track_caller]
    pub fn blocking_recv(&self) -> Result<T, Closed> {
        block(self.recv())
    }
}

impl<T> Drop for Sending<T> {
    fn drop(&mut self) {
        match &self.0 {
            Way::Queue(queue) => queue.close(),
            Way::Meeting(meeting) => meeting.close(),
        }
    }
}

impl<T> Drop for Receiving<T> {
    fn drop(&mut self) {
        match &self.0 {
            Way::Queue(queue) => drop(queue.close_now()),
            Way::Meeting(meeting) => meeting.close_now(),
        }
    }
}

impl<T> Way<T> {
    fn statistics(&self, senders: usize, receivers: usize) -> ChannelStatistics {
        let queue = match self {
            Self::Queue(queue) => queue.statistics(),
            Self::Meeting(meeting) => meeting.statistics(),
        };
        ChannelStatistics {
            len: queue.len,
            // A queue says of so much that it has no limit.
            capacity: queue.capacity.unwrap_or(usize::MAX),
            senders,
            receivers,
            waiting_to_send: queue.waiting_to_push,
            waiting_to_receive: queue.waiting_to_pop,
        }
    }
}

impl<T> Clone for Way<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Queue(queue) => Self::Queue(queue.clone()),
            Self::Meeting(meeting) => Self::Meeting(meeting.clone()),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            sending: self.sending.clone(),
            receivers: self.receivers.clone(),
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            receiving: self.receiving.clone(),
            senders: self.senders.clone(),
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.statistics()).finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.statistics()).finish()
    }
}
