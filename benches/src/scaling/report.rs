//! What the curves come to, as tables and as JSON.

use serde_json::{Map, Value, json};

use super::Rates;
use super::machine::{processors, real_cores};
use super::usl::{Law, POINTS};
use crate::cli::Options;
use crate::figures::shown;
use crate::stats::{Spread, median, ratios};

/// A table of one program: a row for each number of workers.
pub(super) fn print(rates: &Rates, counts: &[usize]) {
    let runtimes = rates.runtimes();
    println!(
        "\n{}, operations/s, (speed-up, efficiency)",
        rates.program.name()
    );
    print!("{:>8}", "workers");
    for runtime in &runtimes {
        print!(" {runtime:>26}");
    }
    println!();
    for &workers in counts {
        print!("{workers:8}");
        for runtime in &runtimes {
            let point = Point::of(rates, runtime, workers);
            let cell = point.map_or(String::new(), |point| {
                let efficiency = point.efficiency.as_deref().map(median);
                format!(
                    "{} ({:.2}, {})",
                    shown(median(point.rate)),
                    median(&point.speed_up),
                    efficiency.map_or("-".to_owned(), |efficiency| format!("{efficiency:.2}"))
                )
            });
            print!(" {cell:>26}");
        }
        println!();
    }
}

/// A line for each number of workers.
pub(super) fn json(rates: &Rates, counts: &[usize]) {
    for &workers in counts {
        let mut runtimes = Map::new();
        for runtime in rates.runtimes() {
            let Some(point) = Point::of(rates, runtime, workers) else {
                continue;
            };
            let mut metrics = Map::new();
            metrics.insert("ops/s".to_owned(), samples(point.rate));
            metrics.insert("speed-up".to_owned(), samples(&point.speed_up));
            if let Some(efficiency) = &point.efficiency {
                metrics.insert("efficiency".to_owned(), samples(efficiency));
            }
            runtimes.insert(runtime.to_owned(), metrics.into());
        }
        println!(
            "{}",
            line(rates.program.name(), Some(workers), "more", runtimes)
        );
    }
}

/// The figures that one number says, of all programs: how near two workers come to two runtimes, what oversubscription costs, the law.
pub(super) fn summary(results: &[Rates], counts: &[usize], options: &Options) {
    let processors = processors();
    let all = counts
        .iter()
        .copied()
        .rfind(|workers| *workers == processors);
    let most = counts
        .iter()
        .copied()
        .rfind(|workers| *workers > processors);
    if let Some(all) = all {
        let title = format!("{all} workers ÷ {all} runtimes of one worker");
        each(&title, "more", results, options, |rates, runtime| {
            Point::of(rates, runtime, all)?.efficiency
        });
    }
    if let (Some(all), Some(most)) = (all, most) {
        let title = format!("{most} workers ÷ {all} workers, on {processors} processors");
        each(&title, "more", results, options, |rates, runtime| {
            Some(ratios(
                rates.of(runtime, all, 1)?,
                rates.of(runtime, most, 1)?,
            ))
        });
    }
    distance(results, options);
    let cores = real_cores();
    let points = counts.iter().filter(|workers| **workers <= cores).count();
    if points < POINTS {
        say(
            &format!(
                "The Universal Scalability Law is not fitted: it is one of real cores, of which {cores} are here, and takes {POINTS} numbers of workers that have a \
                 core each, not {points}."
            ),
            options,
        );
        return;
    }
    each(
        "contention σ of the Universal Scalability Law",
        "less",
        results,
        options,
        |rates, runtime| Some(vec![law(rates, runtime, counts, cores)?.contention]),
    );
    each(
        "coherence κ of the Universal Scalability Law",
        "less",
        results,
        options,
        |rates, runtime| Some(vec![law(rates, runtime, counts, cores)?.coherence]),
    );
    each(
        "by what part of it the Universal Scalability Law misses a rate, root mean square",
        "less",
        results,
        options,
        |rates, runtime| Some(vec![law(rates, runtime, counts, cores)?.residual]),
    );
}

/// How far apart two processors were meanwhile: it says which of the programs had bad luck.
fn distance(results: &[Rates], options: &Options) {
    let mut programs = Map::new();
    for rates in results.iter().filter(|rates| !rates.distance.is_empty()) {
        programs.insert(rates.program.name().to_owned(), samples(&rates.distance));
    }
    if programs.is_empty() {
        return;
    }
    let title = "a line from one processor to another and back, in the same rounds";
    if options.json {
        let runtimes = Map::from_iter([("ns".to_owned(), programs.into())]);
        println!("{}", line(title, None, "less", runtimes));
        return;
    }
    println!("\n{title}, ns: median (quartiles)");
    for rates in results {
        let Spread {
            low, median, high, ..
        } = Spread::of(&rates.distance);
        let program = rates.program.name();
        println!("{program:14} {median:8.0} ({low:.0} to {high:.0})");
    }
}

/// The law of one curve, as far as each worker has a core.
fn law(rates: &Rates, runtime: &str, counts: &[usize], cores: usize) -> Option<Law> {
    let real = counts.iter().filter(|workers| **workers <= cores);
    let points: Option<Vec<_>> = real
        .map(|&workers| Some((workers, median(rates.of(runtime, workers, 1)?))))
        .collect();
    Law::fit(&points?)
}

/// One figure of each program and runtime, where there is one.
fn each(
    title: &str,
    better: &str,
    results: &[Rates],
    options: &Options,
    figure: impl Fn(&Rates, &'static str) -> Option<Vec<f64>>,
) {
    let Some(first) = results.first() else {
        return;
    };
    let mut runtimes = Map::new();
    if !options.json {
        println!("\n{title}: median (quartiles)");
    }
    for runtime in first.runtimes() {
        let mut programs = Map::new();
        for rates in results {
            if let Some(values) = figure(rates, runtime) {
                if !options.json {
                    let Spread {
                        low, median, high, ..
                    } = Spread::of(&values);
                    let program = rates.program.name();
                    println!("{runtime:12} {program:14} {median:8.3} ({low:.3} to {high:.3})");
                }
                programs.insert(rates.program.name().to_owned(), samples(&values));
            }
        }
        if !programs.is_empty() {
            runtimes.insert(runtime.to_owned(), programs.into());
        }
    }
    if options.json {
        println!("{}", line(title, None, better, runtimes));
    }
}

fn say(note: &str, options: &Options) {
    match options.json {
        true => println!("{}", json!({ "program": "scaling", "note": note })),
        false => println!("\n{note}"),
    }
}

/// One point of a curve.
struct Point<'a> {
    rate: &'a [f64],
    speed_up: Vec<f64>,
    efficiency: Option<Vec<f64>>,
}

impl<'a> Point<'a> {
    fn of(rates: &'a Rates, runtime: &str, workers: usize) -> Option<Self> {
        let rate = rates.of(runtime, workers, 1)?;
        Some(Self {
            rate,
            speed_up: ratios(rates.of(runtime, 1, 1)?, rate),
            efficiency: rates
                .reachable(runtime, workers)
                .map(|reachable| ratios(reachable, rate)),
        })
    }
}

fn line(
    scenario: &str,
    workers: Option<usize>,
    better: &str,
    runtimes: Map<String, Value>,
) -> Value {
    let mut line = json!({ "program": "scaling", "scenario": scenario, "better": better });
    if let Some(workers) = workers {
        line["workers"] = workers.into();
    }
    line["runtimes"] = runtimes.into();
    line
}

fn samples(values: &[f64]) -> Value {
    let Spread {
        min, median, max, ..
    } = Spread::of(values);
    json!({ "median": median, "min": min, "max": max, "samples": values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::Program;
    use crate::scaling::Setup;

    #[test]
    fn the_law_is_one_of_real_cores() {
        let counts = [1, 2, 4, 8, 16, 32, 64, 128];
        let of = counts.map(|workers| {
            let setup = Setup {
                runtime: "executor",
                workers,
                copies: 1,
            };
            // Each of 32 cores adds a whole one; what is beyond them adds nothing.
            (setup, vec![workers.min(32) as f64; 3])
        });
        let rates = Rates {
            program: Program::Fib,
            of: of.into(),
            distance: Vec::new(),
        };
        let found = law(&rates, "executor", &counts, 32).unwrap();
        assert!(
            found.contention.abs() < 1e-9 && found.coherence.abs() < 1e-9,
            "{found:?}"
        );
        let beyond = law(&rates, "executor", &counts, 128).unwrap();
        assert!(beyond.contention + beyond.coherence > 1e-4, "{beyond:?}");
        assert_eq!(law(&rates, "executor", &counts, 16), None);
        assert_eq!(law(&rates, "tokio", &counts, 32), None);
    }
}
