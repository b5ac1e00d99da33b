//! The part of an entry that the wheel sees: its state, and the fields that the wheel's lock guards.
//!
//! ```text
//!                      put off, by the owner, without the lock;
//!                      brought forward, by the owner, under it
//!                                 ┌───┐
//!            owner, under the lock▼   │   turn, or owner who is late, under the lock
//!   Idle ───────────────────────▶ Registered ───────────────────────▶ Fired
//!    ▲ ▲                          │     │       close, under the lock
//!    │ └──── cancel, drop ────────┘     └───────────────────────────▶ Closed
//!    └───────────────────── reset, by the owner ────────────────────────┘
//!
//!   Invariant   Registered ⇔ the node is in a list of its wheel. Whoever moves a node out of Registered has unlinked
//!               it and taken its waker before; storing the new state is the last touch, the node may be freed
//!               right after it. (Registering too late or in a closed wheel goes from Idle to Fired or Closed at once.)
//!
//!   Put off     Registered carries the deadline that the owner wants, and without the lock only ever a later one replaces it there. The
//!               wheel keeps the one by which it has linked the node: linked ≤ wanted. So it comes upon the node in time,
//!               and links it anew if it is wanted later. A turn fires by comparing and swapping the deadline it has seen:
//!               either the owner was first, and the node does not fire, or the owner finds that it has fired.
//!
//!   Brought     An earlier deadline is given under the lock, where the node is linked by it at once.
//!   forward
//! ```

use std::{
    marker::PhantomPinned,
    ptr::{self, NonNull},
    sync::atomic::Ordering,
    task::Waker,
};

use crate::{
    levels::{LATEST, Slot},
    sync::{AtomicU64, UnsafeCell},
};

/// An intrusive list node; lives in a pinned `Entry`.
#[derive(Debug)]
pub(crate) struct Node {
    /// A [`State`] as a number: the wanted deadline, or what is greater than all of those.
    state: AtomicU64,
    guarded: UnsafeCell<Guarded>,
    _pinned: PhantomPinned,
}

/// What the wheel's lock guards while the node is registered; the owner's alone otherwise.
#[derive(Debug)]
pub(crate) struct Guarded {
    pub(crate) previous: Option<NonNull<Node>>,
    pub(crate) next: Option<NonNull<Node>>,
    /// One that came to the list some time after this one, see [`List`](crate::list::List). It may be gone: never followed.
    pub(crate) later: *const Node,
    /// By which it is linked; see the top of this file.
    pub(crate) deadline: u64,
    pub(crate) slot: Slot,
    pub(crate) waker: Option<Waker>,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    /// With the wanted deadline.
    Registered(u64),
    Fired,
    Closed,
}

impl State {
    fn to_word(self) -> u64 {
        match self {
            Self::Registered(deadline) => deadline,
            Self::Fired => FIRED,
            Self::Closed => CLOSED,
            Self::Idle => IDLE,
        }
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        match word {
            IDLE => Self::Idle,
            FIRED => Self::Fired,
            CLOSED => Self::Closed,
            deadline => Self::Registered(deadline),
        }
    }
}

const FIRED: u64 = LATEST + 1;
const CLOSED: u64 = LATEST + 2;
const IDLE: u64 = LATEST + 3;

// SAFETY: the state is atomic; `guarded` is touched only under the wheel's lock, or by the owner with exclusive access
// while the node is not registered. The pointers are followed under that lock only, from whichever thread has it.
unsafe impl Send for Node {}
// SAFETY: a shared reference gives access to the atomic state only; all else needs `Node::with` and its contract.
unsafe impl Sync for Node {}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(IDLE),
            guarded: UnsafeCell::new(Guarded {
                previous: None,
                next: None,
                later: ptr::null(),
                deadline: 0,
                slot: Slot::new(0, 0),
                waker: None,
            }),
            _pinned: PhantomPinned,
        }
    }

    /// The state. `Registered` may be outdated at once unless the wheel's lock is held; from the other states only the
    /// owner moves on.
    #[inline]
    pub(crate) fn state(&self) -> State {
        // Acquire: pairs with the Release in `settle`, so that an owner who sees Fired or Closed may free the node.
        State::from_word(self.state.load(Ordering::Acquire))
    }

    /// Makes `deadline` the wanted one, if the node is registered for the same or an earlier time; else false. For the owner; no lock.
    #[inline]
    pub(crate) fn put_off(&self, deadline: u64) -> bool {
        // Only the owner gives another one, so what changes it between the two steps is a turn or `close`, which end the registration.
        // Relaxed for those: their Release is read by `state`. Release: pairs with the Acquire of `fire` and `close`, which come after.
        let wanted = self.state.load(Ordering::Relaxed);
        // Whatever is no deadline is greater than all of them.
        wanted <= deadline
            && self
                .state
                .compare_exchange(wanted, deadline, Ordering::Release, Ordering::Relaxed)
                .is_ok()
    }

    /// Moves from Registered to Fired if `deadline` is still the wanted one; the caller's last touch of the node in that case.
    /// Otherwise the wanted one.
    ///
    /// # Safety
    ///
    /// * The caller holds the wheel's lock, and the node was registered, hence alive, when it was taken.
    pub(crate) unsafe fn fire(node: NonNull<Self>, deadline: u64) -> Result<(), u64> {
        // SAFETY: alive by contract. The reference covers the atomic only, as in `settle`.
        let current = unsafe { &(*node.as_ptr()).state };
        // Release: as in `settle`. Acquire: pairs with the Release in `put_off`. Relaxed: a deadline that was put off is a number and
        // nothing else.
        current
            .compare_exchange(deadline, FIRED, Ordering::AcqRel, Ordering::Relaxed)
            .map(drop)
    }

    /// Moves from Registered to Closed, whatever the wanted deadline; the caller's last touch of the node.
    ///
    /// # Safety
    ///
    /// * The caller holds the wheel's lock, and the node was registered, hence alive, when it was taken.
    pub(crate) unsafe fn close(node: NonNull<Self>) {
        // SAFETY: alive by contract. The reference covers the atomic only, as in `settle`.
        let current = unsafe { &(*node.as_ptr()).state };
        // As in `fire`. A plain store could not be told from one before the owner's swap.
        current.swap(CLOSED, Ordering::AcqRel);
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
        current.store(state.to_word(), Ordering::Release);
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
