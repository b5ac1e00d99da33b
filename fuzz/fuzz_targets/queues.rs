//! The queues and the next slots of two workers: every value that went in comes out once, in the order of its queue.
#![no_main]

use std::ptr::NonNull;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

use crossbeam::{Injector, Local, Stealer};
use slot::{OneWord, Slot};

// The library's own files, which are private there.
#[allow(dead_code)]
#[path = "../../executor/src/queue/crossbeam.rs"]
mod crossbeam;
#[allow(dead_code, unexpected_cfgs)]
#[path = "../../executor/src/ledger.rs"]
mod ledger;
#[allow(dead_code)]
#[path = "../../executor/src/queue/slot.rs"]
mod slot;
mod rt_sync {
    pub(crate) use std::sync::atomic;
}

#[derive(Arbitrary, Debug)]
enum Op {
    /// Into the next slot, and what was there behind the own values.
    Wake(bool),
    Push(bool, u8),
    Inject(u8),
    Next(bool),
    Steal(bool),
    StealOne(bool),
    StealSlot(bool),
    TakeInjected(bool),
    MoveInjected(bool),
    TakeOneInjected,
}

/// In a box, so that the sanitizer sees one that is lost, or taken twice.
struct Value(Box<usize>);

impl OneWord for Value {
    fn into_raw(self) -> NonNull<()> {
        NonNull::new(Box::into_raw(self.0)).unwrap().cast()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: from `into_raw`, and turned back once, both by contract.
        Self(unsafe { Box::from_raw(raw.cast().as_ptr()) })
    }
}

struct Worker {
    local: Local<Value>,
    stealer: Stealer<Value>,
    slot: Slot<Value>,
}

#[derive(Default)]
struct Seen {
    made: usize,
    /// By number: whether it has come out.
    out: Vec<bool>,
}

impl Seen {
    fn value(&mut self) -> Value {
        self.out.push(false);
        self.made += 1;
        Value(Box::new(self.made - 1))
    }

    fn out(&mut self, value: Option<Value>) {
        if let Some(Value(number)) = value {
            assert!(!std::mem::replace(&mut self.out[*number], true), "twice");
        }
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let workers = [(); 2].map(|()| {
        let local = Local::new();
        let (stealer, slot) = (local.stealer(), Slot::new());
        Worker {
            local,
            stealer,
            slot,
        }
    });
    let injector = Injector::new();
    let mut seen = Seen::default();
    for op in ops {
        match op {
            Op::Wake(at) => {
                let worker = &workers[usize::from(at)];
                if let Some(displaced) = worker.slot.put(seen.value()) {
                    worker.local.push(displaced);
                }
            }
            Op::Push(at, count) => {
                (0..count).for_each(|_| workers[usize::from(at)].local.push(seen.value()));
            }
            Op::Inject(count) => (0..count).for_each(|_| injector.push(seen.value())),
            Op::Next(at) => {
                let worker = &workers[usize::from(at)];
                let (slot, len) = (worker.slot.take(), worker.local.len());
                match slot {
                    Some(value) => seen.out(Some(value)),
                    None => {
                        let value = worker.local.pop();
                        assert_eq!(value.is_some(), len > 0);
                        seen.out(value);
                    }
                }
            }
            Op::Steal(from) => {
                let (victim, thief) = (&workers[usize::from(from)], &workers[usize::from(!from)]);
                let (before, own) = (victim.local.len(), thief.local.len());
                let value = victim.stealer.steal_into(&thief.local);
                assert_eq!(value.is_some(), before > 0);
                let taken = usize::from(value.is_some());
                assert_eq!(victim.local.len() + thief.local.len() + taken, before + own);
                assert!(victim.local.len() >= (before - taken) / 2, "more than half");
                seen.out(value);
            }
            Op::StealOne(from) => seen.out(workers[usize::from(from)].stealer.steal()),
            Op::StealSlot(from) => seen.out(workers[usize::from(from)].slot.steal()),
            Op::TakeInjected(at) => {
                let worker = &workers[usize::from(at)];
                let before = injector.len() + worker.local.len();
                let value = injector.steal_into(&worker.local);
                let taken = usize::from(value.is_some());
                assert_eq!(injector.len() + worker.local.len() + taken, before);
                seen.out(value);
            }
            Op::MoveInjected(at) => {
                let worker = &workers[usize::from(at)];
                let before = injector.len() + worker.local.len();
                injector.move_into(&worker.local);
                assert_eq!(injector.len() + worker.local.len(), before);
            }
            Op::TakeOneInjected => seen.out(injector.steal()),
        }
    }
    for worker in workers {
        seen.out(worker.slot.take());
        let mut last = worker.local.len();
        while let Some(value) = worker.local.pop() {
            seen.out(Some(value));
            assert_eq!(worker.local.len(), last - 1);
            last -= 1;
        }
    }
    while let Some(value) = injector.steal() {
        seen.out(Some(value));
    }
    assert!(seen.out.iter().all(|out| *out), "lost");
});
