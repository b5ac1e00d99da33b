//! The part of an entry that the wheel sees: its state, and the fields that the wheel's lock guards.
//!
//! ```text
//!            owner, under the lock               turn, under the lock
//!   Idle ───────────────────────▶ Registered ───────────────────────▶ Fired
//!    ▲ ▲                          │     │       close, under the lock
//!    │ └──── cancel, drop ────────┘     └───────────────────────────▶ Closed
//!    └───────────────────── reset, by the owner ────────────────────────┘
//!
//!   Invariant   Registered ⇔ the node is in a list of its wheel. Whoever moves a node out of Registered has unlinked
//!               it and taken its waker before; storing the new state is the last touch, the node may be freed
//!               right after it. (Registering too late or in a closed wheel goes from Idle to Fired or Closed at once.)
//! ```

use std::{marker::PhantomPinned, ptr::NonNull, sync::atomic::Ordering, task::Waker};

use crate::{
    levels::Slot,
    sync::{AtomicU8, UnsafeCell},
};

/// An intrusive list node; lives in a pinned `Entry`.
#[derive(Debug)]
pub(crate) struct Node {
    state: AtomicU8,
    guarded: UnsafeCell<Guarded>,
    _pinned: PhantomPinned,
}

/// What the wheel's lock guards while the node is registered; the owner's alone otherwise.
#[derive(Debug)]
pub(crate) struct Guarded {
    pub(crate) previous: Option<NonNull<Node>>,
    pub(crate) next: Option<NonNull<Node>>,
    pub(crate) deadline: u64,
    pub(crate) slot: Slot,
    pub(crate) waker: Option<Waker>,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    Idle,
    Registered,
    Fired,
    Closed,
}

// SAFETY: the state is atomic; `guarded` is touched only under the wheel's lock, or by the owner with exclusive access
// while the node is not registered. The pointers are followed under that lock only, from whichever thread has it.
unsafe impl Send for Node {}
// SAFETY: a shared reference gives access to the atomic state only; all else needs `Node::with` and its contract.
unsafe impl Sync for Node {}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(State::Idle as u8),
            guarded: UnsafeCell::new(Guarded {
                previous: None,
                next: None,
                deadline: 0,
                slot: Slot::new(0, 0),
                waker: None,
            }),
            _pinned: PhantomPinned,
        }
    }

    /// The state. `Registered` may be outdated at once unless the wheel's lock is held; from the other states only the
    /// owner moves on.
    pub(crate) fn state(&self) -> State {
        // Acquire: pairs with the Release in `settle`, so that an owner who sees Fired or Closed may free the node.
        match self.state.load(Ordering::Acquire) {
            0 => State::Idle,
            1 => State::Registered,
            2 => State::Fired,
            _ => State::Closed,
        }
    }

    /// Moves to `state`; the caller's last touch of the node if this ends its registration.
    ///
    /// # Safety
    ///
    /// * `node` is alive until the store.
    /// * The caller holds the wheel's lock, or owns the node exclusively while it is not registered.
    pub(crate) unsafe fn settle(node: NonNull<Self>, state: State) {
        // SAFETY: alive by contract. The reference covers the atomic only: nothing of the node may be borrowed when the
        // store lets its owner free it.
        let current = unsafe { &(*node.as_ptr()).state };
        // Release: pairs with the Acquire in `state`; who sees the new state sees the node unlinked and its waker gone.
        current.store(state as u8, Ordering::Release);
    }

    /// Access to the guarded fields. `f` must not reach this node by another way.
    ///
    /// # Safety
    ///
    /// * `node` is alive.
    /// * The caller holds the wheel's lock, or owns the node exclusively while it is not registered.
    pub(crate) unsafe fn with<R>(node: NonNull<Self>, f: impl FnOnce(&mut Guarded) -> R) -> R {
        // SAFETY: alive by contract; the reference covers the cell only, which is interior mutable throughout.
        let guarded = unsafe { &(*node.as_ptr()).guarded };
        guarded.with_mut(|fields| {
            // SAFETY: the lock, or the owner's exclusive access, excludes everyone else for the time of the call.
            f(unsafe { &mut *fields })
        })
    }
}
