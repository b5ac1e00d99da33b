//! `channel`: a queue with two kinds of ends, which closes when the last of one kind is gone.

use std::fmt;
use std::sync::Arc;

use super::{Closed, PushError, Queue, TryPopError, TryPushError};

/// A queue with room for `capacity` items, and its two ends, of which each may be cloned.
///
/// When the last [`Sender`] is gone, receivers get what is left, and then [`Closed`]. When the last [`Receiver`] is gone, senders get their items
/// back, and what nobody will take is dropped.
///
/// # Panics
///
/// With room for none: nothing would ever get through.
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
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let queue = Queue::bounded(capacity);
    (
        Sender(Arc::new(Sending(queue.clone()))),
        Receiver(Arc::new(Receiving(queue))),
    )
}

/// The end of a [`channel`] that puts in.
#[doc(alias = "MemorySendChannel")]
pub struct Sender<T>(Arc<Sending<T>>);

/// The end of a [`channel`] that takes out. Each item goes to one receiver.
#[doc(alias = "MemoryReceiveChannel")]
pub struct Receiver<T>(Arc<Receiving<T>>);

struct Sending<T>(Queue<T>);

struct Receiving<T>(Queue<T>);

impl<T> Sender<T> {
    /// Puts an item in; waits while there is no room.
    ///
    /// # Errors
    ///
    /// No receiver is left. The item comes back.
    ///
    /// # Cancel safety
    ///
    /// As [`Buffer::push`](super::Buffer::push).
    pub async fn send(&self, item: T) -> Result<(), PushError<T>> {
        self.0.0.push(item).await
    }

    /// Puts an item in if that needs no waiting.
    ///
    /// # Errors
    ///
    /// There is no room, or no receiver. The item comes back.
    pub fn try_send(&self, item: T) -> Result<(), TryPushError<T>> {
        self.0.0.try_push(item)
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
        self.0.0.blocking_push(item)
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
        self.0.0.pop().await
    }

    /// Takes the next item out if that needs no waiting.
    ///
    /// # Errors
    ///
    /// Nothing is there, or nothing is left, and no sender.
    pub fn try_recv(&self) -> Result<T, TryPopError> {
        self.0.0.try_pop()
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
        self.0.0.blocking_pop()
    }
}

impl<T> Drop for Sending<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T> Drop for Receiving<T> {
    fn drop(&mut self) {
        drop(self.0.close_now());
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.0.0).finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.0.0).finish()
    }
}
