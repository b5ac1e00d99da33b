//! Which local task set the current thread is in, if any.
//!
//! The places form a list from the innermost out. One may leave out of order, as a guard that is kept across an await does; it is taken
//! out of the middle.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::Local;
use crate::rt_sync::whole::thread_local;

/// Puts the current thread into a local task set until dropped.
pub(crate) struct Entered {
    place: NonNull<Place>,
    _not_send: PhantomData<*const ()>,
}

struct Place {
    local: Arc<Local>,
    outer: Cell<*const Self>,
}

pub(crate) fn enter(local: &Arc<Local>) -> Entered {
    let place = NonNull::from(Box::leak(Box::new(Place::new(local))));
    // SAFETY: the box is freed by `Entered::drop`, which takes the place out first.
    unsafe { push(place.as_ref()) };
    Entered {
        place,
        _not_send: PhantomData,
    }
}

/// Calls `f` inside `local`.
pub(super) fn inside<R>(local: &Arc<Local>, f: impl FnOnce() -> R) -> R {
    struct Leave<'a>(&'a Place);
    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            remove(self.0);
        }
    }

    let place = Place::new(local);
    // SAFETY: `Leave` takes the place out before it goes, whether `f` returns or panics.
    unsafe { push(&place) };
    let _leave = Leave(&place);
    f()
}

/// The innermost local task set that the current thread is in.
pub(crate) fn current() -> Option<Arc<Local>> {
    // SAFETY: see `push`.
    unsafe { INNERMOST.get().as_ref() }.map(|place| place.local.clone())
}

impl Place {
    fn new(local: &Arc<Local>) -> Self {
        Self {
            local: local.clone(),
            outer: Cell::new(ptr::null()),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: `enter` leaked the box, and this is the only one to take it back.
        let place = unsafe { Box::from_raw(self.place.as_ptr()) };
        remove(&place);
    }
}

/// # Safety
///
/// - The place stays where it is until the same thread calls `remove` with it, or for ever.
unsafe fn push(place: &Place) {
    place.outer.set(INNERMOST.replace(place));
}

fn remove(place: &Place) {
    if ptr::eq(INNERMOST.get(), place) {
        return INNERMOST.set(place.outer.get());
    }
    let mut inner = INNERMOST.get();
    // SAFETY: see `push`.
    while let Some(at) = unsafe { inner.as_ref() } {
        if ptr::eq(at.outer.get(), place) {
            return at.outer.set(place.outer.get());
        }
        inner = at.outer.get();
    }
}

thread_local! {
    /// Const and without a destructor: there even while other thread locals are being destroyed.
    static INNERMOST: Cell<*const Place> = const { Cell::new(ptr::null()) };
}
