//! Runs the programs on all runtimes in turn, and compares round by round.
//!
//! ```text
//! round 0   executor  tokio     smol         each a sample: the program, as often as it takes to last 20 ms
//! round 1   smol      tokio     executor     the order turns, so that nobody is always first
//! round 2   executor  tokio     smol         and neighbours in time are compared with each other
//! ```
//!
//! Every runtime is started once and lives until the end: Rust's in this process, Go's in one of its own. While the others run it is idle, which means asleep: that an idle
//! runtime makes no system calls is what `compare idle` looks at.

use std::time::Duration;

use crate::Result;
use crate::cli::Options;
use crate::contestants::Live;
use crate::go;
use crate::patience::within_limit;
use crate::programs::Program;
use crate::report;

/// What one runtime needed for a program: nanoseconds per operation, a sample for each round.
pub(crate) struct Samples {
    pub(crate) name: &'static str,
    pub(crate) nanoseconds: Vec<f64>,
}

pub(crate) fn compare(options: &Options) -> Result {
    let mut runtimes: Vec<(_, Box<dyn Live>)> = Vec::new();
    for contestant in options.contestants() {
        runtimes.push((contestant.name, (contestant.start)(options.workers)?));
    }
    if let Some(program) = go::programs(options) {
        runtimes.push((go::NAME, Box::new(go::start(&program, options.workers)?)));
    }
    let mut results = Vec::new();
    for &program in &options.programs {
        let samples = sample(program, &runtimes, options)?;
        if options.json {
            println!("{}", report::json(program, &samples));
        }
        results.push((program, samples));
    }
    if !options.json {
        report::print(&results, options);
    }
    Ok(())
}

/// The numbers below `count` in the order of round `round`: forwards and backwards in turn.
pub(crate) fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |index| {
        if round.is_multiple_of(2) {
            index
        } else {
            count - 1 - index
        }
    })
}

/// A sample of each of the runtimes for each round.
pub(crate) fn sample(
    program: Program,
    runtimes: &[(&'static str, Box<dyn Live>)],
    options: &Options,
) -> Result<Vec<Samples>> {
    let length = if options.smoke { SHORT } else { LENGTH };
    let time = |index: usize, repeats| {
        let (name, runtime) = &runtimes[index];
        within_limit(&format!("{} on {name}", program.name()), || {
            runtime.time(program, repeats)
        })
    };
    // Finding out how often is the warm-up, too.
    let repeats = (0..runtimes.len())
        .map(|index| repeats_for(length, |repeats| time(index, repeats)))
        .collect::<Result<Vec<u32>>>()?;
    let mut samples: Vec<Samples> = runtimes
        .iter()
        .map(|(name, _)| Samples {
            name,
            nanoseconds: Vec::with_capacity(options.rounds),
        })
        .collect();
    for round in 0..options.rounds {
        for index in order(round, runtimes.len()) {
            let operations = program.operations() * u64::from(repeats[index]);
            let taken = time(index, repeats[index])?;
            samples[index]
                .nanoseconds
                .push(taken.as_nanos() as f64 / operations as f64);
        }
    }
    Ok(samples)
}

/// How often to repeat what `time` times, so that it lasts at least `length`.
pub(crate) fn repeats_for(length: Duration, time: impl Fn(u32) -> Result<Duration>) -> Result<u32> {
    let mut repeats = 1;
    // The limit is for a clock that stands still.
    while time(repeats)? < length && repeats < 1 << 20 {
        repeats *= 2;
    }
    Ok(repeats)
}

/// Each sample lasts at least this long, so that starting, waking the first worker and reading the clock do not count.
const LENGTH: Duration = Duration::from_millis(20);
const SHORT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_rounds_is_abba() {
        let orders: Vec<usize> = (0..2).flat_map(|round| order(round, 2)).collect();
        assert_eq!(orders, [0, 1, 1, 0]);
        assert!(order(1, 3).eq([2, 1, 0]));
    }

    #[test]
    fn a_sample_is_repeated_until_it_is_long_enough() {
        let repeats =
            repeats_for(LENGTH, |repeats| Ok(Duration::from_millis(3) * repeats)).unwrap();
        assert_eq!(repeats, 8);
    }
}
