//! Runs the programs on all runtimes in turn, each round in new processes, and compares round by round.
//!
//! ```text
//! before    a process for each runtime finds out how often each program must be repeated to last 20 ms
//! round 0   a new process for each: asleep, but while it is told to time a program
//!           spawn_many   executor  tokio     smol         each a short warm-up, then a sample
//!           yield_many   smol      executor  tokio        in an order that is drawn
//!           ..                                            what is compared was measured within a fraction of a second
//! round 1   new processes again
//! ```
//!
//! Where the system has put a process' memory and threads stays as it is for its life, and two lives of the same program can differ by a fifth.
//! Samples of one life would say the same again and again; those of different lives know nothing of each other, which is what the bounds of
//! [`stats`](crate::stats) suppose. That an idle runtime makes no system calls is what `compare idle` looks at.

use std::time::Duration;

use crate::Result;
use crate::apart;
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

impl Samples {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            nanoseconds: Vec::new(),
        }
    }
}

/// Who is measured, and how a life of it begins.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    pub(crate) start: Box<dyn Fn() -> Result<Box<dyn Live>> + 'a>,
}

impl Side<'_> {
    fn has(&self, program: Program) -> bool {
        self.name != go::NAME || program.is_in_go()
    }
}

pub(crate) fn compare(options: &Options) -> Result {
    let go = go::programs(options);
    let program = go.as_deref();
    let mut sides: Vec<_> = options
        .contestants()
        .iter()
        .map(|contestant| contestant.name)
        .collect();
    sides.extend(go.is_some().then_some(go::NAME));
    let sides = sides.into_iter().map(|name| Side {
        name,
        start: Box::new(move || Ok(Box::new(apart::start(name, options.workers, program)?))),
    });
    let mut results = sample(&sides.collect::<Vec<_>>(), options)?;
    for (_, samples) in &mut results {
        samples.retain(|samples| !samples.nanoseconds.is_empty());
    }
    if !options.json {
        report::print(&results, options);
        return Ok(());
    }
    for (program, samples) in &results {
        println!("{}", report::json(*program, samples));
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

/// A sample of each of the programs on each side for each round, in which each side has a life of its own. There is none of what a side lacks.
pub(crate) fn sample(
    sides: &[Side<'_>],
    options: &Options,
) -> Result<Vec<(Program, Vec<Samples>)>> {
    let length = if options.smoke { SHORT } else { LENGTH };
    // In a life that does not count, so that all that do begin alike.
    let lives = Lives::begin(sides)?;
    let mut repeats = Vec::new();
    for &program in &options.programs {
        let found = (0..sides.len()).map(|side| match sides[side].has(program) {
            true => repeats_for(length, |repeats| lives.time(program, side, repeats)),
            false => Ok(0),
        });
        repeats.push(found.collect::<Result<Vec<u32>>>()?);
    }
    drop(lives);
    let nothing = || sides.iter().map(|side| Samples::new(side.name)).collect();
    let mut results: Vec<(_, Vec<_>)> = options
        .programs
        .iter()
        .map(|&program| (program, nothing()))
        .collect();
    for round in 0..options.rounds {
        let lives = Lives::begin(sides)?;
        for (index, (program, samples)) in results.iter_mut().enumerate() {
            // Another order for each program.
            for side in order(round * options.programs.len() + index, sides.len()) {
                if !sides[side].has(*program) {
                    continue;
                }
                let repeats = repeats[index][side];
                lives.time(*program, side, repeats.div_ceil(WARM_UP))?;
                let taken = lives.time(*program, side, repeats)?;
                let operations = program.operations() * u64::from(repeats);
                samples[side]
                    .nanoseconds
                    .push(taken.as_nanos() as f64 / operations as f64);
            }
        }
    }
    Ok(results)
}

/// A life of each of the sides. They end when this is dropped.
struct Lives<'a>(Vec<(&'a Side<'a>, Box<dyn Live>)>);

impl<'a> Lives<'a> {
    /// They begin together, and when this returns all of them have nothing to do: who begins does not disturb who is measured.
    fn begin(sides: &'a [Side<'a>]) -> Result<Self> {
        let begun = sides.iter().map(|side| Ok((side, (side.start)()?)));
        let lives = Self(begun.collect::<Result<_>>()?);
        for side in 0..sides.len() {
            lives.time(Program::SEVEN[0], side, 0)?;
        }
        Ok(lives)
    }

    fn time(&self, program: Program, side: usize, repeats: u32) -> Result<Duration> {
        let (Side { name, .. }, live) = &self.0[side];
        within_limit(&format!("{} on {name}", program.name()), || {
            live.time(program, repeats)
        })
    }
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
/// In each life a program runs so much less often before its sample: memory is there and workers have run.
const WARM_UP: u32 = 4;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    /// How many lives there are, and how many there have been.
    #[derive(Default)]
    struct Counted {
        now: AtomicU32,
        ever: AtomicU32,
    }

    /// The first takes a microsecond for an operation, each later one a microsecond more.
    struct Life(&'static Counted, u32);

    impl Life {
        fn begin(counted: &'static Counted) -> Self {
            assert!(
                counted.now.fetch_add(1, Relaxed) < 2,
                "one life of each side at a time"
            );
            Self(counted, counted.ever.fetch_add(1, Relaxed) + 1)
        }
    }

    impl Live for Life {
        fn time(&self, program: Program, repeats: u32) -> Result<Duration> {
            let operations = program.operations() as u32 * repeats;
            Ok(Duration::from_micros(self.1.into()) * operations)
        }
    }

    impl Drop for Life {
        fn drop(&mut self) {
            self.0.now.fetch_sub(1, Relaxed);
        }
    }

    #[test]
    fn each_round_is_a_new_life_of_each_side() {
        let counted: &Counted = Box::leak(Box::default());
        let side = |name| Side {
            name,
            start: Box::new(move || Ok(Box::new(Life::begin(counted)))),
        };
        let options = Options {
            rounds: 3,
            programs: vec![Program::Fib, Program::Channels],
            smoke: true,
            ..Options::default()
        };
        let results = sample(&[side("one"), side("other")], &options).unwrap();
        for (program, samples) in results {
            // The first two have found out how often.
            let [one, other] = &samples[..] else {
                panic!("two sides")
            };
            assert_eq!(one.nanoseconds, [3e3, 5e3, 7e3], "{}", program.name());
            assert_eq!(other.nanoseconds, [4e3, 6e3, 8e3], "{}", program.name());
        }
        assert_eq!(counted.now.load(Relaxed), 0);
    }

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
