//! The thread outside of the runtime that reports, and notices what makes no progress.

use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::ledger::{Count, LOST, Ledger};
use super::system::{Counts, resident};
use crate::Result;
use crate::stats::slope;

pub(super) struct Watch {
    end: Sender<()>,
    thread: JoinHandle<Result<Growth>>,
}

impl Watch {
    pub(super) fn start(ledger: Arc<Ledger>, length: Duration) -> Self {
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut reports = Reports::new(length);
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(SAMPLE) {
                reports.sample(&ledger)?;
            }
            reports.last(&ledger);
            Ok(reports.growth)
        });
        Self { end, thread }
    }

    /// Ends it, with the last report.
    pub(super) fn end(self, ledger: &Ledger) -> Result<Growth> {
        // If it has ended already, joining it says why.
        let _ = self.end.send(());
        self.thread.join().unwrap_or_else(|_| {
            ledger.fault("the watch panicked");
            Ok(Growth::default())
        })
    }
}

struct Reports {
    start: Instant,
    length: Duration,
    every: Duration,
    next: Instant,
    /// When each of the counts was last seen to move.
    moved: [(u64, Instant); Count::ALL.len()],
    growth: Growth,
}

impl Reports {
    fn new(length: Duration) -> Self {
        let now = Instant::now();
        // A minute, or so that there are about four.
        let every = (length / 4).min(Duration::from_secs(60));
        println!(
            "{:>7} {:>9} {:>4} {:>8}   {:>25}   {:>25}   {:>11}",
            "", "resident", "", "", "echo, us", "timers are late by, us", ""
        );
        println!(
            "{:>7} {:>9} {:>4} {:>8}   {:>7} {:>8} {:>8}   {:>7} {:>8} {:>8}   {:>11}",
            "s",
            "KiB",
            "fds",
            "threads",
            "p50",
            "p99",
            "p99.9",
            "p50",
            "p99",
            "p99.9",
            "round trips"
        );
        Self {
            start: now,
            length,
            every,
            next: now + every,
            moved: [(0, now); Count::ALL.len()],
            growth: Growth::default(),
        }
    }

    fn sample(&mut self, ledger: &Ledger) -> Result {
        let time = self.start.elapsed();
        if ledger.stopped() {
            if time > self.length + THE_END_TAKES {
                println!("FAULT: the end takes longer than {THE_END_TAKES:?}");
                self.last(ledger);
                process::exit(1);
            }
            return Ok(());
        }
        // The allocator takes its minutes to fill its arenas.
        if time > self.length / 2 {
            let size = resident()? as f64;
            self.growth.sizes.push((time.as_secs_f64() / 60.0, size));
        }
        self.look_for_progress(ledger);
        if Instant::now() >= self.next {
            self.next += self.every;
            self.report(ledger)?;
        }
        Ok(())
    }

    fn look_for_progress(&mut self, ledger: &Ledger) {
        for (count, (last, when)) in Count::ALL.into_iter().zip(&mut self.moved) {
            let now = ledger.count(count);
            if now != *last {
                (*last, *when) = (now, Instant::now());
            } else if when.elapsed() > 3 * LOST {
                ledger.fault(format!("{count:?}: no progress for {:?}", 3 * LOST));
                *when = Instant::now();
            }
        }
    }

    fn report(&self, ledger: &Ledger) -> Result {
        let (counts, size) = (Counts::now()?, resident()?);
        let [echo, timers] = [ledger.echo.lately(), ledger.timers.lately()];
        println!(
            "{:7.0} {size:9} {:4} {:8}   {:7} {:8} {:8}   {:7} {:8} {:8}   {:11}",
            self.start.elapsed().as_secs_f64(),
            counts.descriptors,
            counts.threads,
            echo.p50,
            echo.p99,
            echo.p999,
            timers.p50,
            timers.p99,
            timers.p999,
            ledger.count(Count::RoundTrips),
        );
        Ok(())
    }

    fn last(&self, ledger: &Ledger) {
        println!();
        for (what, times) in [("echo", &ledger.echo), ("timers late by", &ledger.timers)] {
            let all = times.overall();
            println!(
                "{what:16} p50 {} us, p99 {} us, p99.9 {} us, max {} us",
                all.p50, all.p99, all.p999, all.max
            );
        }
        println!(
            "{:16} {:.1} KiB a minute in the second half",
            "resident grows",
            self.growth.slope()
        );
        for count in Count::ALL {
            let number = ledger.count(count);
            println!("{:18} {number:11}", format!("{count:?}"));
            if number == 0 {
                ledger.fault(format!("{count:?}: not one"));
            }
        }
    }
}

/// The resident size in the second half.
#[derive(Default)]
pub(super) struct Growth {
    /// Minutes, and KiB.
    sizes: Vec<(f64, f64)>,
}

impl Growth {
    /// KiB a minute, by least squares.
    fn slope(&self) -> f64 {
        slope(&self.sizes)
    }

    pub(super) fn judge(&self, ledger: &Ledger) {
        // No number: too few samples.
        if self.slope() > MOST_GROWTH || self.slope().is_nan() {
            ledger.fault(format!(
                "the resident size grows by {:.1} KiB a minute; allowed are {MOST_GROWTH}",
                self.slope()
            ));
        }
    }
}

const SAMPLE: Duration = Duration::from_secs(1);
const THE_END_TAKES: Duration = Duration::from_secs(150);
/// KiB a minute.
const MOST_GROWTH: f64 = 64.0;
