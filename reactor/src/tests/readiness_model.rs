//! The readiness of a direction against plain flags, with random operations of one thread after the other.
//!
//! What several threads do at the same moment is the business of the loom models.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::task::Wake;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    /// Closed, error, priority; and whether the owner it is meant for is still the owner.
    Deliver(bool, bool, bool, bool),
    Wait(Wanted, Option<u8>),
    Forget(u8),
    /// Of one of the last looks that saw something: an old one clears nothing after another event.
    Clear(usize, Wanted, bool),
    Assume,
    Reset,
    ShutDown,
}

fn op() -> impl Strategy<Value = Op> {
    let wanted = prop_oneof![
        3 => Just(Wanted::Transfer),
        1 => Just(Wanted::Priority),
        1 => Just(Wanted::Fault),
    ];
    let flag = any::<bool>();
    prop_oneof![
        8 => (prop::bool::weighted(0.2), prop::bool::weighted(0.2), flag, prop::bool::weighted(0.9))
            .prop_map(|(closed, error, priority, meant)| Op::Deliver(closed, error, priority, meant)),
        8 => (wanted.clone(), prop::option::of(0..4_u8)).prop_map(|(wanted, key)| Op::Wait(wanted, key)),
        2 => (0..4_u8).prop_map(Op::Forget),
        8 => (0..4_usize, wanted, flag).prop_map(|(age, wanted, all)| Op::Clear(age, wanted, all)),
        1 => Just(Op::Assume),
        1 => Just(Op::Reset),
        // Nothing happens after it, so most cases do without.
        1 => prop::bool::weighted(0.05).prop_map(|end| if end { Op::ShutDown } else { Op::Reset }),
    ]
}

/// The flags by what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Flags {
    ready: bool,
    closed: bool,
    error: bool,
    priority: bool,
    fault: bool,
}

impl Flags {
    fn satisfy(self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Transfer => self.ready || self.closed,
            Wanted::Priority => self.priority || self.closed,
            Wanted::Fault => self.fault,
        }
    }
}

impl From<Snapshot> for Flags {
    fn from(seen: Snapshot) -> Self {
        Self {
            ready: seen.is_ready(),
            closed: seen.is_closed(),
            error: seen.is_error(),
            priority: seen.is_priority(),
            fault: seen.is_fault(),
        }
    }
}

/// A waker that notes its number.
struct Noted(usize, Arc<Mutex<BTreeSet<usize>>>);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        assert!(self.1.lock().unwrap().insert(self.0), "woken twice");
    }
}

#[derive(Default)]
struct Model {
    direction: Readiness,
    flags: Flags,
    shut_down: bool,
    /// Events and changes of the owner so far.
    ticks: u64,
    looks: Vec<(u64, Snapshot)>,
    /// The numbers of the wakers that wait: one without a key, and those with.
    waiting: BTreeMap<Option<u8>, usize>,
    wakers: usize,
    woken: Arc<Mutex<BTreeSet<usize>>>,
}

impl Model {
    fn apply(&mut self, op: Op) {
        let mut wakers = Vec::new();
        let before = self.waiting.clone();
        match op {
            Op::Deliver(closed, error, priority, meant) => {
                let event = Event::new(closed, error);
                let event = if priority {
                    event.with_priority()
                } else {
                    event
                };
                self.direction.deliver(event, || meant, &mut wakers);
                if meant {
                    self.ticks += 1;
                    self.flags.ready = true;
                    self.flags.closed |= closed;
                    self.flags.error |= error;
                    self.flags.fault |= error;
                    self.flags.priority |= priority;
                    self.waiting.clear();
                }
            }
            Op::Wait(wanted, key) => {
                self.wakers += 1;
                let waker = Arc::new(Noted(self.wakers, self.woken.clone())).into();
                let place = key.map_or(Place::Slot, |key| Place::Listed(key.into()));
                let seen = self.direction.wait(wanted, place, &waker);
                self.expect(wanted, seen);
                if seen == Look::Idle {
                    self.waiting.insert(key, self.wakers);
                }
                // The waker of the same place is dropped unwoken.
                return;
            }
            Op::Forget(key) => {
                self.direction.forget(key.into());
                self.waiting.remove(&Some(key));
                return;
            }
            Op::Clear(age, wanted, all) => {
                let Some(&(tick, seen)) = self.looks.iter().rev().nth(age) else {
                    return;
                };
                let part = if all { Clear::All } else { Clear::KeepClosed };
                self.direction.clear(wanted, seen, part);
                if tick == self.ticks {
                    let flags = &mut self.flags;
                    match wanted {
                        Wanted::Transfer => {
                            (flags.ready, flags.error) = (false, false);
                            flags.closed &= !all;
                        }
                        Wanted::Priority => flags.priority = false,
                        Wanted::Fault => flags.fault = false,
                    }
                }
            }
            Op::Assume => {
                // Only who has an entry to itself may do it.
                if self.waiting.is_empty() {
                    self.direction.assume();
                    self.flags.ready = true;
                }
            }
            Op::Reset => {
                self.direction.reset(&mut wakers);
                self.ticks += 1;
                self.flags = Flags::default();
                self.waiting.clear();
            }
            Op::ShutDown => {
                self.direction.shut_down(&mut wakers);
                self.shut_down = true;
                self.waiting.clear();
            }
        }
        let expected: BTreeSet<_> = before
            .iter()
            .filter(|(place, _)| !self.waiting.contains_key(place))
            .map(|(_, number)| *number)
            .collect();
        self.woken.lock().unwrap().clear();
        wakers.into_iter().for_each(Waker::wake);
        assert_eq!(*self.woken.lock().unwrap(), expected);
    }

    fn expect(&mut self, wanted: Wanted, seen: Look) {
        match seen {
            Look::Shutdown => assert!(self.shut_down),
            Look::Idle => assert!(!self.shut_down && !self.flags.satisfy(wanted)),
            Look::Ready(seen) => {
                assert!(!self.shut_down && self.flags.satisfy(wanted));
                assert_eq!(Flags::from(seen), self.flags);
                self.looks.push((self.ticks, seen));
            }
        }
    }

    fn check(&mut self) {
        for wanted in [Wanted::Transfer, Wanted::Priority, Wanted::Fault] {
            let seen = self.direction.look(wanted);
            self.expect(wanted, seen);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_direction_does_what_plain_flags_do(ops in prop::collection::vec(op(), 1..100)) {
        let mut model = Model::default();
        for op in ops {
            model.apply(op);
            model.check();
        }
    }
}
