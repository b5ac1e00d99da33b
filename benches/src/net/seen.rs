//! What a load has seen, as it goes from its process to the parent.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::Result;

pub(super) struct Seen {
    /// Nanoseconds.
    latencies: Histogram<u64>,
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

    /// The names are those of the metrics, where there is one.
    pub(super) fn line(&self) -> Value {
        let mut line = json!({
            "answers": self.answers,
            "per second": self.latencies.len() as f64 / self.length.as_secs_f64(),
            "sent again": self.sent_again,
        });
        for (name, quantile) in QUANTILES {
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

/// Those of latencies.
pub(super) const QUANTILES: &[(&str, f64)] = &[("p50 us", 0.5), ("p99 us", 0.99)];
/// Ten minutes, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;
/// Latencies are exact to a thousandth.
const DIGITS: u8 = 3;
