//! Streams of values: async generators.
//!
//! A [`Stream`] is an iterator whose next value may have to be waited for. [`generate`] makes one of an async function that emits values, as
//! `async def` with `yield` does in Python:
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::stream::{self, StreamExt};
//! use executor::time::{Duration, sleep};
//!
//! let ticks = stream::generate(async |mut out| {
//!     for n in 1..=3 {
//!         sleep(Duration::from_millis(1)).await;
//!         out.emit(n).await;
//!     }
//! });
//! let mut ticks = std::pin::pin!(ticks);
//! let mut sum = 0;
//! while let Some(n) = ticks.next().await {
//!     sum += n;
//! }
//! assert_eq!(sum, 6);
//! # });
//! ```
//!
//! The trait, and its adaptors `map`, `filter`, `buffer_unordered` and so on, are the crate `futures`'. They do not know this runtime: what they
//! do does not count in a task's [budget](crate::task::coop).

mod generate;

pub use generate::{Emitter, Generate, TryGenerate, generate, try_generate};

#[doc(no_inline)]
pub use futures::{Stream, StreamExt, TryStreamExt};
