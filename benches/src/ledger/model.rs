//! Curves to 128 cores: what is measured here on one and two threads, put into a formula, which first has to foretell two workers.
//!
//! An operation takes `t` on one worker. Of its writes `g` go to lines that all workers share, `m` of them to the busiest of these lines; and `p` go to
//! a line of the program, which its tasks share on any runtime. Such a write takes `u` while nobody else writes the line, and `c` while others do. A line
//! serves one write at a time, so that N workers do
//!
//! ```text
//! X(1) = 1 / t        X(N) = min( N / (t + (g + p) (c - u)),  1 / (m c),  1 / (p c) )      operations per unit of time
//! ```
//!
//! The first term: each worker waits for lines. The others: the busiest line is never free. `t`, `u` and `c` are measured, `g`, `m` and `p` are
//! counted, X is modelled. What the formula does not know: memory, allocator, stealing, hyper-threads, and that `c` grows with the way
//! between cores. Where that matters two workers show it already. So they are measured, too, and where the model misses their speed-up there is no curve.

use serde_json::{Value, json};

use super::line;
use super::measured::Measured;
use crate::Result;
use crate::cli::Options;
use crate::figures::{cell, shown};
use crate::programs::Program;
use crate::report::counted;
use crate::rounds::order;
use crate::stats::{Spread, median};

/// A program on a runtime: the numbers of writes for each operation.
struct Case {
    program: Program,
    runtime: &'static str,
    /// To lines of all workers, the runtime's.
    g: f64,
    /// Of these, to the busiest.
    m: f64,
    /// To the program's own.
    p: f64,
}

/// Ours: what the ledger has counted of the program, with two workers, as the book has it; which of the lines is the busiest it does not say,
/// so that all are taken for one. tokio's: by reading its source, see the book. A task that counts down clones, decrements and drops what holds the count.
const CASES: [Case; 4] = [
    Case {
        program: Program::SpawnMany,
        runtime: "executor",
        g: 0.054,
        m: 0.054,
        p: 3.0,
    },
    Case {
        program: Program::SpawnMany,
        runtime: "tokio",
        g: 7.0,
        m: 3.0,
        p: 3.0,
    },
    // Each task counts down once in 1000 yields.
    Case {
        program: Program::YieldMany,
        runtime: "executor",
        g: 0.0002,
        m: 0.0002,
        p: 0.003,
    },
    Case {
        program: Program::YieldMany,
        runtime: "tokio",
        g: 8.0 / 61.0,
        m: 4.0 / 61.0,
        p: 0.003,
    },
];

pub(super) fn compare(options: &Options) -> Result {
    let (u, c) = lines(options);
    if !options.json {
        println!("\nu = {u:.1} ns, c = {c:.1} ns: how long the line is taken each time");
        println!(
            "\nmillions of operations per second: medians of {} (least to most), and modelled\n",
            counted(options.rounds, "round")
        );
        let heads = ["1 worker", "2 workers", "speed-up"];
        print!("{:12} {:10}", "program", "runtime");
        heads.iter().for_each(|head| print!(" {head:>24}"));
        println!(" {:>10} {:>10}", "2 modelled", "speed-up");
    }
    let mut missed = Vec::new();
    let mut curves = Vec::new();
    for case in &CASES {
        let measured = Measured::of(case.program, case.runtime, options)?;
        case.print(&measured, u, c, options);
        if case.is_foretold(&measured, u, c) {
            curves.push((case, measured.t(), c));
            curves.push((case, measured.t(), FAR));
        } else {
            missed.push(case.miss(&measured, u, c));
        }
    }
    if !options.json && !curves.is_empty() {
        println!("\nmodelled: millions of operations per second by cores\n");
        print!("{:12} {:10}", "program", "runtime");
        CORES.iter().for_each(|cores| print!(" {cores:>8}"));
        println!();
    }
    for (case, t, c) in curves {
        case.print_curve(t, u, c, options);
    }
    for note in missed {
        match options.json {
            true => println!("{}", json!({ "note": note })),
            false => println!("\n{note}"),
        }
    }
    Ok(())
}

/// Measures and prints what a write costs: `u` and `c`.
fn lines(options: &Options) -> (f64, f64) {
    let each = if options.smoke { 10_000 } else { 10_000_000 };
    let mut lines = LINES.map(|_| Vec::new());
    for round in 0..options.rounds {
        for index in order(round, LINES.len()) {
            let (_, threads, shared) = LINES[index];
            lines[index].push(line::nanoseconds(threads, shared, each));
        }
    }
    let [u, own, both] = lines.each_ref().map(|samples| median(samples));
    if options.json {
        let metrics: serde_json::Map<_, _> = (LINES.iter().zip(&lines))
            .map(|((name, ..), samples)| ((*name).to_owned(), spread(samples)))
            .collect();
        println!(
            "{}",
            json!({ "program": "ledger", "scenario": "line", "runtimes": { "none": metrics } })
        );
    } else {
        println!(
            "a read-modify-write, from one to the next of the same thread, ns: median of {}\n",
            counted(options.rounds, "round")
        );
        for ((name, ..), samples) in LINES.iter().zip(&lines) {
            println!("{name:40} {:>8}", cell(samples));
        }
        println!("a second thread with its own line: {:.2} times", own / u);
    }
    // Two threads take turns: while one has the line the other waits.
    (u, both / 2.0)
}

impl Case {
    /// Operations per nanosecond.
    fn rate(&self, cores: usize, t: f64, u: f64, c: f64) -> f64 {
        match cores {
            1 => 1.0 / t,
            _ => {
                // A line that others write is not cheaper than one that nobody else does.
                let wait = (self.g + self.p) * (c - u).max(0.0);
                (cores as f64 / (t + wait)).min(1.0 / (self.m.max(self.p) * c))
            }
        }
    }

    fn speed_up(&self, t: f64, u: f64, c: f64) -> f64 {
        self.rate(2, t, u, c) * t
    }

    /// Whether the model's two workers are like those that were measured.
    fn is_foretold(&self, measured: &Measured, u: f64, c: f64) -> bool {
        let part = self.speed_up(measured.t(), u, c) / median(&measured.speed_ups());
        (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&part)
    }

    fn miss(&self, measured: &Measured, u: f64, c: f64) -> String {
        format!(
            "{} on {} has no curve: two workers are modelled to be {:.2} times as fast as one and were {:.2} times, which is more than {:.0} % apart",
            self.program.name(),
            self.runtime,
            self.speed_up(measured.t(), u, c),
            median(&measured.speed_ups()),
            TOLERANCE * 100.0
        )
    }

    /// What was measured, and beside it what is modelled, of two workers.
    fn print(&self, measured: &Measured, u: f64, c: f64, options: &Options) {
        let figures = [measured.rates(1), measured.rates(2), measured.speed_ups()];
        let t = measured.t();
        let (rate, speed_up) = (1000.0 * self.rate(2, t, u, c), self.speed_up(t, u, c));
        if options.json {
            let names = ["1 worker, M/s", "2 workers, M/s", "speed-up"];
            let mut metrics: serde_json::Map<_, _> = (names.iter().zip(&figures))
                .map(|(name, samples)| ((*name).to_owned(), spread(samples)))
                .collect();
            metrics.insert("2 workers modelled, M/s".to_owned(), spread(&[rate]));
            metrics.insert("speed-up modelled".to_owned(), spread(&[speed_up]));
            println!("{}", self.json("2 workers", t, u, c, metrics.into()));
        } else {
            print!("{:12} {:10}", self.program.name(), self.runtime);
            figures
                .iter()
                .for_each(|samples| print!(" {:>24}", cell(samples)));
            println!(" {:>10} {:>10}", shown(rate), shown(speed_up));
        }
    }

    fn print_curve(&self, t: f64, u: f64, c: f64, options: &Options) {
        let curve = CORES.map(|cores| self.rate(cores, t, u, c) * 1000.0);
        if options.json {
            let metrics: serde_json::Map<_, _> = (CORES.iter().zip(curve))
                .map(|(cores, rate)| (format!("{cores} cores"), spread(&[rate])))
                .collect();
            println!("{}", self.json("model", t, u, c, metrics.into()));
        } else {
            print!("{:12} {:10}", self.program.name(), self.runtime);
            curve.iter().for_each(|rate| print!(" {:>8}", shown(*rate)));
            println!("   c = {c:.1}");
        }
    }

    fn json(&self, what: &str, t: f64, u: f64, c: f64, metrics: Value) -> Value {
        json!({
            "program": "ledger",
            "scenario": format!("{}, {what}", self.program.name()),
            "c": c,
            "u": u,
            "t": t,
            "better": "more",
            "runtimes": { self.runtime: metrics },
        })
    }
}

fn spread(samples: &[f64]) -> Value {
    let spread = Spread::of(samples);
    json!({ "median": spread.median, "min": spread.min, "max": spread.max, "samples": samples })
}

/// What is measured: its name, how many threads, and whether they share the line.
const LINES: [(&str, usize, bool); 3] = [
    ("1 thread", 1, false),
    ("2 threads, a line for each", 2, false),
    ("2 threads, one line", 2, true),
];
const CORES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// A line that comes from another socket, in nanoseconds: others have measured 100 to 260. Not measured here.
const FAR: f64 = 100.0;
/// How far a modelled speed-up may be from the measured one.
const TOLERANCE: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    fn case(g: f64, m: f64, p: f64) -> Case {
        Case {
            program: Program::SpawnMany,
            runtime: "executor",
            g,
            m,
            p,
        }
    }

    #[test]
    fn without_shared_lines_the_curve_is_straight_and_with_them_it_ends() {
        assert_eq!(case(0.0, 0.0, 0.0).rate(128, 100.0, 5.0, 50.0), 1.28);
        let some = case(7.0, 3.0, 0.0);
        assert_eq!(some.rate(1, 100.0, 5.0, 50.0), 0.01);
        assert_eq!(some.rate(128, 100.0, 5.0, 50.0), 1.0 / 150.0);
    }

    #[test]
    fn a_line_of_the_program_ends_everybodys_curve() {
        for runtime in [case(0.0, 0.0, 4.0), case(7.0, 3.0, 4.0)] {
            assert_eq!(runtime.rate(128, 100.0, 5.0, 50.0), 1.0 / 200.0);
        }
    }

    #[test]
    fn a_model_that_misses_two_workers_is_no_model() {
        let of = |two: f64| Measured([vec![100.0], vec![two]]);
        let straight = case(0.0, 0.0, 0.0);
        assert!(straight.is_foretold(&of(50.0), 5.0, 50.0), "2 of 2");
        assert!(straight.is_foretold(&of(60.0), 5.0, 50.0), "1.67 of 2");
        assert!(!straight.is_foretold(&of(147.0), 5.0, 50.0), "0.68 of 2");
        assert!(
            straight
                .miss(&of(147.0), 5.0, 50.0)
                .contains("2.00 times as fast as one and were 0.68 times")
        );
    }
}
