//! Closures and tasks that keep their thread, said and unsaid.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use executor::spawn;
use executor::task;

use super::ledger::{Count, Ledger, pause};
use crate::random::Random;

/// A few closures at a time on the blocking pool.
pub(super) fn spawn_blocking(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let calls: Vec<_> = (0..random.below(8))
                .map(|n| {
                    let time = Duration::from_micros(random.below(3000));
                    let call = task::spawn_blocking(move || {
                        thread::sleep(time);
                        n
                    });
                    (n, call)
                })
                .collect();
            for (n, call) in calls {
                match ledger.soon("the answer of spawn_blocking", call).await {
                    Some(Ok(answer)) if answer == n => ledger.add(Count::BlockingCalls, 1),
                    Some(_) => ledger.fault("spawn_blocking answers something else"),
                    None => {}
                }
            }
            pause(&mut random, 20).await;
        }
    })
}

/// A task that says that it blocks.
pub(super) fn block_in_place(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let time = milliseconds(&mut random, 1, 20);
            let task = spawn(async move { task::block_in_place(|| thread::sleep(time)) });
            if let Some(Ok(())) = ledger.soon("a task with block_in_place", task).await {
                ledger.add(Count::BlocksInPlace, 1);
            }
            pause(&mut random, 100).await;
        }
    })
}

/// A task that blocks its thread and does not say so.
pub(super) fn block_the_thread(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let time = milliseconds(&mut random, 5, 30);
            let task = spawn(async move { thread::sleep(time) });
            if let Some(Ok(())) = ledger.soon("a task that blocks its thread", task).await {
                ledger.add(Count::ThreadsBlocked, 1);
            }
            pause(&mut random, 500).await;
        }
    })
}

/// A task that computes, and does not yield.
pub(super) fn spin(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let time = milliseconds(&mut random, 5, 30);
            let task = spawn(async move {
                let start = Instant::now();
                while start.elapsed() < time {
                    std::hint::spin_loop();
                }
            });
            if let Some(Ok(())) = ledger.soon("a task that spins", task).await {
                ledger.add(Count::Spins, 1);
            }
            pause(&mut random, 500).await;
        }
    })
}

fn milliseconds(random: &mut Random, least: u64, most: u64) -> Duration {
    Duration::from_micros(1000 * least + random.below(1000 * (most - least)))
}
