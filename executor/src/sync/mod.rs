//! Channels and locks for tasks: those of the crate `tokio`, which work on any runtime, and what those lack.
//!
//! | | for | asyncio | trio |
//! |---|---|---|---|
//! | [`mpsc`] | a queue with many senders and one receiver, bounded or not | `Queue` | `open_memory_channel` |
//! | [`mpmc`] | queues with many receivers, in three orders, which know when all is worked off | `Queue`, `PriorityQueue`, `LifoQueue` | `open_memory_channel` |
//! | [`oneshot`] | one value from one task to another | `Future` | |
//! | [`broadcast`] | every receiver gets every value | | |
//! | [`watch`] | the latest value, and that it has changed | | |
//! | [`Mutex`] | one task at a time; may be held across an `await` | `Lock` | `Lock`, `StrictFIFOLock` |
//! | [`RwLock`] | many readers or one writer | | |
//! | [`Semaphore`] | so many tasks at a time | `Semaphore`, `BoundedSemaphore` | `Semaphore` |
//! | [`CapacityLimiter`] | so many at a time, each once; the number may change | | `CapacityLimiter` |
//! | [`Event`] | a flag: as long as it is set, nobody waits | `Event` | `Event` |
//! | [`Notify`] | "look again": wakes one waiter or all | | `ParkingLot` |
//! | [`Condvar`] | a condition on what a `Mutex` guards | `Condition` | `Condition` |
//! | [`Barrier`] | tasks that wait for each other | | |
//! | [`BreakableBarrier`] | the same, until somebody breaks it | `Barrier` | |
//! | [`OnceCell`], [`SetOnce`] | a value that is set once, made by the first who asks or awaited by all | | |
//!
//! A lock that is never held across an `await` is better the standard library's, or parking_lot's.
//!
//! `mpmc`, `Event`, `Condvar`, `BreakableBarrier` and `CapacityLimiter` are this library's. Who waits for them is served in order of arrival, a
//! wait that is dropped loses nothing of others', what they do counts in the [budget](crate::task::coop) of a task, and their `blocking_` methods
//! may be called anywhere: on a plain thread they need no runtime, and in a task they let the worker's other tasks go on.
//!
//! Everything else is re-exported, and its documentation is tokio's: the very types that libraries written for tokio exchange with
//! their users, so what such a library returns can be awaited here. No runtime is compiled with them, and none is needed. Two
//! things follow from that:
//!
//! - The methods that block a thread (`blocking_lock`, `blocking_send`, `blocking_recv` and the like) do not know this runtime.
//!   They belong on plain threads and in [`spawn_blocking`](crate::task::spawn_blocking). In a task they block its worker, and
//!   nobody panics, unless another crate has enabled tokio's own runtime and the thread is in it; the text of that panic speaks of tokio.
//! - tokio's budget, by which a task that always finds something to receive is made to yield, is a part of its runtime. Here it
//!   is unlimited: such a task makes the operation count by [`cooperative`](crate::task::coop::cooperative).
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::sync::{mpsc, oneshot};
//!
//! let (requests, mut received) = mpsc::channel::<(u32, oneshot::Sender<u32>)>(8);
//! executor::spawn(async move {
//!     while let Some((number, answer)) = received.recv().await {
//!         let _ = answer.send(number * 2);
//!     }
//! });
//!
//! let (answer, answered) = oneshot::channel();
//! requests.send((21, answer)).await.unwrap();
//! assert_eq!(answered.await, Ok(42));
//! # });
//! ```

mod block;
mod breakable_barrier;
mod condvar;
mod event;
mod limiter;
mod monitor;
pub mod mpmc;
mod wait_list;

pub use breakable_barrier::{BarrierBroken, BreakableBarrier};
pub use condvar::Condvar;
pub use event::Event;
pub use limiter::{
    AlreadyBorrows, CapacityLimiter, CapacityStatistics, CapacityToken, TryBorrowError,
};
#[doc(no_inline)]
pub use tokio::sync::{AcquireError, SetError, SetOnceError, TryAcquireError, TryLockError};
#[doc(no_inline)]
pub use tokio::sync::{
    Barrier, BarrierWaitResult, MappedMutexGuard, Mutex, MutexGuard, Notify, OnceCell,
    OwnedMappedMutexGuard, OwnedMutexGuard, OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard,
    OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, RwLockMappedWriteGuard, RwLockReadGuard,
    RwLockWriteGuard, Semaphore, SemaphorePermit, SetOnce,
};
#[doc(no_inline)]
pub use tokio::sync::{broadcast, futures, mpsc, oneshot, watch};
/// tokio-util's: a request to cancel that is handed through a program, for code that does not live in one task.
///
/// Unlike [`JoinHandle::cancel`](crate::task::JoinHandle::cancel) it does nothing to a task that was not given the token.
#[doc(no_inline)]
pub use tokio_util::sync::{
    CancellationToken, DropGuard as CancellationDropGuard, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
