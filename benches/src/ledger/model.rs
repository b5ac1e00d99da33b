//! Curves to 128 cores: what is measured here on one and two threads, put into a formula.
//!
//! An operation takes `t` on one worker. Of its writes `g` go to lines that all workers share, `m` of them to the busiest of these lines. Such a
//! write takes `u` while nobody else writes the line, and `c` while others do. A line serves one write at a time, so that N workers do
//!
//! ```text
//! X(1) = 1 / t        X(N) = min( N / (t + g (c - u)),  1 / (m c) )      operations per unit of time
//! ```
//!
//! The first term: each worker waits for lines. The second: the busiest line is never free. `t`, `u` and `c` are measured, `g` and `m` are
//! counted, X is modelled. What the formula does not know: memory, allocator, stealing, hyper-threads, and that `c` grows with the way
//! between cores.

use serde_json::json;

use super::line;
use crate::Result;
use crate::cli::Options;
use crate::contestants::Contestant;
use crate::figures::shown;
use crate::patience::within_limit;
use crate::programs::Program;
use crate::rounds::order;
use crate::stats::median;

/// What a task costs that is spawned by a worker, polled once, and done: the numbers of writes to lines of all workers.
struct Counts {
    runtime: &'static str,
    g: f64,
    m: f64,
}

/// Ours: what the ledger counts, a block of ids for 1024 tasks. tokio's: by reading its source, see the book.
const OF_A_TASK: [Counts; 2] = [
    Counts {
        runtime: "executor",
        g: 1.0 / 1024.0,
        m: 1.0 / 1024.0,
    },
    Counts {
        runtime: "tokio",
        g: 7.0,
        m: 3.0,
    },
];

pub(super) fn compare(options: &Options) -> Result {
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
            "a read-modify-write, from one to the next of the same thread, ns: median of {} rounds\n",
            options.rounds
        );
        for ((name, ..), samples) in LINES.iter().zip(&lines) {
            println!("{name:40} {:>8}", crate::figures::cell(samples));
        }
        println!("a second thread with its own line: {:.2} times", own / u);
    }
    // Two threads take turns: while one has the line the other waits.
    let c = both / 2.0;
    let times = times(options)?;
    if !options.json {
        println!(
            "\nu = {u:.1} ns, c = {c:.1} ns: how long the line is taken each time. Modelled: millions of tasks per second by cores"
        );
        print!("{:10} {:>8} {:>8} {:>8}", "runtime", "t ns", "g", "m");
        CORES.iter().for_each(|cores| print!(" {cores:>8}"));
        println!();
    }
    for (counts, t) in OF_A_TASK.iter().zip(times) {
        for c in [c, FAR] {
            let curve = CORES.map(|cores| rate(cores, t, counts, u, c) * 1000.0);
            if options.json {
                let metrics: serde_json::Map<_, _> = (CORES.iter().zip(curve))
                    .map(|(cores, rate)| (format!("{cores} cores"), spread(&[rate])))
                    .collect();
                let runtimes = json!({ counts.runtime: metrics });
                println!(
                    "{}",
                    json!({ "program": "ledger", "scenario": "model", "c": c, "u": u, "t": t, "better": "more", "runtimes": runtimes })
                );
            } else {
                let (g, m) = (shown(counts.g), shown(counts.m));
                print!("{:10} {t:8.1} {g:>8} {m:>8}", counts.runtime);
                curve.iter().for_each(|rate| print!(" {:>8}", shown(*rate)));
                println!("   c = {c:.1}");
            }
        }
    }
    Ok(())
}

/// Operations per nanosecond.
fn rate(cores: usize, t: f64, counts: &Counts, u: f64, c: f64) -> f64 {
    match cores {
        1 => 1.0 / t,
        _ => {
            // A line that others write is not cheaper than one that nobody else does.
            let wait = counts.g * (c - u).max(0.0);
            (cores as f64 / (t + wait)).min(1.0 / (counts.m * c))
        }
    }
}

/// The time of a task on one worker, of each runtime.
fn times(options: &Options) -> Result<[f64; 2]> {
    let program = Program::SpawnMany;
    let mut runtimes = Vec::new();
    for counts in &OF_A_TASK {
        runtimes.push((Contestant::named(counts.runtime)?.start)(1)?);
    }
    let mut samples = [Vec::new(), Vec::new()];
    for round in 0..options.rounds {
        for index in order(round, runtimes.len()) {
            let what = format!("{} on {}", program.name(), OF_A_TASK[index].runtime);
            let taken = within_limit(&what, || runtimes[index].time(program, REPEATS))?;
            let operations = program.operations() * u64::from(REPEATS);
            samples[index].push(taken.as_nanos() as f64 / operations as f64);
        }
    }
    Ok(samples.each_ref().map(|samples| median(samples)))
}

fn spread(samples: &[f64]) -> serde_json::Value {
    let spread = crate::stats::Spread::of(samples);
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
const REPEATS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_shared_lines_the_curve_is_straight_and_with_them_it_ends() {
        let none = Counts {
            runtime: "none",
            g: 0.0,
            m: 0.0,
        };
        assert_eq!(rate(128, 100.0, &none, 5.0, 50.0), 1.28);
        let some = Counts {
            runtime: "some",
            g: 7.0,
            m: 3.0,
        };
        assert_eq!(rate(1, 100.0, &some, 5.0, 50.0), 0.01);
        assert_eq!(rate(128, 100.0, &some, 5.0, 50.0), 1.0 / 150.0);
    }
}
