//! `WorkItem`: an item that counts as worked off when it is dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{Buffer, Store};

/// An item that somebody works on. Dropped, also by a panic or an abort, it counts as worked off; see [`Buffer::join`].
#[doc(alias = "task_done")]
#[must_use = "dropped, it counts as worked off"]
pub struct WorkItem<S: Store> {
    item: S::Item,
    counted: Counted<S>,
}

struct Counted<S: Store>(Buffer<S>);

impl<S: Store> Drop for Counted<S> {
    fn drop(&mut self) {
        self.0.0.change(|items, _| items.done());
    }
}

impl<S: Store> WorkItem<S> {
    /// The queue has counted it already.
    pub(super) fn new(queue: Buffer<S>, item: S::Item) -> Self {
        Self {
            item,
            counted: Counted(queue),
        }
    }

    /// The item, which counts as worked off.
    pub fn into_inner(self) -> S::Item {
        let Self { item, counted } = self;
        drop(counted);
        item
    }
}

impl<S: Store> Deref for WorkItem<S> {
    type Target = S::Item;

    fn deref(&self) -> &S::Item {
        &self.item
    }
}

impl<S: Store> DerefMut for WorkItem<S> {
    fn deref_mut(&mut self) -> &mut S::Item {
        &mut self.item
    }
}

impl<S: Store> fmt::Debug for WorkItem<S>
where
    S::Item: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkItem").field(&self.item).finish()
    }
}
