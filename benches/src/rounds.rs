//! Runs the programs on all runtimes in turn, and compares round by round.
//!
//! ```text
//! round 0   executor  tokio     smol         each a sample: the program, as often as it takes to last 20 ms
//! round 1   tokio     executor  smol         in an order that is drawn for each round
//! round 2   executor  smol      tokio        what is compared was measured within a fraction of a second
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
use crate::random::Random;
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

/// The numbers below `count` in the order of round `round`, which is drawn for this round, and the same in each run. So nobody always comes first, or
/// after the same one, as they would if the orders took turns; and of more than two, nobody who was last in a round is first in the next.
pub(crate) fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    let mut order = drawn(round, count);
    // Of two, that would be the same order for ever.
    if count > 2 && round > 0 && drawn(round - 1, count).last() == order.first() {
        // Not the last place: the next round looks at it.
        order.swap(0, 1);
    }
    order.into_iter()
}

/// All orders are equally likely.
fn drawn(round: usize, count: usize) -> Vec<usize> {
    let mut random = Random::new(round as u64);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.below(last as u64 + 1) as usize);
    }
    order
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn all_orders_come_up_equally_often() {
        for (count, orders) in [(2, 2), (3, 6), (4, 24)] {
            let mut seen = BTreeMap::new();
            for round in 0..100 * orders {
                let order: Vec<_> = order(round, count).collect();
                *seen.entry(order).or_insert(0) += 1;
            }
            assert_eq!(seen.len(), orders, "of {count}");
            // A hundred each, as far as chance goes: less than five deviations away.
            let times = seen.values();
            assert!(
                times.into_iter().all(|times| (50..150).contains(times)),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn an_order_is_the_same_in_each_run_and_nobody_follows_itself() {
        for round in 1..1000 {
            let [before, now] = [round - 1, round].map(|round| order(round, 4).collect::<Vec<_>>());
            assert!(order(round, 4).eq(now.iter().copied()));
            assert_ne!(before.last(), now.first(), "round {round}");
        }
    }

    #[test]
    fn a_sample_is_repeated_until_it_is_long_enough() {
        let repeats =
            repeats_for(LENGTH, |repeats| Ok(Duration::from_millis(3) * repeats)).unwrap();
        assert_eq!(repeats, 8);
    }
}
