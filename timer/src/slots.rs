//! What a wheel keeps under its lock: the slots' lists beside their arithmetic, and what a turn does with them.

use std::{ptr::NonNull, task::Waker};

use crate::{
    entry::Status,
    levels::{Levels, NONE, SLOTS},
    list::List,
    node::{Node, State},
};

/// The most wakers one call of [`Wheel::turn`](crate::Wheel::turn) or [`Wheel::close`](crate::Wheel::close) hands out.
pub const BATCH: usize = 64;

/// The slots and their entries. Having it by `&mut` is the proof of holding the wheel's lock.
#[derive(Debug)]
pub(crate) struct Slots {
    levels: Levels,
    lists: Box<[List]>,
    len: usize,
    closed: bool,
}

impl Slots {
    pub(crate) fn new() -> Self {
        let lists = std::iter::repeat_with(List::default).take(SLOTS).collect();
        Self {
            levels: Levels::new(),
            lists,
            len: 0,
            closed: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Registers `node`, or swaps its waker if it is registered already. Leaves in `waker` what is to be dropped after
    /// unlocking.
    ///
    /// # Safety
    ///
    /// * `node` belongs to this wheel, is pinned, and is unregistered before it is freed.
    /// * The caller owns the node (nobody else registers or unregisters it).
    pub(crate) unsafe fn register(
        &mut self,
        node: NonNull<Node>,
        deadline: u64,
        waker: &mut Option<Waker>,
    ) -> Status {
        // SAFETY: the caller owns the node, so it is alive.
        let state = unsafe { node.as_ref() }.state();
        match state {
            State::Fired => Status::Fired,
            State::Closed => Status::Closed,
            State::Registered => {
                // SAFETY: alive by contract; `&mut self` is the lock.
                unsafe { Node::with(node, |fields| std::mem::swap(&mut fields.waker, waker)) };
                Status::Waiting
            }
            State::Idle if self.closed => {
                // SAFETY: the caller owns the node, and it is not registered.
                unsafe { Node::settle(node, State::Closed) };
                Status::Closed
            }
            State::Idle if deadline <= self.levels.elapsed() => {
                // SAFETY: the caller owns the node, and it is not registered.
                unsafe { Node::settle(node, State::Fired) };
                Status::Fired
            }
            State::Idle => {
                let before = self.earliest();
                // SAFETY: alive by contract; `&mut self` is the lock.
                unsafe {
                    Node::with(node, |fields| {
                        (fields.waker, fields.deadline) = (waker.take(), deadline)
                    })
                };
                // SAFETY: an idle node is in no list, and by contract it stays where it is until it is unregistered.
                unsafe { self.link(node, deadline) };
                // SAFETY: alive by contract; `&mut self` is the lock.
                unsafe { Node::settle(node, State::Registered) };
                if deadline < before {
                    Status::Earliest
                } else {
                    Status::Waiting
                }
            }
        }
    }

    /// If `node` is registered, unlinks it, moves it to `state` and returns its waker, to be dropped after unlocking.
    ///
    /// # Safety
    ///
    /// * `node` is alive and belongs to this wheel.
    pub(crate) unsafe fn unregister(&mut self, node: NonNull<Node>, state: State) -> Option<Waker> {
        // SAFETY: alive by contract.
        if unsafe { node.as_ref() }.state() != State::Registered {
            return None;
        }
        // SAFETY: registered, checked under the lock, so it is in a list of this wheel.
        unsafe { self.take(node, state) }
    }

    /// Fires what is due at `now`, up to the limits of one turn; true if more is due.
    pub(crate) fn turn(&mut self, now: u64, wakers: &mut Vec<Waker>) -> bool {
        let (mut fired, mut moved) = (0, 0);
        while self.levels.earliest() <= now {
            if fired == BATCH || moved == MOVES {
                return true;
            }
            let Some(slot) = self.levels.enter() else {
                break;
            };
            let Some(node) = self.lists[slot.index()].front() else {
                unreachable!("an occupied slot has an entry; this is a bug of the timer crate")
            };
            // SAFETY: in a list, hence alive; `&mut self` is the lock.
            let deadline = unsafe { Node::with(node, |fields| fields.deadline) };
            if slot.level() <= FIRING_LEVEL && deadline <= now {
                // SAFETY: it is in a list of this wheel.
                wakers.extend(unsafe { self.take(node, State::Fired) });
                fired += 1;
            } else {
                // SAFETY: it is in a list of this wheel, and in none between the two calls.
                unsafe {
                    self.unlink(node);
                    self.link(node, deadline);
                }
                moved += 1;
            }
        }
        self.levels.advance(now);
        false
    }

    /// Refuses registrations from now on and ends up to [`BATCH`] entries; true if more are left.
    pub(crate) fn close(&mut self, wakers: &mut Vec<Waker>) -> bool {
        self.closed = true;
        for _ in 0..BATCH {
            let Some(slot) = self.levels.first() else {
                break;
            };
            let Some(node) = self.lists[slot.index()].front() else {
                break;
            };
            // SAFETY: it is in a list of this wheel.
            wakers.extend(unsafe { self.take(node, State::Closed) });
        }
        self.len > 0
    }

    /// A time not later than the earliest deadline; [`NONE`] if and only if there is no entry.
    pub(crate) fn earliest(&self) -> u64 {
        self.levels.earliest()
    }

    /// The earliest deadline, or [`NONE`]. Looks through the entries of a slot whose minimum was cancelled.
    pub(crate) fn exact_earliest(&mut self) -> u64 {
        for slot in self.levels.earliest_slots().into_iter().flatten() {
            if self.levels.is_stale(slot) {
                // SAFETY: `&mut self` is the lock, and nothing is changed during the walk.
                let nodes = unsafe { self.lists[slot.index()].iter() };
                // SAFETY: in a list, hence alive; `&mut self` is the lock.
                let deadlines =
                    nodes.map(|node| unsafe { Node::with(node, |fields| fields.deadline) });
                let minimum = deadlines.min().unwrap_or(NONE);
                self.levels.refresh(slot, minimum);
            }
        }
        self.earliest()
    }

    /// Unlinks a registered node, takes its waker and ends its registration, which lets the owner free it.
    ///
    /// # Safety
    ///
    /// * `node` is in a list of this wheel.
    unsafe fn take(&mut self, node: NonNull<Node>, state: State) -> Option<Waker> {
        // SAFETY: by contract.
        unsafe { self.unlink(node) };
        // SAFETY: still alive: its owner cannot free it before `settle` without the lock, which is held.
        let waker = unsafe { Node::with(node, |fields| fields.waker.take()) };
        // SAFETY: alive as above, and not touched any more after this.
        unsafe { Node::settle(node, state) };
        waker
    }

    /// Puts a node into its slot.
    ///
    /// # Safety
    ///
    /// * `node` is alive, belongs to this wheel, is in no list and stays where it is until it is unlinked.
    unsafe fn link(&mut self, node: NonNull<Node>, deadline: u64) {
        let slot = self.levels.place(deadline);
        // SAFETY: alive by contract; `&mut self` is the lock.
        unsafe { Node::with(node, |fields| fields.slot = slot) };
        // SAFETY: by contract; `&mut self` is the lock.
        unsafe { self.lists[slot.index()].push_back(node) };
        self.levels.added(slot, deadline);
        self.len += 1;
    }

    /// Takes a node out of its slot.
    ///
    /// # Safety
    ///
    /// * `node` is in a list of this wheel.
    unsafe fn unlink(&mut self, node: NonNull<Node>) {
        // SAFETY: in a list, hence alive; `&mut self` is the lock.
        let (slot, deadline) = unsafe { Node::with(node, |fields| (fields.slot, fields.deadline)) };
        let list = &mut self.lists[slot.index()];
        // SAFETY: `slot` is where `link` put it.
        unsafe { list.remove(node) };
        self.levels.removed(slot, deadline, list.is_empty());
        self.len -= 1;
    }

    /// Panics unless lists, bitmaps, minima and the placement of every entry fit each other.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        use crate::levels::Slot;
        let mut count = 0;
        for (index, list) in self.lists.iter().enumerate() {
            let slot = Slot::from_index(index);
            assert_eq!(self.levels.is_occupied(slot), !list.is_empty());
            let mut exact = NONE;
            // SAFETY: `&self` lies inside of the lock, nothing changes meanwhile.
            for node in unsafe { list.iter() } {
                // SAFETY: in a list, hence alive.
                let (deadline, own) =
                    unsafe { Node::with(node, |fields| (fields.deadline, fields.slot)) };
                assert_eq!(own, slot);
                if self.levels.entered() == Some(slot) {
                    assert_eq!(Slot::new(slot.level() as u32, deadline), slot);
                    assert_eq!(Slot::new(slot.level() as u32, self.levels.elapsed()), slot);
                } else {
                    assert_eq!(self.levels.place(deadline), slot);
                }
                exact = exact.min(deadline);
                count += 1;
            }
            if !list.is_empty() {
                let bound = self.levels.minimum(slot);
                assert!(bound <= exact && (bound == exact || self.levels.is_stale(slot)));
            }
        }
        assert_eq!(count, self.len);
        assert_eq!(self.levels.earliest(), self.levels.least_minimum());
    }
}

/// The most entries one turn moves to a lower level.
const MOVES: usize = 256;
/// Slots up to this level (64^2 ns wide) fire their due entries as they come; higher ones sort them downwards first.
const FIRING_LEVEL: usize = 2;
