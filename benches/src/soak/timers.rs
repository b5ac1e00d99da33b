//! Timers that fire, and timers that are dropped before.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use executor::time::{Instant, sleep, sleep_until, timeout};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::ledger::{Count, Ledger};
use crate::random::Random;

/// Batches of a hundred, all in one task: half of them fire, within a third of a second; the others are dropped by a timeout.
pub(super) fn sleep_and_cancel(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let mut timers: FuturesUnordered<_> = (0..BATCH)
                .map(|n| timer(&ledger, random.below(330_000), n % 2 == 0))
                .collect();
            let all = async { while timers.next().await.is_some() {} };
            ledger.soon("a timer", all).await;
        }
    })
}

async fn timer(ledger: &Ledger, microseconds: u64, fires: bool) {
    let deadline = Instant::now() + Duration::from_micros(microseconds);
    if fires {
        sleep_until(deadline).await;
        match Instant::now().checked_duration_since(deadline) {
            Some(late) => ledger.timers.record(late),
            None => ledger.fault("a timer fired early"),
        }
        ledger.add(Count::TimersFired, 1);
    } else {
        let hours = Duration::from_secs(3600);
        match timeout(deadline - Instant::now(), sleep(hours)).await {
            Ok(()) => ledger.fault("a timer fired hours early"),
            Err(_) => ledger.add(Count::TimersCancelled, 1),
        }
    }
}

const BATCH: usize = 100;
