//! The queues and the next slots of a few workers against lists, with random operations of one thread after the other.
//!
//! What several threads do at the same moment is the models' business (`loom_each_value_leaves_the_slot_once`), and the stress tests'.

use std::collections::VecDeque;
use std::ptr::NonNull;

use proptest::prelude::*;

use super::{Injector, Local, OneWord, Slot, Stealer};

const WORKERS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// As a wake does: into the next slot, and what was there behind the own tasks.
    Wake(usize),
    /// Behind the own tasks.
    Push(usize),
    /// Many of them, so that the buffer grows and a steal is a batch.
    PushMany(usize, usize),
    /// As a foreign thread does.
    Inject,
    InjectMany(usize),
    /// As a worker does: the next slot first, then its own tasks.
    Next(usize),
    /// A thief takes some of another's tasks, or else what is in its next slot.
    Steal(usize, usize),
    StealOne(usize),
    TakeInjected(usize),
    MoveInjected(usize),
    TakeOneInjected,
}

fn op() -> impl Strategy<Value = Op> {
    let worker = 0..WORKERS;
    let many = 1..200_usize;
    prop_oneof![
        4 => worker.clone().prop_map(Op::Wake),
        4 => worker.clone().prop_map(Op::Push),
        1 => (worker.clone(), many.clone()).prop_map(|(w, n)| Op::PushMany(w, n)),
        2 => Just(Op::Inject),
        1 => many.prop_map(Op::InjectMany),
        6 => worker.clone().prop_map(Op::Next),
        3 => (worker.clone(), worker.clone()).prop_map(|(w, v)| Op::Steal(w, v)),
        1 => worker.clone().prop_map(Op::StealOne),
        2 => worker.clone().prop_map(Op::TakeInjected),
        2 => worker.prop_map(Op::MoveInjected),
        1 => Just(Op::TakeOneInjected),
    ]
}

/// A number that is not 0, as one word.
#[derive(Debug, PartialEq)]
struct Value(usize);

impl OneWord for Value {
    fn into_raw(self) -> NonNull<()> {
        NonNull::new(std::ptr::without_provenance_mut(self.0)).unwrap()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self(raw.addr().get())
    }
}

struct Worker {
    local: Local<Value>,
    stealer: Stealer<Value>,
    slot: Slot<Value>,
    expected: VecDeque<usize>,
    expected_slot: Option<usize>,
}

struct Model {
    workers: Vec<Worker>,
    injector: Injector<Value>,
    expected: VecDeque<usize>,
    made: usize,
}

impl Model {
    fn new() -> Self {
        let workers = std::iter::repeat_with(|| {
            let local = Local::new();
            Worker {
                stealer: local.stealer(),
                local,
                slot: Slot::new(),
                expected: VecDeque::new(),
                expected_slot: None,
            }
        });
        Self {
            workers: workers.take(WORKERS).collect(),
            injector: Injector::new(),
            expected: VecDeque::new(),
            made: 0,
        }
    }

    fn value(&mut self) -> usize {
        self.made += 1;
        self.made
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Wake(at) => {
                let value = self.value();
                let worker = &mut self.workers[at];
                let displaced = worker.slot.put(Value(value));
                assert_eq!(number(&displaced), worker.expected_slot.replace(value));
                if let Some(displaced) = displaced {
                    worker.expected.push_back(displaced.0);
                    worker.local.push(displaced);
                }
            }
            Op::Push(at) => self.push(at),
            Op::PushMany(at, count) => (0..count).for_each(|_| self.push(at)),
            Op::Inject => self.inject(),
            Op::InjectMany(count) => (0..count).for_each(|_| self.inject()),
            Op::Next(at) => {
                let worker = &mut self.workers[at];
                let next = worker.slot.take().or_else(|| worker.local.pop());
                let expected = worker.expected_slot.take();
                let expected = expected.or_else(|| worker.expected.pop_front());
                assert_eq!(number(&next), expected);
            }
            Op::Steal(thief, victim) if thief == victim => {}
            Op::Steal(thief, victim) => {
                let [thief, victim] = self.workers.get_disjoint_mut([thief, victim]).unwrap();
                let stolen = victim.stealer.steal_into(&thief.local);
                assert_eq!(number(&stolen), victim.expected.pop_front());
                let left = victim.local.len();
                assert!(
                    left >= victim.expected.len() / 2,
                    "more than half was stolen"
                );
                moved(&mut victim.expected, left, &mut thief.expected);
                if stolen.is_none() {
                    assert_eq!(number(&victim.slot.steal()), victim.expected_slot.take());
                }
            }
            Op::StealOne(at) => {
                let worker = &mut self.workers[at];
                assert_eq!(number(&worker.stealer.steal()), worker.expected.pop_front());
            }
            Op::TakeInjected(at) => {
                let worker = &mut self.workers[at];
                let taken = self.injector.steal_into(&worker.local);
                assert_eq!(number(&taken), self.expected.pop_front());
                moved(
                    &mut self.expected,
                    self.injector.len(),
                    &mut worker.expected,
                );
            }
            Op::MoveInjected(at) => {
                let worker = &mut self.workers[at];
                self.injector.move_into(&worker.local);
                assert!(self.expected.is_empty() || self.injector.len() < self.expected.len());
                moved(
                    &mut self.expected,
                    self.injector.len(),
                    &mut worker.expected,
                );
            }
            Op::TakeOneInjected => {
                assert_eq!(number(&self.injector.steal()), self.expected.pop_front());
            }
        }
    }

    fn push(&mut self, at: usize) {
        let value = self.value();
        self.workers[at].local.push(Value(value));
        self.workers[at].expected.push_back(value);
    }

    fn inject(&mut self) {
        let value = self.value();
        self.injector.push(Value(value));
        self.expected.push_back(value);
    }

    fn check(&self) {
        assert_eq!(self.injector.len(), self.expected.len());
        assert_eq!(self.injector.is_empty(), self.expected.is_empty());
        for worker in &self.workers {
            assert_eq!(worker.local.len(), worker.expected.len());
            assert_eq!(worker.stealer.len(), worker.expected.len());
            assert_eq!(worker.stealer.is_empty(), worker.expected.is_empty());
            assert_eq!(worker.slot.is_empty(), worker.expected_slot.is_none());
        }
    }

    /// What is left comes out in its order.
    fn drain(mut self) {
        for at in 0..WORKERS {
            let left = self.workers[at].expected.len() + 2;
            (0..left).for_each(|_| self.apply(Op::Next(at)));
        }
        (0..=self.expected.len()).for_each(|_| self.apply(Op::TakeOneInjected));
        self.check();
    }
}

/// A steal has moved what `from` has beyond `left`, in its order. How much that is is up to the queue.
fn moved(from: &mut VecDeque<usize>, left: usize, to: &mut VecDeque<usize>) {
    let count = from.len() - left;
    to.extend(from.drain(..count));
}

fn number(value: &Option<Value>) -> Option<usize> {
    value.as_ref().map(|value| value.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn queues_and_next_slots_do_what_lists_do(ops in prop::collection::vec(op(), 1..200)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        model.drain();
    }
}
