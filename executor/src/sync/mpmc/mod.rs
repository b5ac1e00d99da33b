//! Queues that many tasks put into and many take out of: each item is taken once.
//!
//! | | gives out | asyncio |
//! |---|---|---|
//! | [`Queue`] | what has waited longest | `Queue` |
//! | [`Stack`] | what came last | `LifoQueue` |
//! | [`PriorityQueue`] | the smallest; of equals, what has waited longest | `PriorityQueue` |
//!
//! All three are one type, [`Buffer`], over another store. Clones of it are the same queue. [`channel`] gives a queue two kinds of ends, and
//! closes it when the last of one kind is gone; it may have no room at all.
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::sync::mpmc::Queue;
//!
//! let queue = Queue::bounded(16);
//! let workers: Vec<_> = (0..3)
//!     .map(|_| {
//!         let queue = queue.clone();
//!         executor::spawn(async move {
//!             let mut sum = 0;
//!             // Until the queue is closed and empty.
//!             while let Ok(item) = queue.pop_guarded().await {
//!                 sum += *item;
//!             }
//!             sum
//!         })
//!     })
//!     .collect();
//!
//! for n in 1..=100 {
//!     queue.push(n).await.unwrap();
//! }
//! // All items have been worked off, not only taken.
//! queue.join().await;
//! queue.close();
//!
//! let mut sum = 0;
//! for worker in workers {
//!     sum += worker.await.unwrap();
//! }
//! assert_eq!(sum, 5050);
//! # });
//! ```

mod buffer;
mod channel;
mod error;
mod meeting;
mod store;
mod work_item;

pub use buffer::{Buffer, PriorityQueue, Queue, QueueStatistics, Stack};
pub use channel::{ChannelStatistics, Receiver, Sender, channel};
pub use error::{Closed, PushError, TryPopError, TryPushError};
pub use store::{Fifo, Lifo, SmallestFirst, Store};
pub use work_item::WorkItem;
