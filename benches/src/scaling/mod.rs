//! The programs at 1, 2, 4, .. workers, up to the processors of the machine and beyond.
//!
//! ```text
//! a child process each, a new one in each round                rate(N)   operations per second
//!   executor, 1 worker                                         speed-up    rate(N) / rate(1)
//!   executor, 2 workers      tokio, 2 workers    ..            efficiency  rate(N) / rate of n runtimes of one worker each, side by
//!   executor, 2 × 1 worker   tokio, 2 × 1 worker                           side in one process, where n is N or the processors, if
//!   ..                                                                     those are fewer
//! ```
//!
//! Runtimes side by side share the machine, and nothing else: they are what can be reached. smol and Go have one runtime in a process, so
//! their efficiency is not known.
//!
//! - `distance`: how far apart two processors are in each of the rounds
//! - `machine`: how many workers are tried
//! - `usl`: the law that is fitted to the curves
//! - `report`: tables and JSON

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::apart;
use crate::cli::Options;
use crate::contestants::Live;
use crate::go;
use crate::programs::Program;
use crate::rounds::{self, Side};

mod distance;
mod machine;
mod report;
mod usl;

use distance::Distance;
pub(crate) use machine::processors;

/// What one process runs: so many runtimes of so many workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setup {
    runtime: &'static str,
    workers: usize,
    copies: usize,
}

/// The rates of a program in operations per second: for each setup a sample of each round.
struct Rates {
    program: Program,
    of: Vec<(Setup, Vec<f64>)>,
    /// What a line took there and back in each round, in nanoseconds. Nothing on one processor.
    distance: Vec<f64>,
}

pub(crate) fn compare(options: &Options) -> Result {
    let (cores, processors) = (machine::real_cores(), machine::processors());
    let counts = machine::worker_counts(options.up_to, &[cores, processors, 2 * processors]);
    let go = go::programs(options);
    let mut runtimes: Vec<_> = options
        .contestants()
        .iter()
        .map(|contestant| contestant.name)
        .collect();
    runtimes.extend(go.is_some().then_some(go::NAME));
    let setups = setups_of(&runtimes, &counts);
    let mut sides = Vec::new();
    let has_distance = machine::processors() > 1;
    if has_distance {
        sides.push(Side {
            name: "distance",
            start: Box::new(|| Ok(Box::new(Distance))),
        });
    }
    sides.extend(setups.iter().map(|setup| Side {
        name: setup.runtime,
        start: Box::new(|| setup.start(go.as_deref())),
    }));
    let mut results = Vec::new();
    for (program, mut samples) in rounds::sample(&sides, options)? {
        let others = samples.split_off(usize::from(has_distance));
        let distance = samples.pop().map(|samples| samples.nanoseconds);
        let rates = others.iter().map(|samples| {
            let times = samples.nanoseconds.iter();
            times.map(|nanoseconds| 1e9 / nanoseconds).collect()
        });
        let of = setups.iter().copied().zip(rates);
        let of = of
            .filter(|(_, rates): &(_, Vec<f64>)| !rates.is_empty())
            .collect();
        let rates = Rates {
            program,
            of,
            distance: distance.unwrap_or_default(),
        };
        if options.json {
            report::json(&rates, &counts);
        } else {
            report::print(&rates, &counts);
        }
        results.push(rates);
    }
    report::summary(&results, &counts, options);
    Ok(())
}

/// For each number of workers the runtimes, each with what it could reach.
fn setups_of(runtimes: &[&'static str], counts: &[usize]) -> Vec<Setup> {
    let mut setups = Vec::new();
    for &workers in counts {
        for &runtime in runtimes {
            setups.push(Setup {
                runtime,
                workers,
                copies: 1,
            });
            let side_by_side = !ONE_IN_A_PROCESS.contains(&runtime);
            if side_by_side && workers > 1 && workers <= machine::processors() {
                setups.push(Setup {
                    runtime,
                    workers: 1,
                    copies: workers,
                });
            }
        }
    }
    setups
}

impl Setup {
    fn start(self, go: Option<&Path>) -> Result<Box<dyn Live>> {
        Ok(Box::new(match self.copies {
            1 => apart::start(self.runtime, self.workers, go)?,
            copies => apart::several(self.runtime, self.workers, copies)?,
        }))
    }
}

impl Rates {
    /// The rates of one setup; nothing if it was not measured.
    fn of(&self, runtime: &str, workers: usize, copies: usize) -> Option<&[f64]> {
        let mut of = self.of.iter();
        let (_, rates) = of.find(|(setup, _)| {
            setup.runtime == runtime && setup.workers == workers && setup.copies == copies
        })?;
        Some(rates)
    }

    /// The rates of as many runtimes of one worker as this number of workers can keep busy.
    fn reachable(&self, runtime: &str, workers: usize) -> Option<&[f64]> {
        self.of(runtime, 1, workers.min(machine::processors()))
            .filter(|_| !ONE_IN_A_PROCESS.contains(&runtime))
    }

    fn runtimes(&self) -> Vec<&'static str> {
        let singles = self
            .of
            .iter()
            .filter(|(setup, _)| setup.workers == 1 && setup.copies == 1);
        singles.map(|(setup, _)| setup.runtime).collect()
    }
}

/// The child process, also of `programs`.
pub(crate) fn child(options: &Options) -> Result {
    let contestant = options.contestant()?;
    let runtimes = (0..options.copies)
        .map(|_| (contestant.start)(options.workers))
        .collect::<Result<Vec<_>>>()?;
    match runtimes.len() {
        1 => apart::serve(&*runtimes[0]),
        _ => apart::serve(&SideBySide(runtimes)),
    }
}

/// Runtimes that know nothing of each other.
struct SideBySide(Vec<Box<dyn Live>>);

impl Live for SideBySide {
    /// The time of one run if their rates are added up. Who waits for the slowest would measure the system's scheduler, too.
    fn time(&self, program: Program, repeats: u32) -> Result<Duration> {
        let begin = Barrier::new(self.0.len());
        let times = thread::scope(|scope| {
            let threads: Vec<_> = self
                .0
                .iter()
                .map(|runtime| {
                    scope.spawn(|| {
                        begin.wait();
                        runtime.time(program, repeats)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a program panicked")?)
                .collect::<Result<Vec<_>>>()
        })?;
        let rate: f64 = times.iter().map(|time| 1.0 / time.as_secs_f64()).sum();
        Ok(Duration::from_secs_f64(1.0 / rate))
    }
}

/// smol's is a static; Go's is the process.
const ONE_IN_A_PROCESS: [&str; 2] = ["smol", go::NAME];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_of_runtimes_side_by_side_are_added() {
        struct Fixed(u64);
        impl Live for Fixed {
            fn time(&self, _: Program, repeats: u32) -> Result<Duration> {
                Ok(Duration::from_millis(self.0) * repeats)
            }
        }
        let both = SideBySide(vec![Box::new(Fixed(20)), Box::new(Fixed(30))]);
        let taken = both.time(Program::Fib, 2).unwrap();
        // 1/40 + 1/60 = 1/24
        assert!(
            taken.abs_diff(Duration::from_millis(24)) < Duration::from_micros(1),
            "{taken:?}"
        );
    }

    #[test]
    fn each_number_of_workers_has_its_runtimes_and_what_they_could_reach() {
        let setups = setups_of(&["executor", "smol"], &[1, 2]);
        let shown: Vec<_> = setups
            .iter()
            .map(|setup| (setup.runtime, setup.workers, setup.copies))
            .collect();
        let mut expected = vec![("executor", 1, 1), ("smol", 1, 1), ("executor", 2, 1)];
        expected.extend((machine::processors() >= 2).then_some(("executor", 1, 2)));
        expected.push(("smol", 2, 1));
        assert_eq!(shown, expected);
    }
}
