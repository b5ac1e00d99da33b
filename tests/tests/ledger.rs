//! In a build that counts (`ci/ledger`): what tasks do while all workers are busy writes no line that all of them share.
//!
//! The counts are of the process, so these tests have one for themselves, and run one after the other.

#![cfg(executor_ledger)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use executor::runtime::ledger::entries;
use executor::runtime::{Builder, Runtime};
use executor::spawn;
use executor::task::yield_now;
use futures::StreamExt;
use futures::channel::mpsc::unbounded;

#[test]
fn spawn_wake_poll_and_completion_write_no_line_of_all_while_all_are_busy() {
    let _alone = ALONE.lock();
    let runtime = two_workers();
    let stop = Arc::new(AtomicBool::new(false));
    // So many that a worker from which some are stolen, because the system suspends it, has others.
    for _ in 0..256 {
        let stop = stop.clone();
        drop(runtime.spawn(async move {
            while !stop.load(Relaxed) {
                yield_now().await;
            }
        }));
    }
    let counted = runtime.block_on(async { spawn(batches()).await.unwrap() });
    stop.store(true, Relaxed);
    // What the system does to a worker may cost others something in one batch, not in all of them.
    let cleanest = counted.iter().min_by_key(|batch| total(batch)).unwrap();
    println!("{} batches, the cleanest wrote {cleanest:?}", counted.len());
    assert_eq!(*cleanest, [("id blocks", 1)]);
}

#[test]
fn a_spawn_from_outside_is_counted() {
    let _alone = ALONE.lock();
    let runtime = two_workers();
    runtime.block_on(async { spawn(async {}).await.unwrap() });
    let before = writes();
    let task = runtime.spawn(async {});
    runtime.block_on(task).unwrap();
    let counted = since(&before);
    let of = |name| {
        counted
            .iter()
            .find(|(line, _)| *line == name)
            .map(|(_, n)| *n)
    };
    assert_eq!(of("foreign counters"), Some(1), "{counted:?}");
    // Pushed, and taken alone.
    assert_eq!(of("injector"), Some(4), "{counted:?}");
}

static ALONE: Mutex<()> = Mutex::new(());

fn two_workers() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
}

type Counted = Vec<(&'static str, u64)>;

/// Batches, until one has written nothing but for the ids of its tasks, or there were very many.
async fn batches() -> Vec<Counted> {
    let mut counted = Vec::new();
    while counted.len() < 3000 && counted.last().is_none_or(|last| total(last) != 1) {
        let before = writes();
        batch().await;
        counted.push(since(&before));
    }
    counted
}

/// As many tasks as there are ids in a block, one of which is woken a hundred times, and wakes this one as often.
async fn batch() {
    let (there, mut come) = unbounded();
    let (back, mut answers) = unbounded();
    let partner = spawn(async move {
        while let Some(n) = come.next().await {
            back.unbounded_send(n).unwrap();
        }
    });
    for n in 0..100 {
        there.unbounded_send(n).unwrap();
        assert_eq!(answers.next().await, Some(n));
    }
    drop(there);
    let tasks: Vec<_> = (1..1024).map(|_| spawn(yield_now())).collect();
    for task in tasks {
        task.await.unwrap();
    }
    partner.await.unwrap();
}

/// Lines of all workers, without the duty, which busy workers take by the clock.
fn writes() -> Counted {
    let lines = entries().into_iter();
    let lines = lines.filter(|entry| entry.of_all && entry.line != "duty");
    lines.map(|entry| (entry.line, entry.writes)).collect()
}

fn since(before: &Counted) -> Counted {
    let pairs = before.iter().zip(writes());
    let differences = pairs.map(|((line, before), (_, now))| (*line, now - before));
    differences.filter(|(_, writes)| *writes > 0).collect()
}

fn total(batch: &Counted) -> u64 {
    batch.iter().map(|(_, writes)| writes).sum()
}
