//! What a wheel keeps under its lock: the slots' lists beside their arithmetic, and what a turn does with them.

use std::{ptr::NonNull, task::Waker};

use crate::{
    entry::Status,
    levels::{Levels, NONE, SLOTS, Slot},
    list::List,
    node::{Node, State},
    prefetch::prefetch,
};

/// The most wakers one call of [`Wheel::turn`](crate::Wheel::turn) or [`Wheel::close`](crate::Wheel::close) hands out.
pub const BATCH: usize = 64;

/// The slots and their entries. Having it by `&mut` is the proof of holding the wheel's lock.
#[derive(Debug)]
pub(crate) struct Slots {
    levels: Levels,
    /// Empty before the first entry comes: most wheels of foreign threads never have one.
    lists: Box<[List]>,
    len: usize,
    closed: bool,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            levels: Levels::new(),
            lists: Box::default(),
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
            State::Registered(_) => {
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
                if self.lists.is_empty() {
                    self.allocate();
                }
                let before = self.earliest();
                // SAFETY: alive by contract; `&mut self` is the lock.
                unsafe { Node::with(node, |fields| fields.waker = waker.take()) };
                // SAFETY: an idle node is in no list, and by contract it stays where it is until it is unregistered.
                unsafe { self.link(node, deadline) };
                // SAFETY: alive by contract; `&mut self` is the lock.
                unsafe { Node::settle(node, State::Registered(deadline)) };
                Status::of(deadline, before)
            }
        }
    }

    #[cold]
    fn allocate(&mut self) {
        self.levels.allocate();
        self.lists = std::iter::repeat_with(List::default).take(SLOTS).collect();
    }

    /// If `node` is registered, unlinks it and returns its waker, to be dropped after unlocking.
    ///
    /// # Safety
    ///
    /// * `node` belongs to this wheel, and the caller owns it.
    pub(crate) unsafe fn unregister(&mut self, node: NonNull<Node>) -> Option<Waker> {
        // SAFETY: alive by contract.
        if !matches!(unsafe { node.as_ref() }.state(), State::Registered(_)) {
            return None;
        }
        // SAFETY: registered, checked under the lock, so it is in a list of this wheel.
        let waker = unsafe { self.take(node) };
        // SAFETY: alive by contract; `&mut self` is the lock.
        unsafe { Node::settle(node, State::Idle) };
        waker
    }

    /// Links a registered node anew, by an earlier deadline. `None` if it is not registered any more.
    ///
    /// It keeps its waker, unless the deadline has passed: then it has fired, and leaves its waker in `due`, to be woken after unlocking.
    ///
    /// # Safety
    ///
    /// * `node` belongs to this wheel, and the caller owns it.
    pub(crate) unsafe fn bring_forward(
        &mut self,
        node: NonNull<Node>,
        deadline: u64,
        due: &mut Option<Waker>,
    ) -> Option<Status> {
        // SAFETY: alive by contract.
        if !matches!(unsafe { node.as_ref() }.state(), State::Registered(_)) {
            return None;
        }
        let before = self.earliest();
        if deadline <= self.levels.elapsed() {
            // SAFETY: registered, checked under the lock, so it is in a list of this wheel.
            *due = unsafe { self.take(node) };
            // SAFETY: alive by contract; `&mut self` is the lock.
            unsafe { Node::settle(node, State::Fired) };
            return Some(Status::Fired);
        }
        // SAFETY: as above; and in no list between the two calls.
        unsafe {
            self.unlink(node);
            self.link(node, deadline);
        }
        // SAFETY: alive by contract; `&mut self` is the lock.
        unsafe { Node::settle(node, State::Registered(deadline)) };
        Some(Status::of(deadline, before))
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
            let later = unsafe { Node::with(node, |fields| fields.later) };
            // It lies in a task, which other work has long driven out of the cache.
            if !later.is_null() {
                prefetch(later.cast(), size_of::<Node>());
            }
            // SAFETY: as above.
            let (deadline, wanted) = unsafe { Self::deadlines(node) };
            if slot.level() <= FIRING_LEVEL && deadline == wanted && deadline <= now {
                // SAFETY: it is in a list of this wheel.
                wakers.extend(unsafe { self.fire(node, deadline) });
                fired += 1;
            } else {
                // SAFETY: it is in a list of this wheel, and in none between the two calls.
                unsafe {
                    self.unlink(node);
                    self.link(node, wanted);
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
            let waker = unsafe { self.take(node) };
            wakers.extend(waker);
            // SAFETY: still alive, as in `fire`, and not touched any more.
            unsafe { Node::close(node) };
        }
        self.len > 0
    }

    /// A time not later than the earliest deadline; [`NONE`] if and only if there is no entry.
    pub(crate) fn earliest(&self) -> u64 {
        self.levels.earliest()
    }

    /// The earliest deadline, or [`NONE`]. Looks through the entries of a slot whose minimum was cancelled, and of the first ones if any
    /// entry was ever `put_off`.
    pub(crate) fn exact_earliest(&mut self, put_off: bool) -> u64 {
        loop {
            let mut linked_anew = false;
            for slot in self.levels.earliest_slots().into_iter().flatten() {
                if put_off || self.levels.is_stale(slot) {
                    linked_anew |= self.look_through(slot);
                }
            }
            // What was put off is linked by the new deadline now, which may be in a slot that has become one of the first.
            if !linked_anew {
                return self.earliest();
            }
        }
    }

    /// Makes the minimum of an occupied slot exact. Links those anew that were put off; true if there was one.
    fn look_through(&mut self, slot: Slot) -> bool {
        let mut linked_anew = false;
        let mut minimum = NONE;
        let mut next = self.lists[slot.index()].front();
        while let Some(node) = next {
            // SAFETY: in a list, hence alive; `&mut self` is the lock.
            next = unsafe { Node::with(node, |fields| fields.next) };
            // SAFETY: as above.
            let (deadline, wanted) = unsafe { Self::deadlines(node) };
            minimum = minimum.min(wanted);
            if deadline != wanted {
                // SAFETY: it is in a list of this wheel, and in none between the two calls.
                unsafe {
                    self.unlink(node);
                    self.link(node, wanted);
                }
                linked_anew = true;
            }
        }
        if !linked_anew {
            self.levels.refresh(slot, minimum);
        }
        linked_anew
    }

    /// The deadline by which a node is linked, and the one that its owner wants, which is not earlier.
    ///
    /// # Safety
    ///
    /// * `node` is in a list of a wheel whose lock is held.
    unsafe fn deadlines(node: NonNull<Node>) -> (u64, u64) {
        // SAFETY: in a list, hence alive, and guarded by the lock that the caller holds.
        let linked = unsafe { Node::with(node, |fields| fields.deadline) };
        // SAFETY: alive as above.
        match unsafe { node.as_ref() }.state() {
            State::Registered(wanted) => (linked, wanted),
            _ => unreachable!("a node in a list is registered; this is a bug of the timer crate"),
        }
    }

    /// Fires a node, which lets its owner free it, and returns its waker; if it was put off in this moment, links it anew.
    ///
    /// # Safety
    ///
    /// * `node` is in a list of this wheel.
    unsafe fn fire(&mut self, node: NonNull<Node>, deadline: u64) -> Option<Waker> {
        // SAFETY: by contract.
        let waker = unsafe { self.take(node) };
        // SAFETY: still alive: its owner cannot free it without the lock, which is held, before it has fired. Not touched any more if
        // this succeeds.
        match unsafe { Node::fire(node, deadline) } {
            Ok(()) => waker,
            Err(wanted) => {
                // SAFETY: not fired, hence alive as above, and in no list.
                unsafe {
                    Node::with(node, |fields| fields.waker = waker);
                    self.link(node, wanted);
                }
                None
            }
        }
    }

    /// Unlinks a registered node and takes its waker; the caller says next what becomes of it.
    ///
    /// # Safety
    ///
    /// * `node` is in a list of this wheel.
    unsafe fn take(&mut self, node: NonNull<Node>) -> Option<Waker> {
        // SAFETY: by contract.
        unsafe { self.unlink(node) };
        // SAFETY: still alive: its owner cannot free it while it is registered without the lock, which is held.
        unsafe { Node::with(node, |fields| fields.waker.take()) }
    }

    /// Puts a node into its slot.
    ///
    /// # Safety
    ///
    /// * `node` is alive, belongs to this wheel, is in no list and stays where it is until it is unlinked.
    unsafe fn link(&mut self, node: NonNull<Node>, deadline: u64) {
        let slot = self.levels.place(deadline);
        // SAFETY: alive by contract; `&mut self` is the lock.
        unsafe {
            Node::with(node, |fields| {
                (fields.slot, fields.deadline) = (slot, deadline)
            })
        };
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
