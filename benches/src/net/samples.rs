//! The user time of a server, by samples of perf.
//!
//! The system counts a process' user time by its ticks, where most systems have 250 a second: of a round of a second, a handful. perf has a timer of its own
//! for each thread, which runs while the thread does, and a sample is taken each time that it goes off in user mode. Still, that takes time, so the round
//! that is sampled is one of its own.

use std::path::PathBuf;
use std::process::{Command, id};

use super::perf::Perf;
use crate::Result;

/// A perf that takes samples.
pub(super) struct Sampler {
    perf: Perf,
    file: Samples,
}

impl Sampler {
    /// Samples from before this returns.
    pub(super) fn start(process: u32) -> Result<Self> {
        let (process, rate) = (process.to_string(), RATE.to_string());
        let name = format!("compare-samples-{}-{process}", id());
        let file = Samples(std::env::temp_dir().join(name));
        let path = file.path()?;
        // Without --strict-freq it would take fewer, where the system lets it take no more, and each would be longer than is said here.
        let what = [
            "record",
            "-q",
            "--strict-freq",
            "-e",
            "cpu-clock:u",
            "-F",
            &rate,
        ];
        let whom = ["-p", &process, "-B", "-N", "-o", path];
        let perf = Perf::start(what.into_iter().chain(whom))?;
        Ok(Self { perf, file })
    }

    /// Microseconds in user mode.
    pub(super) fn finish(self) -> Result<f64> {
        self.perf.finish()?;
        let mut report = Command::new("perf");
        let output = report
            .args(["report", "--stats", "-i", self.file.path()?])
            .output()?;
        let samples = count(&String::from_utf8_lossy(&output.stdout))?;
        Ok(samples as f64 * 1e6 / f64::from(RATE))
    }
}

/// The file in which perf keeps them. It is removed when this is dropped.
struct Samples(PathBuf);

impl Samples {
    fn path(&self) -> Result<&str> {
        Ok(self
            .0
            .to_str()
            .ok_or("perf's file has a name that is no text")?)
    }
}

impl Drop for Samples {
    fn drop(&mut self) {
        // perf may not have come so far.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// How many samples a report of statistics has. Lost ones would be missing from the time.
fn count(report: &str) -> Result<u64> {
    let number = |kind: &str| {
        let line = report
            .lines()
            .find(|line| line.trim_start().starts_with(kind))?;
        line.split_once(':')?
            .1
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    };
    if number("TOTAL events").is_none() {
        return Err("perf reports no statistics".into());
    }
    match number("LOST events").or(number("LOST_SAMPLES events")) {
        None | Some(0) => Ok(number("SAMPLE events").unwrap_or(0)),
        Some(lost) => Err(format!("perf has lost {lost} batches of samples").into()),
    }
}

/// Samples for a second of user time.
const RATE: u32 = 5000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_once() {
        let report = "\nAggregated stats:\n           TOTAL events:        214\n            COMM events:          2  ( 0.9%)\n          \
            SAMPLE events:        200  (93.5%)\ncpu-clock:u stats:\n          SAMPLE events:        200\n";
        assert_eq!(count(report).unwrap(), 200);
        assert_eq!(
            count("  TOTAL events:  14\n").unwrap(),
            0,
            "it slept all the time"
        );
    }

    #[test]
    fn what_is_lost_or_not_reported_is_an_error() {
        assert!(count("TOTAL events: 9\n SAMPLE events: 5\n LOST events: 1  (1%)\n").is_err());
        assert!(count("").is_err());
    }

    #[test]
    fn what_cannot_be_sampled_is_an_error() {
        // Whether perf is there or not.
        assert!(Sampler::start(u32::MAX / 2).is_err());
    }
}
