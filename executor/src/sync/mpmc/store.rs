//! What a queue keeps its items in, which is the order in which they leave.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// The order in which items leave: one of [`Fifo`], [`Lifo`] and [`SmallestFirst`]. Cannot be implemented elsewhere.
pub trait Store: Default + Sealed<Kept = Self::Item> {
    /// What is kept.
    type Item;
}

/// For [`Store`] alone.
#[expect(unnameable_types, reason = "that is how it is closed")]
pub trait Sealed: Sized {
    /// As [`Store::Item`].
    type Kept;
    /// Puts one in.
    fn push(&mut self, item: Self::Kept);
    /// Takes the next one out.
    fn pop(&mut self) -> Option<Self::Kept>;
    /// How many there are.
    fn len(&self) -> usize;
}

/// First in, first out. The order of [`Queue`](super::Queue).
pub struct Fifo<T>(VecDeque<T>);

/// Last in, first out. The order of [`Stack`](super::Stack).
pub struct Lifo<T>(Vec<T>);

/// The smallest first; of equals, the one that came first. The order of [`PriorityQueue`](super::PriorityQueue).
pub struct SmallestFirst<T> {
    heap: BinaryHeap<Entry<T>>,
    next: u64,
}

struct Entry<T> {
    item: T,
    number: u64,
}

/// The heap gives out the greatest: so the smallest is the greatest here.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_number = || other.number.cmp(&self.number);
        other.item.cmp(&self.item).then_with(by_number)
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Ord> Eq for Entry<T> {}

impl<T> Fifo<T> {
    /// Takes out the first of which `is_it` is true.
    pub(super) fn remove(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let place = self.0.iter().position(is_it)?;
        self.0.remove(place)
    }
}

impl<T> Store for Fifo<T> {
    type Item = T;
}

impl<T> Store for Lifo<T> {
    type Item = T;
}

impl<T: Ord> Store for SmallestFirst<T> {
    type Item = T;
}

impl<T> Sealed for Fifo<T> {
    type Kept = T;

    fn push(&mut self, item: T) {
        self.0.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Sealed for Lifo<T> {
    type Kept = T;

    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: Ord> Sealed for SmallestFirst<T> {
    type Kept = T;

    fn push(&mut self, item: T) {
        let number = self.next;
        self.next += 1;
        self.heap.push(Entry { item, number });
    }

    fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|entry| entry.item)
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord> Default for SmallestFirst<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            next: 0,
        }
    }
}

impl<T> fmt::Debug for Fifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fifo")
    }
}

impl<T> fmt::Debug for Lifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lifo")
    }
}

impl<T> fmt::Debug for SmallestFirst<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmallestFirst")
    }
}
