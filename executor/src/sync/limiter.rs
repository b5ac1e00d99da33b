//! `CapacityLimiter`: so many at a time, each once, and the number may change.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::hash::Hash;

use super::block::block;
use super::monitor::{Monitor, State};
use super::wait_list::{Called, WaitList};
use crate::task::{self, Id};

/// Lets so many borrowers work at a time, knows who they are, and may be made larger and smaller while they do.
///
/// A [`Semaphore`](super::Semaphore) counts permits and does not know who has them. Here each borrower has one token at most: a task that
/// would wait for itself gets an error instead. A borrower is a task, or, on behalf of which
/// [`acquire_for`](Self::acquire_for) is called, any value: the address of a client, say.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::sync::CapacityLimiter;
/// use std::sync::Arc;
///
/// let limiter = Arc::new(CapacityLimiter::new(2));
/// let tasks: Vec<_> = (0..10)
///     .map(|n| {
///         let limiter = limiter.clone();
///         executor::spawn(async move {
///             let _token = limiter.acquire().await.unwrap();
///             assert!(limiter.borrowed_tokens() <= 2);
///             n
///         })
///     })
///     .collect();
/// for task in tasks {
///     task.await.unwrap();
/// }
/// # });
/// ```
#[derive(Debug)]
pub struct CapacityLimiter<B: Eq + Hash = Id>(Monitor<Tokens<B>>);

#[derive(Debug)]
struct Tokens<B> {
    total: usize,
    borrowers: HashSet<B>,
    waiters: WaitList,
}

impl<B: Eq + Hash> State for Tokens<B> {
    type Outcome = ();

    fn settle(&mut self, called: &mut Called) {
        while self.may_borrow() && self.waiters.call((), called) {}
    }
}

impl<B: Eq + Hash + Clone> Tokens<B> {
    fn borrow(&mut self, told: Option<()>, borrower: &B) -> Option<Result<(), AlreadyBorrows>> {
        if self.borrowers.contains(borrower) {
            return Some(Err(AlreadyBorrows));
        }
        let may_borrow = told.is_some() || self.may_borrow();
        may_borrow.then(|| {
            self.borrowers.insert(borrower.clone());
            Ok(())
        })
    }
}

impl<B> Tokens<B> {
    /// There is a token for one more than those who were called for one.
    fn may_borrow(&self) -> bool {
        self.borrowers.len() + self.waiters.called() < self.total
    }
}

/// A token of a [`CapacityLimiter`], which is given back when this is dropped.
#[must_use = "dropped, it is given back"]
#[derive(Debug)]
pub struct CapacityToken<'a, B: Eq + Hash = Id> {
    limiter: &'a CapacityLimiter<B>,
    borrower: B,
}

/// The borrower has a token of this limiter already, and would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyBorrows;

/// Why a token is not had without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryBorrowError {
    /// All are borrowed, or others wait.
    #[doc(alias = "WouldBlock")]
    NoTokens,
    /// As [`AlreadyBorrows`].
    AlreadyBorrows,
}

/// What a [`CapacityLimiter`] has lent to whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CapacityStatistics<B> {
    /// How many tokens there are. Fewer than are borrowed, if that was changed.
    pub total_tokens: usize,
    /// Who has one, in no order.
    pub borrowers: Vec<B>,
    /// How many wait.
    pub tasks_waiting: usize,
}

impl<B: Eq + Hash + Clone> CapacityLimiter<B> {
    /// A limiter with so many tokens. With none all wait until there are some.
    pub fn new(total_tokens: usize) -> Self {
        Self(Monitor::new(Tokens {
            total: total_tokens,
            borrowers: HashSet::new(),
            waiters: WaitList::default(),
        }))
    }

    /// Borrows a token for `borrower`; waits, in order of arrival, while all are borrowed.
    ///
    /// Borrowers are hashed and compared under the limiter's lock: that must not use the limiter.
    ///
    /// # Errors
    ///
    /// The borrower has one, or got one while this waited.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it has borrowed nothing.
    #[doc(alias = "acquire_on_behalf_of")]
    pub async fn acquire_for(&self, borrower: B) -> Result<CapacityToken<'_, B>, AlreadyBorrows> {
        self.0
            .wait(
                |tokens| &mut tokens.waiters,
                |tokens, told, _| tokens.borrow(told, &borrower),
            )
            .await?;
        Ok(self.token(borrower))
    }

    /// Borrows a token for `borrower` if that needs no waiting.
    ///
    /// # Errors
    ///
    /// All tokens are borrowed, or the borrower has one.
    #[doc(alias = "acquire_on_behalf_of_nowait")]
    pub fn try_acquire_for(&self, borrower: B) -> Result<CapacityToken<'_, B>, TryBorrowError> {
        match self.0.change(|tokens, _| tokens.borrow(None, &borrower)) {
            Some(Ok(())) => Ok(self.token(borrower)),
            Some(Err(AlreadyBorrows)) => Err(TryBorrowError::AlreadyBorrows),
            None => Err(TryBorrowError::NoTokens),
        }
    }

    /// As [`acquire_for`](Self::acquire_for), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Errors
    ///
    /// As [`acquire_for`](Self::acquire_for).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    pub fn blocking_acquire_for(
        &self,
        borrower: B,
    ) -> Result<CapacityToken<'_, B>, AlreadyBorrows> {
        block(self.acquire_for(borrower))
    }

    /// How many tokens there are.
    pub fn total_tokens(&self) -> usize {
        self.0.look(|tokens| tokens.total)
    }

    /// Makes it so many tokens from now on. With fewer than are borrowed, nobody loses one; nobody gets one either until enough are back.
    pub fn set_total_tokens(&self, total_tokens: usize) {
        self.0.change(|tokens, _| tokens.total = total_tokens);
    }

    /// How many tokens are borrowed.
    pub fn borrowed_tokens(&self) -> usize {
        self.0.look(|tokens| tokens.borrowers.len())
    }

    /// How many tokens nobody has borrowed.
    pub fn available_tokens(&self) -> usize {
        let available = |tokens: &Tokens<B>| tokens.total.saturating_sub(tokens.borrowers.len());
        self.0.look(available)
    }

    /// Who has borrowed, and how many wait.
    pub fn statistics(&self) -> CapacityStatistics<B> {
        self.0.look(|tokens| CapacityStatistics {
            total_tokens: tokens.total,
            borrowers: tokens.borrowers.iter().cloned().collect(),
            tasks_waiting: tokens.waiters.waiting(),
        })
    }

    fn token(&self, borrower: B) -> CapacityToken<'_, B> {
        CapacityToken {
            limiter: self,
            borrower,
        }
    }
}

impl CapacityLimiter {
    /// Borrows a token for the task that calls it; waits, in order of arrival, while all are borrowed.
    ///
    /// # Errors
    ///
    /// The task has one.
    ///
    /// # Panics
    ///
    /// Outside of a task, see [`task::id`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it has borrowed nothing.
    pub async fn acquire(&self) -> Result<CapacityToken<'_>, AlreadyBorrows> {
        self.acquire_for(task::id()).await
    }

    /// Borrows a token for the task that calls it if that needs no waiting.
    ///
    /// # Errors
    ///
    /// All tokens are borrowed, or the task has one.
    ///
    /// # Panics
    ///
    /// Outside of a task, see [`task::id`].
    #[doc(alias = "acquire_nowait")]
    #[track_caller]
    pub fn try_acquire(&self) -> Result<CapacityToken<'_>, TryBorrowError> {
        self.try_acquire_for(task::id())
    }
}

impl<B: Eq + Hash> CapacityToken<'_, B> {
    /// Who has borrowed it.
    pub fn borrower(&self) -> &B {
        &self.borrower
    }
}

impl<B: Eq + Hash> Drop for CapacityToken<'_, B> {
    fn drop(&mut self) {
        let Self { limiter, borrower } = self;
        // Dropped after the lock.
        let _returned = limiter
            .0
            .change(|tokens, _| tokens.borrowers.take(borrower));
    }
}

impl fmt::Display for AlreadyBorrows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the borrower has a token of this limiter already")
    }
}

impl fmt::Display for TryBorrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTokens => f.write_str("all tokens are borrowed"),
            Self::AlreadyBorrows => AlreadyBorrows.fmt(f),
        }
    }
}

impl Error for AlreadyBorrows {}
impl Error for TryBorrowError {}
