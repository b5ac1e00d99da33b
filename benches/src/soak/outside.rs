//! A thread outside of the runtime that spawns into it.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use executor::runtime::Handle;

use super::ledger::{Count, LOST, Ledger};
use crate::random::Random;

/// Spawns single tasks after short gaps. Each answers over a channel of the standard library, so that nothing but the wake-up of its own
/// spawn brings it to a worker.
pub(super) fn start(runtime: Handle, ledger: Arc<Ledger>, mut random: Random) -> JoinHandle<()> {
    thread::spawn(move || {
        while !ledger.stopped() {
            let (sender, receiver) = mpsc::channel();
            let number = random.below(u64::MAX);
            drop(runtime.spawn(async move { sender.send(number) }));
            match receiver.recv_timeout(LOST) {
                Ok(answer) if answer == number => ledger.add(Count::SpawnsFromOutside, 1),
                Ok(_) => ledger.fault("a task has another's answer"),
                Err(_) => ledger.fault("lost: a task that was spawned from outside"),
            }
            thread::sleep(Duration::from_micros(random.below(4000)));
        }
    })
}
