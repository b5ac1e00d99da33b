//! A doubly linked list of nodes that live elsewhere.

use std::ptr::{self, NonNull};

use crate::node::Node;

/// One slot's entries, oldest first. Owns nothing: a node leaves before its entry is freed.
#[derive(Debug, Default)]
pub(crate) struct List {
    head: Option<NonNull<Node>>,
    tail: Option<NonNull<Node>>,
    /// The one that the next to come is `later` than.
    lagging: Option<NonNull<Node>>,
    /// How many have come since `lagging`, less those that have gone, up to [`LAG`].
    gap: u32,
}

// SAFETY: the list lies inside of the wheel's lock and its nodes are touched under that lock only, so it does not
// matter which thread holds it; the nodes themselves, wakers included, are Send.
unsafe impl Send for List {}

impl List {
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    pub(crate) fn front(&self) -> Option<NonNull<Node>> {
        self.head
    }

    /// Appends `node`.
    ///
    /// # Safety
    ///
    /// * The caller holds the lock that guards the list and the node.
    /// * `node` is in no list, and is neither moved nor freed before it is removed from this one.
    pub(crate) unsafe fn push_back(&mut self, node: NonNull<Node>) {
        let previous = self.tail.replace(node);
        // SAFETY: alive and guarded by the lock that the caller holds.
        unsafe {
            Node::with(node, |fields| {
                (fields.previous, fields.next, fields.later) = (previous, None, ptr::null());
            });
        }
        match previous {
            // SAFETY: a node in the list is alive, and guarded by the same lock.
            Some(last) => unsafe { Node::with(last, |fields| fields.next = Some(node)) },
            None => (self.head, self.lagging) = (Some(node), Some(node)),
        }
        if self.gap < LAG {
            self.gap += 1;
        } else if let Some(lagging) = self.lagging {
            // SAFETY: as above.
            self.lagging = unsafe {
                Node::with(lagging, |fields| {
                    fields.later = node.as_ptr();
                    fields.next
                })
            };
        }
    }

    /// Takes `node` out.
    ///
    /// # Safety
    ///
    /// * The caller holds the lock that guards the list and the node.
    /// * `node` is in this list.
    pub(crate) unsafe fn remove(&mut self, node: NonNull<Node>) {
        // SAFETY: in this list, hence alive, and guarded by the lock that the caller holds.
        let (previous, next) =
            unsafe { Node::with(node, |fields| (fields.previous.take(), fields.next.take())) };
        match previous {
            // SAFETY: a neighbour is in the list, hence alive, and guarded by the same lock.
            Some(before) => unsafe { Node::with(before, |fields| fields.next = next) },
            None => self.head = next,
        }
        match next {
            // SAFETY: as above.
            Some(after) => unsafe { Node::with(after, |fields| fields.previous = previous) },
            None => self.tail = previous,
        }
        self.gap = self.gap.saturating_sub(1);
        if self.lagging == Some(node) {
            self.lagging = next.or(previous);
        }
    }

    /// The nodes, first to last.
    ///
    /// # Safety
    ///
    /// * The caller holds the lock that guards the list while the iterator is used, and changes nothing meanwhile.
    #[cfg(test)]
    pub(crate) unsafe fn iter(&self) -> impl Iterator<Item = NonNull<Node>> + '_ {
        std::iter::successors(self.head, |node| {
            // SAFETY: in the list, hence alive, and guarded by the lock that the caller holds.
            unsafe { Node::with(*node, |fields| fields.next) }
        })
    }
}

/// So many nodes are on their way from memory while a slot is emptied.
const LAG: u32 = 8;
