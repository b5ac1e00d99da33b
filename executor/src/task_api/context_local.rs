//! `context_local!`: values of a future that the tasks it spawns inherit, if they are asked to.
//!
//! All such values of a future are one map, which never changes: a scope makes a new one, with one value more. The map is a task-local value, so
//! where it is seen, and when it is put back, is `task_local`'s business. To inherit is to run in the same map.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use super::spawn::spawn_at;
use super::task_local::AccessError;
use crate::task::JoinHandle;

/// Declares values that belong to a future, and to tasks that inherit them: each static is a [`ContextKey`](crate::task::ContextKey).
///
/// As [`task_local!`](crate::task_local), whose values are never inherited and need not be shared between threads. A value is there while
/// a future runs inside [`scope`](crate::task::ContextKey::scope). A task that the future spawns has it if it is spawned by
/// [`spawn_inheriting`](crate::task::spawn_inheriting), with [`Builder::inherit`](crate::task::Builder::inherit), or of a future that
/// [`inherit`](crate::task::inherit) has made.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task;
///
/// executor::context_local! {
///     /// The request that is being answered.
///     static REQUEST: u32;
/// }
///
/// REQUEST.scope(7, async {
///     let inherits = task::spawn_inheriting(async { REQUEST.get() });
///     assert_eq!(inherits.await.unwrap(), 7);
///
///     let does_not = task::spawn(async { REQUEST.try_get() });
///     assert!(does_not.await.unwrap().is_err());
/// }).await;
/// # });
/// ```
#[macro_export]
#[doc(alias = "ContextVar")]
#[doc(alias = "contextvars")]
#[doc(alias = "copy_context")]
macro_rules! context_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty);* $(;)?) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::task::ContextKey<$type> =
            $crate::task::ContextKey::new(::std::stringify!($name));
    )*};
}

/// A value of the future that runs, and of tasks that inherit it. Made by [`context_local!`](crate::context_local).
///
/// Values are shared with those who inherit them, hence `Send` and `Sync`, and never change: an inner scope hides an outer one.
#[doc(alias = "ContextVar")]
pub struct ContextKey<T: 'static> {
    /// Also what makes each static an address of its own, which is its identity.
    name: &'static str,
    _value: PhantomData<fn() -> T>,
}

crate::task_local! {
    static VALUES: Values;
}

/// Few keys are set at once, so a map is a list.
#[derive(Clone, Default)]
pub(super) struct Values(Option<Arc<[Entry]>>);

/// A key's address, and its value.
type Entry = (usize, Arc<dyn Any + Send + Sync>);

impl<T: Send + Sync + 'static> ContextKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            _value: PhantomData,
        }
    }

    /// Gives `future` the value `value`, beside those of other keys that are there when it is first polled.
    ///
    /// # Panics
    ///
    /// As the scopes of [`task_local!`](crate::task_local), in destructors of thread locals.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as `future`.
    pub async fn scope<F: Future>(&'static self, value: T, future: F) -> F::Output {
        let values = Values::current().with(self, value);
        VALUES.scope(values, future).await
    }

    /// Calls `f`, for which the value is `value`.
    ///
    /// # Panics
    ///
    /// As [`scope`](Self::scope).
    #[track_caller]
    pub fn sync_scope<F: FnOnce() -> R, R>(&'static self, value: T, f: F) -> R {
        let values = Values::current().with(self, value);
        VALUES.sync_scope(values, f)
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    ///
    /// Outside of a scope.
    #[track_caller]
    pub fn with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!(
                "{} is not set: call `ContextKey::scope` around it, spawn the task by `spawn_inheriting`, or use `try_with`",
                self.name
            ),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    ///
    /// Outside of a scope.
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        // Found first, and called without a borrow: so `f` may enter scopes.
        let value = VALUES.try_with(|values| values.find(self.key()))?;
        match value.as_ref().and_then(|value| value.downcast_ref()) {
            Some(value) => Ok(f(value)),
            None => Err(AccessError::new()),
        }
    }

    /// A clone of the value.
    ///
    /// # Panics
    ///
    /// Outside of a scope.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    ///
    /// Outside of a scope.
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }

    fn key(&'static self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl<T: 'static> fmt::Debug for ContextKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContextKey").field(&self.name).finish()
    }
}

impl Values {
    /// Those of the future that runs. None outside of any scope.
    pub(super) fn current() -> Self {
        VALUES.try_get().unwrap_or_default()
    }

    fn with<T: Send + Sync>(&self, key: &'static ContextKey<T>, value: T) -> Self {
        let others = self.entries().iter().filter(|(set, _)| *set != key.key());
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        Self(Some(others.cloned().chain([(key.key(), value)]).collect()))
    }

    fn find(&self, key: usize) -> Option<Arc<dyn Any + Send + Sync>> {
        let found = self.entries().iter().find(|(set, _)| *set == key);
        found.map(|(_, value)| value.clone())
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        VALUES.scope(self, future)
    }

    pub(super) fn sync_scope<R>(self, f: impl FnOnce() -> R) -> R {
        VALUES.sync_scope(self, f)
    }
}

/// As [`spawn`](super::spawn), with the values of [`context_local!`](crate::context_local) that are there where it is called.
///
/// # Panics
///
/// As [`spawn`](super::spawn).
#[track_caller]
pub fn spawn_inheriting<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_at(std::panic::Location::caller(), inherit(future))
}

/// Gives `future` the values of [`context_local!`](crate::context_local) that are there where this is called, wherever it is polled: in a task
/// of a [`JoinSet`](super::JoinSet), say, or on another runtime.
///
/// # Cancel safety
///
/// As cancel safe as `future`.
pub fn inherit<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Values::current().scope(future)
}

/// As [`inherit`], for a closure: one that is given to [`spawn_blocking`](super::spawn_blocking) or a thread.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task;
///
/// executor::context_local! {
///     static REQUEST: u32;
/// }
///
/// REQUEST.scope(7, async {
///     let closure = task::inherit_fn(|| REQUEST.get());
///     assert_eq!(task::spawn_blocking(closure).await.unwrap(), 7);
/// }).await;
/// # });
/// ```
pub fn inherit_fn<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let values = Values::current();
    || values.sync_scope(f)
}
