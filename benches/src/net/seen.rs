//! What a load has seen, as it goes from its process to the parent.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::Result;

pub(super) struct Seen {
    /// Nanoseconds.
    latencies: Histogram<u64>,
    /// How late this side asked, of questions that nothing else kept waiting.
    late: Histogram<u64>,
    /// All answers, those after the end included.
    answers: u64,
    /// From the first question to the last answer that counts.
    pub(super) length: Duration,
    /// Messages that were lost, or believed to be.
    pub(super) sent_again: u64,
}

impl Seen {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            late: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            answers: 0,
            length: Duration::ZERO,
            sent_again: 0,
        })
    }

    /// An answer has come. It counts if it came in time.
    pub(super) fn answer(&mut self, latency: Duration, counts: bool) {
        self.answers += 1;
        if counts {
            record(&mut self.latencies, latency);
        }
    }

    /// A question was asked so long after it was due.
    pub(super) fn late(&mut self, late: Duration) {
        record(&mut self.late, late);
    }

    /// The names are those of the metrics, where there is one.
    pub(super) fn line(&self) -> Value {
        let mut line = json!({
            "answers": self.answers,
            "per second": self.latencies.len() as f64 / self.length.as_secs_f64(),
            "sent again": self.sent_again,
        });
        line[LATE] = microseconds(&self.late, 0.99).into();
        for (name, quantile) in QUANTILES_OF_OPEN {
            line[*name] = microseconds(&self.latencies, *quantile).into();
        }
        line
    }
}

fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(duration.as_nanos().try_into().unwrap_or(u64::MAX));
}

fn microseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}

/// Those of latencies in a closed loop, whose tail says little.
pub(super) const QUANTILES: &[(&str, f64)] = &[("p50 us", 0.5), ("p99 us", 0.99)];
pub(super) const QUANTILES_OF_OPEN: &[(&str, f64)] = &[
    ("p50 us", 0.5),
    ("p90 us", 0.9),
    ("p99 us", 0.99),
    ("p99.9 us", 0.999),
    ("p99.99 us", 0.9999),
    ("max us", 1.0),
];
pub(crate) const LATE: &str = "p99 asked late us";
/// Of one processor, which is all that the load's thread can have.
pub(crate) const LOAD: &str = "load's CPU %";
/// Ten minutes, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;
/// Latencies are exact to a thousandth.
const DIGITS: u8 = 3;

#[cfg(test)]
impl Seen {
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(quantile))
    }

    /// How many latencies were so long or longer, to the precision of the histogram.
    pub(super) fn count_above(&self, latency: Duration) -> u64 {
        let nanoseconds = latency.as_nanos() as u64;
        self.latencies.count_between(nanoseconds, LONGEST)
    }
}
