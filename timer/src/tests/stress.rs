//! Entries are registered, reset and dropped on several threads while others turn.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Wake, Waker},
    thread,
};

use super::Bench;
use crate::{Entry, Status};

/// Counts the wakes, and how many wakers of this kind are alive (by its `Arc`).
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const ROUNDS: u64 = 30_000;

#[test]
fn entries_come_and_go_on_many_threads_while_others_turn() {
    let bench = Bench::new();
    let clock = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let wakes = Arc::new(Count::default());
    // Entries travel to a thread that drops them while they may be firing.
    let (send, receive) = mpsc::sync_channel::<Pin<Box<Entry>>>(64);
    let kept: Vec<_> = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    bench.turn(clock.fetch_add(5_000, Ordering::Relaxed));
                }
            });
        }
        scope.spawn(|| receive.into_iter().for_each(drop));
        let inserters: Vec<_> = (0..2)
            .map(|seed| {
                let (bench, clock, wakes, send) = (&bench, &clock, &wakes, send.clone());
                scope.spawn(move || insert(bench, clock, wakes, send, seed))
            })
            .collect();
        drop(send);
        let kept = inserters
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        done.store(true, Ordering::Relaxed);
        kept
    });
    bench.check();
    let waiting = kept.iter().filter(|entry| !entry.is_fired()).count();
    assert_eq!(bench.wheel.len(), waiting);
    assert_eq!(bench.turn_all(u64::MAX / 2), waiting);
    assert!(kept.iter().all(|entry| entry.is_fired()));
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

fn insert(
    bench: &Bench,
    clock: &AtomicU64,
    wakes: &Arc<Count>,
    send: mpsc::SyncSender<Pin<Box<Entry>>>,
    seed: u64,
) -> Vec<Pin<Box<Entry>>> {
    let mut random = seed;
    let mut kept = Vec::new();
    for _ in 0..ROUNDS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let choice = random >> 40;
        let later = clock.load(Ordering::Relaxed) + ((random >> 20) % 100) * 1_000;
        let mut entry = bench.entry(later);
        let _ = entry.as_mut().register(&wakes.clone().into());
        match choice % 5 {
            0 => drop(entry),
            1 => {
                entry.as_mut().reset(bench.at(later + 20_000));
                let _ = entry.as_mut().register(&wakes.clone().into());
                send.send(entry).unwrap();
            }
            2 => send.send(entry).unwrap(),
            3 => {
                entry.as_mut().cancel();
                let _ = entry.as_mut().register(Waker::noop());
                kept.push(entry);
            }
            _ => kept.push(entry),
        }
    }
    kept
}

#[test]
fn closing_ends_what_other_threads_register_meanwhile() {
    for _ in 0..50 {
        let bench = Bench::new();
        let wakes = Arc::new(Count::default());
        let (entries, handed_out) = thread::scope(|scope| {
            let inserter = scope.spawn(|| {
                let mut entries = Vec::new();
                loop {
                    let mut entry = bench.entry(1 << 30);
                    let status = entry.as_mut().register(&wakes.clone().into());
                    if status == Status::Closed {
                        return entries;
                    }
                    entries.push(entry);
                }
            });
            while bench.wheel.len() < 100 {
                thread::yield_now();
            }
            let mut wakers = Vec::new();
            while bench.wheel.close(&mut wakers) {}
            let entries = inserter.join().unwrap();
            while bench.wheel.close(&mut wakers) {}
            (entries, wakers.len())
        });
        assert_eq!(entries.len(), handed_out);
        for mut entry in entries {
            assert_eq!(entry.as_mut().register(Waker::noop()), Status::Closed);
        }
    }
}
