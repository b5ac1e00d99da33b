//! The registry against a map of owners, with random operations: no entry has two owners, and no event reaches the wrong one.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::readiness::{Clear, Look, Wanted};

#[derive(Clone, Debug)]
enum Op {
    Acquire(usize),
    /// The first number chooses the owner.
    Release(usize),
    Deliver(usize, bool, bool),
    /// An event for an owner that is gone.
    DeliverLate(usize, bool, bool),
    /// What an owner reads until nothing is left.
    Clear(usize),
    /// The next owner of an entry's last generation.
    Exhaust(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (any_owner, flag) = (any::<usize>(), any::<bool>());
    prop_oneof![
        4 => (1..40_usize).prop_map(Op::Acquire),
        20 => any_owner.prop_map(Op::Release),
        10 => (any_owner, flag, flag).prop_map(|(o, read, write)| Op::Deliver(o, read, write)),
        10 => (any_owner, flag, flag).prop_map(|(o, read, write)| Op::DeliverLate(o, read, write)),
        5 => any_owner.prop_map(Op::Clear),
        1 => any_owner.prop_map(Op::Exhaust),
    ]
}

#[derive(Default)]
struct Model {
    registry: Registry,
    /// By index: the token, and whether reading and writing are ready.
    owners: BTreeMap<u32, (Token, [bool; 2])>,
    gone: Vec<Token>,
    ever: HashSet<(u32, u32)>,
    retired: HashSet<u32>,
    /// How many entries were in use at a time, counting those that retired.
    most: usize,
}

impl Model {
    fn apply(&mut self, op: Op) {
        let event = |wanted: bool| wanted.then_some(Event::new(false, false));
        match op {
            Op::Acquire(count) => {
                for _ in 0..count {
                    let token = self.registry.acquire().unwrap();
                    assert!(!self.retired.contains(&token.index), "it was retired");
                    assert!(
                        self.ever.insert((token.index, token.generation)),
                        "a token comes twice"
                    );
                    let last = self.owners.insert(token.index, (token, [false; 2]));
                    assert_eq!(last, None, "two owners");
                    self.most = self.most.max(self.owners.len() + self.retired.len());
                }
            }
            Op::Release(owner) => {
                if let Some((token, _)) = self.pick(owner) {
                    self.release(token);
                }
            }
            Op::Deliver(owner, read, write) => {
                if let Some((token, [readable, writable])) = self.pick(owner) {
                    self.registry
                        .deliver(token, event(read), event(write), &mut Vec::new());
                    let ready = [readable || read, writable || write];
                    self.owners.insert(token.index, (token, ready));
                }
            }
            Op::DeliverLate(owner, read, write) => {
                if !self.gone.is_empty() {
                    let token = self.gone[owner % self.gone.len()];
                    self.registry
                        .deliver(token, event(read), event(write), &mut Vec::new());
                }
            }
            Op::Clear(owner) => {
                if let Some((token, _)) = self.pick(owner) {
                    let entry = self.registry.entry(token.index);
                    for direction in [&entry.read, &entry.write] {
                        if let Look::Ready(seen) = direction.look(Wanted::Transfer) {
                            direction.clear(Wanted::Transfer, seen, Clear::All);
                        }
                    }
                    self.owners.insert(token.index, (token, [false; 2]));
                }
            }
            Op::Exhaust(owner) => {
                if let Some((Token { index, .. }, _)) = self.pick(owner) {
                    let generation = RETIRED - 1;
                    let entry = self.registry.entry(index);
                    entry.generation.store(generation, Ordering::Relaxed);
                    self.release(Token { index, generation });
                    self.retired.insert(index);
                }
            }
        }
    }

    fn pick(&self, owner: usize) -> Option<(Token, [bool; 2])> {
        let count = self.owners.len();
        (count > 0).then(|| *self.owners.values().nth(owner % count).unwrap())
    }

    fn release(&mut self, token: Token) {
        self.registry.release(token, &mut Vec::new());
        self.owners.remove(&token.index);
        self.gone.push(token);
    }

    fn check(&self) {
        for (index, (_, ready)) in &self.owners {
            let entry = self.registry.entry(*index);
            let seen = [&entry.read, &entry.write]
                .map(|direction| direction.look(Wanted::Transfer) != Look::Idle);
            assert_eq!(seen, *ready, "entry {index}");
        }
        // Entries are used again: there are no more of them than were in use at a time, but for a batch.
        assert!(self.registry.created() as usize <= self.most + BATCH as usize);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_registry_does_what_a_map_of_owners_does(ops in prop::collection::vec(op(), 1..100)) {
        let mut model = Model::default();
        for op in ops {
            model.apply(op);
            model.check();
        }
    }
}
