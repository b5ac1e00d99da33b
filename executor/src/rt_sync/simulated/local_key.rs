//! shuttle's thread locals, with the standard library's methods for those that are cells.

use std::cell::Cell;

pub(crate) struct LocalKey<T: 'static>(pub(crate) shuttle::thread::LocalKey<T>);

impl<T> LocalKey<T> {
    pub(crate) fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }

    pub(crate) fn try_with<R>(
        &'static self,
        f: impl FnOnce(&T) -> R,
    ) -> Result<R, impl std::error::Error> {
        self.0.try_with(f)
    }
}

impl<T> LocalKey<Cell<T>> {
    pub(crate) fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    pub(crate) fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    pub(crate) fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }
}

macro_rules! local_key {
    ($(
        $(#[$attribute:meta])*
        static $name:ident: $type:ty = const { $value:expr };
    )*) => {$(
        $(#[$attribute])*
        static $name: $crate::rt_sync::simulated::LocalKey<$type> =
            $crate::rt_sync::simulated::LocalKey(::shuttle::thread::LocalKey {
                init: || $value,
                _p: ::std::marker::PhantomData,
            });
    )*};
}
pub(crate) use local_key;
