//! What one worker does, and what two do: the rounds that the model is held against.

use crate::Result;
use crate::cli::Options;
use crate::contestants::{Contestant, Live};
use crate::patience::within_limit;
use crate::programs::Program;
use crate::rounds::order;
use crate::stats::{median, ratios};

/// Nanoseconds for each operation on one worker and on two, in the rounds.
pub(super) struct Measured(pub(super) [Vec<f64>; 2]);

impl Measured {
    pub(super) fn of(program: Program, runtime: &str, options: &Options) -> Result<Self> {
        let start = Contestant::named(runtime)?.start;
        let runtimes = [start(1)?, start(2)?];
        let operations = program.operations();
        let repeats = (AT_LEAST / operations).max(1) as u32;
        let what = format!("{} on {}", program.name(), runtime);
        let time = |live: &dyn Live| -> Result<f64> {
            let taken = within_limit(&what, || live.time(program, repeats))?;
            Ok(taken.as_nanos() as f64 / (operations * u64::from(repeats)) as f64)
        };
        let mut samples = [Vec::new(), Vec::new()];
        for live in &runtimes {
            // Not counted: memory and threads find their places.
            time(&**live)?;
        }
        for round in 0..options.rounds {
            for index in order(round, runtimes.len()) {
                samples[index].push(time(&*runtimes[index])?);
            }
        }
        Ok(Self(samples))
    }

    /// On one worker.
    pub(super) fn t(&self) -> f64 {
        median(&self.0[0])
    }

    /// Of two workers, in each round.
    pub(super) fn speed_ups(&self) -> Vec<f64> {
        ratios(&self.0[1], &self.0[0])
    }

    /// Millions of operations per second, of so many workers.
    pub(super) fn rates(&self, workers: usize) -> Vec<f64> {
        let times = self.0[workers - 1].iter();
        times.map(|time| 1000.0 / time).collect()
    }
}

/// Operations of a sample.
const AT_LEAST: u64 = 100_000;
