//! What the actors share: when to stop, what they have done, what went wrong, and how long things took.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use executor::time::{sleep, timeout};
use hdrhistogram::Histogram;

use crate::Result;
use crate::random::Random;

/// Starts an actor. It acts until [`Ledger::stopped`].
pub(super) type Start = fn(Arc<Ledger>, Random) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What answers later than this, or not at all, is lost.
pub(super) const LOST: Duration = Duration::from_secs(10);

pub(super) struct Ledger {
    /// Where the server of this soak listens.
    pub(super) server: SocketAddr,
    pub(super) echo: Times,
    pub(super) timers: Times,
    // All of the atomics are Relaxed: nothing but their own value matters.
    stop: AtomicBool,
    counts: [AtomicU64; Count::ALL.len()],
    faults: Mutex<Vec<String>>,
}

/// What is done, counted when it has been done as it should. All of them go on all the time: one that does not hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    RoundTrips,
    Connections,
    Resets,
    ConnectionsAborted,
    ClientsKilled,
    TimersFired,
    TimersCancelled,
    Tasks,
    TasksAborted,
    Panics,
    Messages,
    BlockingCalls,
    BlocksInPlace,
    ThreadsBlocked,
    Spins,
    SpawnsFromOutside,
    Signals,
    Children,
}

impl Count {
    pub(super) const ALL: [Self; 18] = [
        Self::RoundTrips,
        Self::Connections,
        Self::Resets,
        Self::ConnectionsAborted,
        Self::ClientsKilled,
        Self::TimersFired,
        Self::TimersCancelled,
        Self::Tasks,
        Self::TasksAborted,
        Self::Panics,
        Self::Messages,
        Self::BlockingCalls,
        Self::BlocksInPlace,
        Self::ThreadsBlocked,
        Self::Spins,
        Self::SpawnsFromOutside,
        Self::Signals,
        Self::Children,
    ];
}

impl Ledger {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self {
            server,
            echo: Times::new(),
            timers: Times::new(),
            stop: AtomicBool::new(false),
            counts: Default::default(),
            faults: Mutex::default(),
        }
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    pub(super) fn add(&self, count: Count, number: u64) {
        self.counts[count as usize].fetch_add(number, Relaxed);
    }

    pub(super) fn count(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Relaxed)
    }

    /// Something is not as it should be. It is printed at once; the soak goes on, and fails in the end.
    pub(super) fn fault(&self, what: impl fmt::Display) {
        println!("FAULT: {what}");
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(what.to_string());
    }

    pub(super) fn no_faults(&self) -> Result {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match &faults[..] {
            [] => Ok(()),
            [first, ..] => Err(format!("{} faults, the first: {first}", faults.len()).into()),
        }
    }

    /// The output of `future`. Nothing, and a fault, if that is lost.
    pub(super) async fn soon<T>(&self, what: &str, future: impl Future<Output = T>) -> Option<T> {
        let output = timeout(LOST, future).await.ok();
        if output.is_none() {
            self.fault(format!("lost: {what}"));
        }
        output
    }
}

/// Sleeps for less than so many milliseconds.
pub(super) async fn pause(random: &mut Random, milliseconds: u64) {
    sleep(Duration::from_micros(random.below(1000 * milliseconds))).await;
}

/// How long something took, since the start and since the last report.
pub(super) struct Times(Mutex<[Histogram<u32>; 2]>);

impl Times {
    fn new() -> Self {
        // Microseconds, up to a minute, to three digits.
        let new = || Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid");
        Self(Mutex::new([new(), new()]))
    }

    pub(super) fn record(&self, time: Duration) {
        let microseconds = time.as_nanos().div_ceil(1000).max(1) as u64;
        let mut histograms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for histogram in &mut *histograms {
            histogram.saturating_record(microseconds);
        }
    }

    /// Since the last time this was asked, in microseconds.
    pub(super) fn lately(&self) -> Quantiles {
        let mut histograms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quantiles = Quantiles::of(&histograms[0]);
        histograms[0].reset();
        quantiles
    }

    pub(super) fn overall(&self) -> Quantiles {
        let histograms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Quantiles::of(&histograms[1])
    }
}

/// In microseconds.
pub(super) struct Quantiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) max: u64,
}

impl Quantiles {
    fn of(histogram: &Histogram<u32>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

/// The payload of a panic that belongs to the soak.
pub(super) struct Planned;

/// From now on a panic that nobody planned is a fault, and one that somebody planned makes no noise.
pub(super) fn report_unplanned_panics(ledger: &Arc<Ledger>) {
    let (ledger, usual) = (ledger.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        let payload: &(dyn Any + Send) = info.payload();
        if !payload.is::<Planned>() {
            usual(info);
            ledger.fault(format!("a panic: {info}"));
        }
    }));
}
