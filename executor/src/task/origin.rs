//! Where a task was spawned, and what few tasks have besides, a name or a scope: in one word, because every task carries it.

use std::panic::Location;
use std::ptr;
use std::sync::{Arc, OnceLock};

use super::cancel::{Around, Scope};
use crate::rt_sync::atomic::AtomicPtr;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Either the pointer of a `&'static Location`, or that of a `Box<Details>` with its lowest bit set.
///
/// The first may become the second, once: when the task gets a scope. A box stays until the end, so what it contains may be borrowed as long as
/// the `Origin`.
pub(crate) struct Origin(AtomicPtr<()>);

struct Details {
    name: Option<Box<str>>,
    location: &'static Location<'static>,
    scope: OnceLock<Scope>,
}

impl Origin {
    /// With a name, if there is one.
    pub(crate) fn new(name: Option<&str>, location: &'static Location<'static>) -> Self {
        let Some(name) = name.map(Box::from) else {
            return location.into();
        };
        let details = Details {
            name: Some(name),
            location,
            scope: OnceLock::new(),
        };
        Self(AtomicPtr::new(details.into_word()))
    }

    /// Of a task that is a part of the code that spawns it, and has the deadlines around that.
    pub(crate) fn inside(
        location: &'static Location<'static>,
        around: Option<Arc<Around>>,
    ) -> Self {
        let origin = Self::from(location);
        if let Some(around) = around {
            origin.scope().set_around(around);
        }
        origin
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.details().ok()?.name.as_deref()
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        match self.details() {
            Ok(details) => details.location,
            Err(location) => location,
        }
    }

    /// Both.
    #[inline]
    pub(crate) fn location_and_name(&self) -> (&'static Location<'static>, Option<&str>) {
        match self.details() {
            Ok(details) => (details.location, details.name.as_deref()),
            Err(location) => (location, None),
        }
    }

    /// The task's scope, if it has one.
    #[inline]
    pub(super) fn try_scope(&self) -> Option<&Scope> {
        self.details().ok()?.scope.get()
    }

    /// The task's scope, which the first call makes.
    pub(super) fn scope(&self) -> &Scope {
        match self.details() {
            Ok(details) => details.scope.get_or_init(Scope::new),
            Err(location) => self.add_scope(location),
        }
    }

    #[cold]
    fn add_scope(&self, location: &'static Location<'static>) -> &Scope {
        let details = Details {
            name: None,
            location,
            scope: OnceLock::from(Scope::new()),
        };
        let (old, new) = (word(location), details.into_word());
        // Release: pairs with the Acquire of `details`. Acquire: somebody else's box.
        if self.0.compare_exchange(old, new, AcqRel, Acquire).is_err() {
            // SAFETY: the box was made above, and nobody has seen it.
            drop(unsafe { Box::from_raw(boxed(new)) });
        }
        self.try_scope().expect("whoever was first made a scope")
    }

    #[inline]
    fn details(&self) -> Result<&Details, &'static Location<'static>> {
        // Acquire: pairs with the Release of `add_scope`.
        let word = self.0.load(Acquire);
        if word.addr() & BOXED == 0 {
            // SAFETY: without the bit it is the pointer of such a reference.
            Err(unsafe { &*word.cast::<Location<'static>>() })
        } else {
            // SAFETY: the box is ours and stays until `self` is dropped; nobody has it mutably before.
            Ok(unsafe { &*boxed(word) })
        }
    }
}

impl Details {
    fn into_word(self) -> *mut () {
        let details = Box::into_raw(Box::new(self));
        details.cast::<()>().map_addr(|at| at | BOXED)
    }
}

fn boxed(word: *mut ()) -> *mut Details {
    word.map_addr(|at| at & !BOXED).cast()
}

fn word(location: &'static Location<'static>) -> *mut () {
    ptr::from_ref(location).cast_mut().cast()
}

impl From<&'static Location<'static>> for Origin {
    fn from(location: &'static Location<'static>) -> Self {
        Self(AtomicPtr::new(word(location)))
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // Relaxed: whoever drops it is alone with it.
        let word = self.0.load(Relaxed);
        if word.addr() & BOXED != 0 {
            // SAFETY: `into_word` made the pointer of a box, and this ends its one owner.
            drop(unsafe { Box::from_raw(boxed(word)) });
        }
    }
}

/// The bit that no pointer to a `Location` or a `Details` has.
const BOXED: usize = 1;
const _: () = assert!(align_of::<Location<'_>>() > BOXED && align_of::<Details>() > BOXED);
