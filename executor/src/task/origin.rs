//! Where a task was spawned, and its name if it has one: in one word, because every task carries it.

use std::panic::Location;
use std::ptr;

/// Either the pointer of a `&'static Location`, or that of a `Box<Named>` with its lowest bit set.
pub(crate) struct Origin(*const ());

struct Named {
    name: Box<str>,
    location: &'static Location<'static>,
}

impl Origin {
    /// With a name, if there is one.
    pub(crate) fn new(name: Option<&str>, location: &'static Location<'static>) -> Self {
        let Some(name) = name.map(Box::from) else {
            return location.into();
        };
        let named = Box::into_raw(Box::new(Named { name, location }));
        Self(named.cast_const().cast::<()>().map_addr(|at| at | NAMED))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.named().map(|named| &*named.name)
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        match self.named() {
            Some(named) => named.location,
            // SAFETY: without the bit it is the pointer of such a reference.
            None => unsafe { &*self.0.cast() },
        }
    }

    fn named(&self) -> Option<&Named> {
        // SAFETY: the box is ours, and nobody has it mutably while `self` is borrowed.
        self.boxed().map(|named| unsafe { &*named })
    }

    fn boxed(&self) -> Option<*mut Named> {
        let is_named = self.0.addr() & NAMED != 0;
        is_named.then(|| self.0.map_addr(|at| at & !NAMED).cast_mut().cast())
    }
}

impl From<&'static Location<'static>> for Origin {
    fn from(location: &'static Location<'static>) -> Self {
        Self(ptr::from_ref(location).cast())
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(named) = self.boxed() {
            // SAFETY: `new` made the pointer of a box, and this ends its one owner.
            drop(unsafe { Box::from_raw(named) });
        }
    }
}

/// The bit that no pointer to a `Location` or a `Named` has.
const NAMED: usize = 1;
const _: () = assert!(align_of::<Location<'_>>() > NAMED && align_of::<Named>() > NAMED);
