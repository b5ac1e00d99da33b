//! `first_ok` and `first_done`: one output of several tasks, after which the others are cancelled and awaited.

use std::future::Future;
use std::sync::Arc;

use super::errors::{TaskError, TaskErrors};
use super::policy::GroupPolicy;
use super::running::group_with;
use crate::rt_sync::whole::Mutex;
use crate::task::Cancelled;

/// Spawns the futures, returns the output of the first that succeeds, and cancels the others; it waits until they have ended. If one of them panics and
/// another succeeds, the panic is told to [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure).
///
/// # Errors
///
/// The errors of all, if none succeeded; also if the call was cancelled, or all tasks were, as by the end of their runtime.
///
/// # Panics
///
/// Without any future: there is neither an output nor an error.
///
/// # Cancel safety
///
/// Dropping it aborts the tasks.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::first_ok;
///
/// let numbers = ["one", "2", "three"].map(|text| async move { text.parse::<i32>() });
/// assert_eq!(first_ok(numbers).await.unwrap(), 2);
/// # });
/// ```
#[doc(alias = "race")]
#[doc(alias = "select_ok")]
pub async fn first_ok<F, T, E>(futures: impl IntoIterator<Item = F>) -> Result<T, TaskErrors<E>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    first(GroupPolicy::FirstOk, futures).await
}

/// Spawns the futures, returns what the first that ends gives, and cancels the others; it waits until they have ended.
///
/// # Errors
///
/// That of the first, if it failed, and with it those of others that failed before they could be cancelled; also if the call was cancelled, or the first was, as
/// by the end of its runtime.
///
/// # Panics
///
/// As [`first_ok`].
///
/// # Cancel safety
///
/// Dropping it aborts the tasks.
#[doc(alias = "FIRST_COMPLETED")]
pub async fn first_done<F, T, E>(futures: impl IntoIterator<Item = F>) -> Result<T, TaskErrors<E>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    first(GroupPolicy::FirstDone, futures).await
}

async fn first<F, T, E>(
    policy: GroupPolicy,
    futures: impl IntoIterator<Item = F>,
) -> Result<T, TaskErrors<E>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let first = Arc::new(Mutex::new(None));
    let futures: Vec<_> = futures
        .into_iter()
        .map(|future| {
            let first = first.clone();
            async move {
                let output = future.await?;
                // What comes second is dropped without the lock.
                let second = {
                    let mut first = first.lock();
                    if first.is_none() {
                        *first = Some(output);
                        None
                    } else {
                        Some(output)
                    }
                };
                drop(second);
                Ok(())
            }
        })
        .collect();
    assert!(
        !futures.is_empty(),
        "the first of no futures was asked for: give at least one"
    );
    let body = async |group: super::TaskGroup<E>| {
        for future in futures {
            drop(group.spawn(future));
        }
        Ok(())
    };
    group_with(policy, body).await?;
    let output = first.lock().take();
    output.ok_or_else(|| {
        let cancelled = Cancelled::new("no task has ended by itself");
        TaskErrors::new(vec![TaskError::Cancelled(cancelled)])
    })
}
