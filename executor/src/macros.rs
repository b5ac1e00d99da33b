//! The macros `select!`, `join!`, `try_join!` and `pin!`, and what the code they make calls.

/// Waits for several futures at once, in this task, and runs the handler of the first that is ready; the others are dropped.
///
/// ```text
/// select! {
///     biased;                                        // optional
///     pattern = future, if condition => handler,     // any number
///     else => handler,                               // optional
/// }
/// ```
///
/// - First all conditions are evaluated, then all futures, those of branches whose condition is false too; but only branches
///   whose condition holds are polled.
/// - A future whose output does not match its pattern is out, and the others go on.
/// - When every branch is out, or has been off from the start, `else` runs.
/// - The futures are dropped before a handler runs, so handlers may use what they borrowed, and `.await`, `?`, `break`.
/// - The value of the macro is that of the handler.
///
/// The futures run on one thread: one that computes or blocks stops the others. Give what should run in parallel to
/// [`spawn`](crate::spawn), and select over the handles.
///
/// # Fairness
///
/// Which branch is polled first is random, so one that is always ready does not hide the others. With `biased;` they are polled in
/// the order as written, which costs less and makes that order the caller's business: what is rarely ready comes first.
///
/// # Panics
///
/// If every branch is out and there is no `else`.
///
/// # Cancel safety
///
/// Every branch but one is dropped while it waits. In a loop, use only futures that say they are cancel safe, or keep the future
/// outside of the loop, pin it with [`pin!`](crate::pin) and select on `&mut future`.
///
/// ```
/// # #[executor::main(flavor = "current_thread")]
/// # async fn main() {
/// use executor::time::{Duration, sleep};
///
/// let work = async { 42 };
/// let answer = executor::select! {
///     answer = work => Some(answer),
///     _ = sleep(Duration::from_secs(10)) => None,
/// };
/// assert_eq!(answer, Some(42));
/// # }
/// ```
///
/// ```
/// # #[executor::main(flavor = "current_thread")]
/// # async fn main() {
/// use futures::{StreamExt, stream};
///
/// let (mut odd, mut even) = (stream::iter([1, 3]), stream::iter([2]));
/// let mut sum = 0;
/// loop {
///     executor::select! {
///         Some(n) = odd.next() => sum += n,
///         Some(n) = even.next(), if sum > 0 => sum += n,
///         else => break,
///     }
/// }
/// assert!(sum >= 4);
/// # }
/// ```
#[cfg(feature = "macros")]
#[doc(alias = "wait")]
#[doc(alias = "FIRST_COMPLETED")]
#[macro_export]
macro_rules! select {
    ($($input:tt)*) => {
        $crate::macros::support::select!($crate; $($input)*)
    };
}

/// Waits for all of several futures, concurrently in this task, and gives their outputs as a tuple.
///
/// The futures run on one thread; give what should run in parallel to [`spawn`](crate::spawn), and join the handles. After
/// `biased;` they are polled in the order as written; otherwise each poll begins with another one.
///
/// # Cancel safety
///
/// Dropping it drops all the futures, and the outputs of those that were ready.
///
/// ```
/// # #[executor::main(flavor = "current_thread")]
/// # async fn main() {
/// let (one, two) = executor::join!(async { 1 }, async { "two" });
/// assert_eq!((one, two), (1, "two"));
/// # }
/// ```
#[cfg(feature = "macros")]
#[doc(alias = "gather")]
#[macro_export]
macro_rules! join {
    ($($input:tt)*) => {
        $crate::macros::support::join!($crate; $($input)*)
    };
}

/// As [`join!`](crate::join), for futures that give a `Result`: the first error ends it.
///
/// Gives `Ok` with a tuple of all values, or the first error, at once: the other futures are dropped where they are. All of the
/// futures have the same type of error.
///
/// # Cancel safety
///
/// As [`join!`](crate::join).
///
/// ```
/// # #[executor::main(flavor = "current_thread")]
/// # async fn main() {
/// let both = executor::try_join!(async { "1".parse::<u8>() }, async { "x".parse::<u8>() });
/// assert!(both.is_err());
/// # }
/// ```
#[cfg(feature = "macros")]
#[doc(alias = "gather")]
#[macro_export]
macro_rules! try_join {
    ($($input:tt)*) => {
        $crate::macros::support::try_join!($crate; $($input)*)
    };
}

/// Pins values where they are, under the same names.
///
/// For futures that are polled by reference, as in `select!` inside a loop. The standard library's
/// [`std::pin::pin!`] does the same as an expression.
///
/// ```
/// # #[cfg(feature = "macros")]
/// # #[executor::main(flavor = "current_thread")]
/// # async fn main() {
/// let first = async { 1 };
/// executor::pin!(first);
/// assert_eq!((&mut first).await, 1);
///
/// executor::pin! {
///     let second = async { 2 };
/// }
/// assert_eq!(second.await, 2);
/// # }
/// # #[cfg(not(feature = "macros"))]
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! pin {
    ($($name:ident),* $(,)?) => {$(
        #[allow(unused_mut)]
        let mut $name = ::core::pin::pin!($name);
    )*};
    ($(let $name:ident = $value:expr;)*) => {$(
        #[allow(unused_mut)]
        let mut $name = ::core::pin::pin!($value);
    )*};
}

/// For the code that `gather!` makes, and for nobody else.
pub use crate::task_api::gather_tuple as gathering;

/// For the code that the macros make, and for nobody else.
#[cfg(feature = "macros")]
pub mod support {
    use std::cell::Cell;
    use std::hash::{BuildHasher, RandomState};
    use std::task::{Context, Poll};

    pub use executor_rt_macros::{join, select, try_join};
    pub use futures::future::{maybe_done, try_maybe_done};
    pub use std::future::poll_fn;

    /// Waits if the task has used up its budget: a branch that counts nothing must not take the turn of one that does.
    pub fn poll_budget(context: &mut Context<'_>) -> Poll<()> {
        crate::coop::poll_proceed(context).map(drop)
    }

    /// A number below `count`, which is small: the remainder's bias does not matter.
    #[must_use]
    pub fn random_below(count: usize) -> usize {
        thread_local! {
            static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
        }
        // Marsaglia's xorshift, *Xorshift RNGs*, 2003. A thread that is being destroyed always begins with the first branch.
        let next = STATE.try_with(|state| {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            x
        });
        next.map_or(0, |x| (x >> 32) as usize % count)
    }
}
