//! `BreakableBarrier`: tasks wait for each other, until somebody breaks it.

use std::error::Error;
use std::fmt;

use super::block::block;
use super::monitor::{Monitor, State};
use super::wait_list::{Called, WaitList};

/// Lets so many tasks go on together, again and again, and can be reset and broken.
///
/// That is the barrier of asyncio and of Python's threads. tokio's, [`Barrier`](super::Barrier), has no way to tell those who wait that
/// somebody will never come. Here [`reset`](Self::reset) sends away all who wait, and [`abort`](Self::abort) also those who come later.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::sync::BreakableBarrier;
/// use std::sync::Arc;
///
/// let barrier = Arc::new(BreakableBarrier::new(2));
/// let other = executor::spawn({
///     let barrier = barrier.clone();
///     async move { barrier.wait().await }
/// });
/// let mut places = [barrier.wait().await.unwrap(), other.await.unwrap().unwrap()];
/// places.sort();
/// assert_eq!(places, [0, 1]);
///
/// barrier.abort();
/// assert!(barrier.wait().await.is_err());
/// # });
/// ```
#[doc(alias = "Barrier")]
#[derive(Debug)]
pub struct BreakableBarrier(Monitor<Parties>);

/// The barrier was reset while one waited, or is broken.
#[doc(alias = "BrokenBarrierError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierBroken;

#[derive(Debug)]
struct Parties {
    size: usize,
    is_broken: bool,
    waiters: WaitList<Result<usize, BarrierBroken>>,
}

impl State for Parties {
    type Outcome = Result<usize, BarrierBroken>;

    /// All is done where it changes.
    fn settle(&mut self, _: &mut Called) {}
}

impl BreakableBarrier {
    /// For so many tasks. With 0 or 1 nobody ever waits.
    pub fn new(parties: usize) -> Self {
        Self(Monitor::new(Parties {
            size: parties,
            is_broken: false,
            waiters: WaitList::default(),
        }))
    }

    /// Waits until as many as the barrier is for have come. Returns the place in the order in which they came: 0 for one of them, who may
    /// tidy up, say.
    ///
    /// # Errors
    ///
    /// It was reset or broken meanwhile, or is broken.
    ///
    /// # Cancel safety
    ///
    /// One that is dropped while it waits does not count any more; the others wait for one more. Dropped after the last has come, it has taken
    /// part: the others go on.
    pub async fn wait(&self) -> Result<usize, BarrierBroken> {
        let attempt = |parties: &mut Parties, told, called: &mut Called| match told {
            Some(told) => Some(told),
            None if parties.is_broken => Some(Err(BarrierBroken)),
            None if parties.waiters.waiting() + 1 < parties.size => None,
            None => {
                let place = parties.waiters.waiting();
                parties.waiters.call_all(Ok, called);
                Some(Ok(place))
            }
        };
        self.0.wait(|parties| &mut parties.waiters, attempt).await
    }

    /// Sends away all who wait, with an error, and makes the barrier whole again, if it was broken.
    pub fn reset(&self) {
        self.break_it(false);
    }

    /// Breaks the barrier: all who wait, and all who come until it is [`reset`](Self::reset), get an error.
    pub fn abort(&self) {
        self.break_it(true);
    }

    fn break_it(&self, lasting: bool) {
        self.0.change(|parties, called| {
            parties.is_broken = lasting;
            parties.waiters.call_all(|_| Err(BarrierBroken), called);
        });
    }

    /// How many it is for.
    pub fn parties(&self) -> usize {
        self.0.look(|parties| parties.size)
    }

    /// How many wait now.
    #[doc(alias = "n_waiting")]
    #[doc(alias = "statistics")]
    pub fn waiting(&self) -> usize {
        self.0.look(|parties| parties.waiters.waiting())
    }

    /// Whether it is broken.
    #[doc(alias = "broken")]
    pub fn is_broken(&self) -> bool {
        self.0.look(|parties| parties.is_broken)
    }

    /// As [`wait`](Self::wait), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    pub fn blocking_wait(&self) -> Result<usize, BarrierBroken> {
        block(self.wait())
    }
}

impl fmt::Display for BarrierBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was reset or broken: not all who were expected came")
    }
}

impl Error for BarrierBroken {}
