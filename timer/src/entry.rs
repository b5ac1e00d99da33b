//! One timer: an intrusive node in its user's pinned future, and the owner's side of its life.

use std::{fmt, pin::Pin, ptr::NonNull, sync::Arc, task::Waker, time::Instant};

use crate::{
    node::{Node, State},
    wheel::Wheel,
};

/// A timer of a [`Wheel`], to be embedded in a pinned future.
///
/// Dropping it cancels it, in constant time, on any thread; once it has fired not even a lock is taken.
pub struct Entry<X = ()> {
    node: Node,
    deadline: Instant,
    /// What the waker looks like that the node got last; the owner's note, never followed.
    last: Identity,
    wheel: Arc<Wheel<X>>,
}

/// What [`Entry::register`] answers, and [`Entry::reset`] of an entry that is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Status {
    /// The deadline has passed. The waker given was not kept.
    Fired,
    /// Registered: the waker will be handed out by a turn at or after the deadline, or by closing.
    Waiting,
    /// As `Waiting`, and the deadline is now the wheel's [`next_wake`](Wheel::next_wake), where a later one or none
    /// was: whoever sleeps until that must be told.
    Earliest,
    /// The wheel is closed; this entry will not fire. The waker given was not kept.
    Closed,
}

impl Status {
    /// Of an entry that has just been linked by `deadline`, where the earliest one was `before`.
    pub(crate) fn of(deadline: u64, before: u64) -> Self {
        if deadline < before {
            Self::Earliest
        } else {
            Self::Waiting
        }
    }
}

impl<X> Entry<X> {
    /// A timer for `deadline`. It is not registered yet; no lock is taken.
    pub fn new(wheel: Arc<Wheel<X>>, deadline: Instant) -> Self {
        Self {
            node: Node::new(),
            deadline,
            last: Identity::default(),
            wheel,
        }
    }

    /// The deadline as it was given.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether a turn, or a registration after the deadline, has fired this entry since it was made or reset.
    pub fn is_fired(&self) -> bool {
        self.node.state() == State::Fired
    }

    /// The wheel to which the entry belongs.
    pub fn wheel(&self) -> &Arc<Wheel<X>> {
        &self.wheel
    }

    /// Registers the entry with `waker`, or replaces the waker if it is registered with another one, and says how it
    /// stands.
    ///
    /// Asking again with a waker that [would wake](Waker::will_wake) the same task takes no lock.
    pub fn register(self: Pin<&mut Self>, waker: &Waker) -> Status {
        match self.node.state() {
            State::Fired => return Status::Fired,
            State::Closed => return Status::Closed,
            // The node still owns that waker, or a turn has just taken it and will hand it out: it is woken either way.
            // It cannot be a new waker at the address of the old one: that is freed only after the node left Registered.
            State::Registered(_) if self.last == Identity::of(waker) => return Status::Waiting,
            State::Registered(_) | State::Idle => {}
        }
        let deadline = self.wheel.nanos(self.deadline);
        // Cloned before locking and dropped after it: both are code of the user.
        let clone = waker.clone();
        // Of the clone, not of the original: that one may lie on a stack, where the next waker has the same address.
        let identity = Identity::of(&clone);
        let mut handed = Some(clone);
        let node = self.node();
        // SAFETY: the node belongs to this wheel; the entry is pinned, its drop unregisters it, and `Pin<&mut Self>`
        // makes this call the only one of the owner.
        let status = self
            .wheel
            .locked(|slots| unsafe { slots.register(node, deadline, &mut handed) });
        // SAFETY: nothing is moved out; a plain field is assigned.
        unsafe { self.get_unchecked_mut() }.last = identity;
        drop(handed);
        status
    }

    /// Gives the entry a new deadline. One that is registered goes on waiting with its waker, for that one; a later one takes no lock.
    ///
    /// As [`register`](Self::register) it says how the entry stands. If the new deadline has passed the entry has fired, and its waker was
    /// woken. `None`: it was not registered, and counts as new; it registers at the next `register`.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) -> Option<Status> {
        let mut due = None;
        let status = self.reset_and_leave(deadline, &mut due);
        if let Some(waker) = due {
            waker.wake();
        }
        status
    }

    /// As [`reset`](Self::reset), for a caller that holds a lock: leaves the waker that is to be woken in `due`.
    pub fn reset_and_leave(
        self: Pin<&mut Self>,
        deadline: Instant,
        due: &mut Option<Waker>,
    ) -> Option<Status> {
        let status = if self.wheel.put_off(&self.node, deadline) {
            Some(Status::Waiting)
        } else {
            self.bring_forward(deadline, due)
        };
        if status.is_none() {
            // SAFETY: not registered, hence the owner's alone, and here is the owner.
            unsafe { Node::settle(self.node(), State::Idle) };
        }
        // SAFETY: nothing is moved out; a plain field is assigned.
        unsafe { self.get_unchecked_mut() }.deadline = deadline;
        status
    }

    /// Registers the entry for an earlier deadline, with the waker it has. `None` if it is not registered.
    fn bring_forward(&self, deadline: Instant, due: &mut Option<Waker>) -> Option<Status> {
        // As in `unregister`: any other state needs no lock.
        if !matches!(self.node.state(), State::Registered(_)) {
            return None;
        }
        let (node, deadline) = (self.node(), self.wheel.nanos(deadline));
        // SAFETY: the node is alive here and belongs to this wheel; the state is looked at again under the lock. Of the owner this is the only
        // call, since `reset` has the entry by `Pin<&mut Self>`.
        self.wheel
            .locked(|slots| unsafe { slots.bring_forward(node, deadline, due) })
    }

    /// Cancels the entry if it is registered: it can be registered again, and its waker is dropped. One that has fired
    /// or was closed stays so.
    pub fn cancel(self: Pin<&mut Self>) {
        self.unregister();
    }

    fn unregister(&self) {
        // Any other state says that the wheel will not touch the node again, so it needs no lock; see `Node::state`.
        if matches!(self.node.state(), State::Registered(_)) {
            let node = self.node();
            // SAFETY: the node is alive here and belongs to this wheel; the state is looked at again under the lock.
            let waker = self.wheel.locked(|slots| unsafe { slots.unregister(node) });
            drop(waker);
        }
    }

    fn node(&self) -> NonNull<Node> {
        NonNull::from(&self.node)
    }
}

impl<X> Drop for Entry<X> {
    fn drop(&mut self) {
        self.unregister();
        // SAFETY: not registered, so the node is the owner's alone. It also tells loom that the memory is freed now.
        unsafe {
            Node::with(self.node(), |fields| {
                debug_assert!(fields.waker.is_none(), "a waker was left behind")
            })
        };
    }
}

impl<X> fmt::Debug for Entry<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("deadline", &self.deadline)
            .field("state", &self.node.state())
            .finish_non_exhaustive()
    }
}

/// The two addresses by which [`Waker::will_wake`] compares. As numbers, because they are compared and never followed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Identity {
    data: usize,
    vtable: usize,
}

impl Identity {
    fn of(waker: &Waker) -> Self {
        Self {
            data: waker.data().addr(),
            vtable: std::ptr::from_ref(waker.vtable()).addr(),
        }
    }
}
