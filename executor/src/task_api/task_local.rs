//! `task_local!`: values that belong to a future, wherever it is polled.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

/// Declares values that belong to a future: each static is a [`LocalKey`](crate::task::LocalKey).
///
/// A value is there while a future runs inside [`scope`](crate::task::LocalKey::scope), on whatever thread; there is no initial value, and
/// tasks that such a future spawns do not inherit it: see [`context_local!`](crate::context_local) for values that they may.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// executor::task_local! {
///     /// The request that is being answered.
///     static REQUEST: u32;
/// }
///
/// async fn log(text: &str) -> String {
///     format!("{text}, request {}", REQUEST.get())
/// }
///
/// let line = executor::spawn(REQUEST.scope(7, log("not found"))).await.unwrap();
/// assert_eq!(line, "not found, request 7");
/// # });
/// ```
#[macro_export]
#[doc(alias = "ContextVar")]
#[doc(alias = "contextvars")]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty);* $(;)?) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = {
            ::std::thread_local! {
                static VALUE: ::std::cell::RefCell<::std::option::Option<$type>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            $crate::task::LocalKey { inner: VALUE }
        };
    )*};
}

/// A value of the future that runs. Made by [`task_local!`](crate::task_local).
pub struct LocalKey<T: 'static> {
    /// For the macro. The value of the future that this thread polls, while it does.
    #[doc(hidden)]
    pub inner: thread::LocalKey<RefCell<Option<T>>>,
}

impl<T: 'static> LocalKey<T> {
    /// Gives `future` the value `value`, which is there while it is polled, and while it is dropped.
    ///
    /// Scopes of one key may be nested: the inner value hides the outer one. When the future is done its value stays in the scope,
    /// see [`TaskLocalFuture::take_value`].
    ///
    /// # Panics
    ///
    /// Polling the scope panics inside of [`with`](Self::with) or [`try_with`](Self::try_with) of the same key, because the value is
    /// borrowed; and in destructors of thread locals, when the key's own may be gone.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as `future`.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
            _pinned: PhantomPinned,
        }
    }

    /// Calls `f`, for which the value is `value`.
    ///
    /// # Panics
    ///
    /// As polling a [`scope`](Self::scope).
    #[track_caller]
    pub fn sync_scope<F: FnOnce() -> R, R>(&'static self, value: T, f: F) -> R {
        // A closure would be where the panic is said to be.
        match self.enter(&mut Some(value), f) {
            Ok(result) => result,
            Err(refused) => refused.panic(),
        }
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
            Err(error) => panic!("{error}: call `LocalKey::scope` around it, or use `try_with`"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    ///
    /// Outside of a scope.
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        // An error: the thread ends, and the place is gone. Then it has no value.
        let result = self.inner.try_with(|value| value.borrow().as_ref().map(f));
        result.ok().flatten().ok_or(AccessError(()))
    }

    /// Calls `f` while the value in `slot` and the current one have changed places.
    fn enter<R>(&'static self, slot: &mut Option<T>, f: impl FnOnce() -> R) -> Result<R, Refused> {
        struct SwapBack<'a, T: 'static>(&'static LocalKey<T>, &'a mut Option<T>);
        impl<T> Drop for SwapBack<'_, T> {
            fn drop(&mut self) {
                // Neither can fail: the place was there, and the borrows that began since have ended.
                self.0
                    .inner
                    .with(|value| mem::swap(self.1, &mut value.borrow_mut()));
            }
        }
        let entered = self.inner.try_with(|value| {
            let mut value = value.try_borrow_mut().map_err(|_| Refused::Borrowed)?;
            mem::swap(slot, &mut value);
            Ok(())
        });
        entered.map_err(|_| Refused::ThreadEnds)??;
        let _back = SwapBack(self, slot);
        Ok(f())
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    ///
    /// Outside of a scope.
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    ///
    /// Outside of a scope.
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future with a value of its own. Made by [`LocalKey::scope`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        // While the future runs: what the key's value was before.
        value: Option<T>,
        // `None` once it is done.
        #[pin]
        future: Option<F>,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if mem::needs_drop::<F>() && this.future.is_some() {
                // Refused, it is dropped without the value, by the field.
                let _ = this.key.enter(this.value, || this.future.set(None));
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out, also before the future is done, which then runs without it.
    ///
    /// `None` if it was taken before.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::cell::Cell;
    ///
    /// executor::task_local! {
    ///     static COUNT: Cell<u32>;
    /// }
    ///
    /// let mut scope = Box::pin(COUNT.scope(Cell::new(0), async {
    ///     COUNT.with(|count| count.set(5));
    /// }));
    /// scope.as_mut().await;
    /// assert_eq!(scope.as_mut().take_value(), Some(Cell::new(5)));
    /// # });
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let poll = this.key.enter(this.value, || {
            let future = this.future.as_mut().as_pin_mut();
            let poll = future
                .expect("a scope was polled after it was ready")
                .poll(cx);
            if poll.is_ready() {
                // Its destructor sees the value, too.
                this.future.set(None);
            }
            poll
        });
        poll.unwrap_or_else(|refused| refused.panic())
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TaskLocalFuture");
        if let Some(value) = &self.value {
            debug.field("value", value);
        }
        debug.finish_non_exhaustive()
    }
}

/// The key has no value here. See [`LocalKey::try_with`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl AccessError {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessError")
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task-local value is not set")
    }
}

impl Error for AccessError {}

/// Why a scope cannot be entered.
enum Refused {
    Borrowed,
    ThreadEnds,
}

impl Refused {
    #[track_caller]
    fn panic(self) -> ! {
        match self {
            Self::Borrowed => panic!(
                "a task-local scope was entered inside of `with` of the same key: copy the value out of `with` first"
            ),
            Self::ThreadEnds => panic!(
                "a task-local scope was entered while its thread ends: do not poll it in destructors of thread locals"
            ),
        }
    }
}
