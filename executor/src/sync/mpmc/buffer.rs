//! `Buffer`: the queue itself, whatever the order of its items.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::super::block::block;
use super::super::monitor::{Monitor, State};
use super::super::wait_list::{Called, WaitList};
use super::store::Sealed;
use super::{Closed, PushError, TryPopError, TryPushError, WorkItem};
use super::{Fifo, Lifo, SmallestFirst, Store};

/// A queue, first in, first out, for many senders and many receivers.
///
/// [`sync::mpsc`](crate::sync::mpsc) is for one receiver. Its methods are those of [`Buffer`]; see [the module](super) for an example.
pub type Queue<T> = Buffer<Fifo<T>>;

/// As [`Queue`], last in, first out.
#[doc(alias = "LifoQueue")]
pub type Stack<T> = Buffer<Lifo<T>>;

/// As [`Queue`], the smallest first; of equals, the one that came first. For the greatest first, push [`Reverse`](std::cmp::Reverse)s.
///
/// The items are compared under the queue's lock: their `Ord` must not use the queue.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let queue = executor::sync::mpmc::PriorityQueue::unbounded();
/// for item in [(2, "walk"), (1, "eat"), (2, "sleep")] {
///     queue.try_push(item).unwrap();
/// }
/// assert_eq!(queue.pop().await.unwrap(), (1, "eat"));
/// # });
/// ```
pub type PriorityQueue<T> = Buffer<SmallestFirst<T>>;

/// What [`Queue`], [`Stack`] and [`PriorityQueue`] are. Clones are the same queue.
///
/// Who waits, for an item or for room, is served in order of arrival. An item belongs to the one that was woken for it, though it may still be
/// counted by [`len`](Self::len): nobody who comes later gets it first.
#[doc(alias = "Queue")]
pub struct Buffer<S: Store>(pub(super) Arc<Monitor<Items<S>>>);

/// What is in a queue, and who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// How many items are in it.
    pub len: usize,
    /// For how many there is room. `None`: without a limit.
    pub capacity: Option<usize>,
    /// How many items were taken out by [`pop_guarded`](Buffer::pop_guarded), and are not worked off.
    pub in_hand: usize,
    /// How many wait for room.
    #[doc(alias = "tasks_waiting_send")]
    pub waiting_to_push: usize,
    /// How many wait for an item.
    #[doc(alias = "tasks_waiting_receive")]
    pub waiting_to_pop: usize,
    /// How many wait until all is worked off.
    pub waiting_to_join: usize,
}

pub(super) struct Items<S> {
    store: S,
    capacity: usize,
    is_closed: bool,
    /// Items whose `WorkItem` lives.
    in_hand: usize,
    poppers: WaitList,
    pushers: WaitList,
    joiners: WaitList,
}

impl<S: Sealed> State for Items<S> {
    type Outcome = ();

    fn settle(&mut self, called: &mut Called) {
        // With as many called as there are items, who waits has to wait.
        while (self.is_closed || self.may_pop()) && self.poppers.call((), called) {}
        while (self.is_closed || self.may_push()) && self.pushers.call((), called) {}
        if self.unfinished() == 0 {
            self.joiners.call_all(|_| (), called);
        }
    }
}

impl<S: Sealed> Items<S> {
    /// There is an item for one more than those who were called for one.
    fn may_pop(&self) -> bool {
        self.store.len() > self.poppers.called()
    }

    fn may_push(&self) -> bool {
        self.capacity - self.store.len() > self.pushers.called()
    }

    fn limit(&self) -> Option<usize> {
        (self.capacity < usize::MAX).then_some(self.capacity)
    }

    fn unfinished(&self) -> usize {
        self.store.len() + self.in_hand
    }

    fn pop(&mut self, told: Option<()>) -> Option<Result<S::Kept, Closed>> {
        match self.store.len() {
            0 if self.is_closed => Some(Err(Closed)),
            _ if self.is_closed || told.is_some() || self.may_pop() => self.store.pop().map(Ok),
            _ => None,
        }
    }

    fn push(&mut self, told: Option<()>, item: &mut Option<S::Kept>) -> Option<Result<(), Closed>> {
        if self.is_closed {
            return Some(Err(Closed));
        }
        if told.is_none() && !self.may_push() {
            return None;
        }
        self.store.push(item.take().expect("pushed once"));
        Some(Ok(()))
    }

    pub(super) fn done(&mut self) {
        self.in_hand -= 1;
    }
}

impl<S: Store> Buffer<S> {
    /// A queue with room for so many items.
    ///
    /// # Panics
    ///
    /// With room for none: nothing would ever get through.
    #[doc(alias = "maxsize")]
    #[track_caller]
    pub fn bounded(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity)
            .expect("a queue with room for nothing lets nothing through: 1 is the least. `mpmc::channel(0)` is a rendezvous");
        Self::new(capacity.get())
    }

    /// A queue that is never full. Who puts in faster than others take out uses up the memory.
    pub fn unbounded() -> Self {
        Self::new(usize::MAX)
    }

    fn new(capacity: usize) -> Self {
        Self(Arc::new(Monitor::new(Items {
            store: S::default(),
            capacity,
            is_closed: false,
            in_hand: 0,
            poppers: WaitList::default(),
            pushers: WaitList::default(),
            joiners: WaitList::default(),
        })))
    }

    /// Puts an item in; waits while there is no room.
    ///
    /// # Errors
    ///
    /// The queue is closed, or was while this waited. The item comes back.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has put nothing in, and the item is dropped with it. Others lose nothing.
    #[doc(alias = "put")]
    #[doc(alias = "send")]
    pub async fn push(&self, item: S::Item) -> Result<(), PushError<S::Item>> {
        let mut item = Some(item);
        let pushed = self
            .0
            .wait(
                |items| &mut items.pushers,
                |items, told, _| items.push(told, &mut item),
            )
            .await;
        pushed.map_err(|Closed| PushError(item.expect("refused")))
    }

    /// Takes the next item out; waits while there is none. It counts as worked off at once, see [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// The queue is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it has taken nothing out.
    #[doc(alias = "get")]
    #[doc(alias = "receive")]
    pub async fn pop(&self) -> Result<S::Item, Closed> {
        self.0
            .wait(|items| &mut items.poppers, |items, told, _| items.pop(told))
            .await
    }

    /// As [`pop`](Self::pop), but the item counts as worked off only when the [`WorkItem`] is dropped, see [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// As [`pop`](Self::pop).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it has taken nothing out.
    #[doc(alias = "task_done")]
    pub async fn pop_guarded(&self) -> Result<WorkItem<S>, Closed> {
        let pop = |items: &mut Items<S>, told, _: &mut Called| {
            let popped = items.pop(told);
            items.in_hand += usize::from(matches!(popped, Some(Ok(_))));
            popped
        };
        let item = self.0.wait(|items| &mut items.poppers, pop).await?;
        Ok(WorkItem::new(self.clone(), item))
    }

    /// Puts an item in if that needs no waiting.
    ///
    /// # Errors
    ///
    /// There is no room, or others wait for it, or the queue is closed. The item comes back.
    #[doc(alias = "put_nowait")]
    #[doc(alias = "send_nowait")]
    pub fn try_push(&self, item: S::Item) -> Result<(), TryPushError<S::Item>> {
        let mut item = Some(item);
        let pushed = self.0.change(|items, _| items.push(None, &mut item));
        match (pushed, item) {
            (None, Some(item)) => Err(TryPushError::Full(item)),
            (Some(Err(Closed)), Some(item)) => Err(TryPushError::Closed(item)),
            _ => Ok(()),
        }
    }

    /// Takes the next item out if that needs no waiting. It counts as worked off.
    ///
    /// # Errors
    ///
    /// Nothing is there, or it is for others who have waited, or the queue is closed and empty.
    #[doc(alias = "get_nowait")]
    #[doc(alias = "receive_nowait")]
    pub fn try_pop(&self) -> Result<S::Item, TryPopError> {
        match self.0.change(|items, _| items.pop(None)) {
            Some(popped) => popped.map_err(|Closed| TryPopError::Closed),
            None => Err(TryPopError::Empty),
        }
    }

    /// Waits until everything that was put in has been worked off: nothing is in the queue, and all [`WorkItem`]s have been dropped. Returns at
    /// once if that is so, and once it has been so also if there is something again by then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it does nothing but wait.
    pub async fn join(&self) {
        let attempt = |items: &mut Items<S>, told: Option<()>, _: &mut Called| {
            told.or((items.unfinished() == 0).then_some(()))
        };
        self.0.wait(|items| &mut items.joiners, attempt).await;
    }

    /// Closes the queue: nothing is put in any more, and what is in it may still be taken out. Who waits for room gets its item back.
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        self.0.change(|items, _| items.is_closed = true);
    }

    /// As [`close`](Self::close), and takes out everything that is left.
    #[doc(alias = "shutdown")]
    pub fn close_now(&self) -> Vec<S::Item> {
        self.0.change(|items, _| {
            items.is_closed = true;
            std::iter::from_fn(|| items.store.pop()).collect()
        })
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.look(|items| items.is_closed)
    }

    /// How many items are in it.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.0.look(|items| items.store.len())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room in it.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.0.look(|items| items.store.len() == items.capacity)
    }

    /// For how many items there is room. `None`: without a limit.
    pub fn capacity(&self) -> Option<usize> {
        self.0.look(Items::limit)
    }

    /// How many items have been put in and not been worked off, see [`join`](Self::join).
    pub fn unfinished(&self) -> usize {
        self.0.look(Items::unfinished)
    }

    /// What is in it, and who waits, at one moment.
    pub fn statistics(&self) -> QueueStatistics {
        self.0.look(|items| QueueStatistics {
            len: items.store.len(),
            capacity: items.limit(),
            in_hand: items.in_hand,
            waiting_to_push: items.pushers.waiting(),
            waiting_to_pop: items.poppers.waiting(),
            waiting_to_join: items.joiners.waiting(),
        })
    }

    /// As [`push`](Self::push), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    pub fn blocking_push(&self, item: S::Item) -> Result<(), PushError<S::Item>> {
        block(self.push(item))
    }

    /// As [`pop`](Self::pop), for plain threads, see [`blocking_push`](Self::blocking_push).
    ///
    /// # Errors
    ///
    /// As [`pop`](Self::pop).
    ///
    /// # Panics
    ///
    /// As [`blocking_push`](Self::blocking_push).
    #[track_caller]
    pub fn blocking_pop(&self) -> Result<S::Item, Closed> {
        block(self.pop())
    }

    /// As [`pop_guarded`](Self::pop_guarded), for plain threads, see [`blocking_push`](Self::blocking_push).
    ///
    /// # Errors
    ///
    /// As [`pop`](Self::pop).
    ///
    /// # Panics
    ///
    /// As [`blocking_push`](Self::blocking_push).
    #[track_caller]
    pub fn blocking_pop_guarded(&self) -> Result<WorkItem<S>, Closed> {
        block(self.pop_guarded())
    }

    /// As [`join`](Self::join), for plain threads, see [`blocking_push`](Self::blocking_push).
    ///
    /// # Panics
    ///
    /// As [`blocking_push`](Self::blocking_push).
    #[track_caller]
    pub fn blocking_join(&self) {
        block(self.join());
    }
}

impl<T> Queue<T> {
    /// Puts an item in if somebody waits for one that there is none for. With room for all, nobody who was called waits.
    pub(super) fn push_if_awaited(&self, item: T) -> Result<(), TryPushError<T>> {
        let mut item = Some(item);
        let pushed = self.0.change(|items, _| {
            let may = items.is_closed || items.poppers.waiting() > 0;
            may.then(|| items.push(None, &mut item)).flatten()
        });
        match (pushed, item) {
            (Some(Err(Closed)), Some(item)) => Err(TryPushError::Closed(item)),
            (_, Some(item)) => Err(TryPushError::Full(item)),
            (_, None) => Ok(()),
        }
    }

    /// Takes an item out again. If somebody was called for it, the one that was called last goes back to its place.
    pub(super) fn withdraw(&self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        self.0.change(|items, _| {
            let withdrawn = items.store.remove(is_it);
            if items.store.len() < items.poppers.called() {
                items.poppers.call_back();
            }
            withdrawn
        })
    }
}

impl<S: Store> Clone for Buffer<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Store> fmt::Debug for Buffer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.look(|items| {
            f.debug_struct("Buffer")
                .field("len", &items.store.len())
                .field("in_hand", &items.in_hand)
                .field("is_closed", &items.is_closed)
                .finish_non_exhaustive()
        })
    }
}
