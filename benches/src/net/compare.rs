//! Alternates the servers, a few rounds in each of their lives, and compares them round by round.

use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::Calls;
use super::{Server, metrics};
use crate::Result;
use crate::cli::Options;
use crate::report;
use crate::rounds::order;
use crate::stats::{Spread, median, ratios};

pub(crate) fn compare(options: &Options) -> Result {
    let names = metrics::names(options);
    for &connections in &options.connections {
        let mut sides: Vec<_> = options
            .service
            .contestants(options)
            .into_iter()
            .map(Side::new)
            .collect();
        for (life, rounds) in rounds_of_lives(options.rounds).enumerate() {
            begin(&mut sides, life, connections, options)?;
            for round in rounds {
                for index in order(round, sides.len()) {
                    sides[index].round(connections, options)?;
                }
            }
            for index in order(life, sides.len()) {
                let side = &mut sides[index];
                // If they cannot be counted, that is said once.
                if side.calls.len() == life {
                    side.count_calls(connections, options);
                }
                if side.sampled.len() == life {
                    side.sample(connections, options);
                }
            }
        }
        if options.json {
            println!("{}", json(connections, &names, &sides, options));
        } else {
            print(connections, &names, &sides, options);
        }
    }
    Ok(())
}

/// A new process for each server.
fn begin(sides: &mut [Side], life: usize, connections: usize, options: &Options) -> Result {
    for index in order(life, sides.len()) {
        let side = &mut sides[index];
        // Before the next one of its name begins.
        side.server = None;
        let server = side.server.insert(Server::start(side.name, options)?);
        // Not counted: caches, branch predictors and the processor's frequency settle.
        server.round(connections, &short(options))?;
    }
    Ok(())
}

/// Rounds in which nothing is timed need not be long.
fn short(options: &Options) -> Options {
    Options {
        length: options.length.min(UNTIMED),
        ..options.clone()
    }
}

const UNTIMED: Duration = Duration::from_secs(1);

/// How many rounds a server serves at most, before the next process takes its place. Where the system has put a process' memory and threads stays
/// as it is for its life: of two lives of the same program, one may need a fifth more user time for a request.
const ROUNDS_A_LIFE: usize = 2;
/// Fewer rounds than this have a life each: medians of fewer lives bound nothing, or little.
const FEW: usize = 8;

/// Which rounds each of the lives has.
fn rounds_of_lives(rounds: usize) -> impl Iterator<Item = Range<usize>> {
    let lives = match rounds {
        ..FEW => rounds,
        _ => rounds.div_ceil(ROUNDS_A_LIFE),
    };
    (0..lives).map(move |life| life * rounds / lives..(life + 1) * rounds / lives)
}

/// A contestant, and its rounds so far.
struct Side {
    name: &'static str,
    server: Option<Server>,
    /// In each, the figures of [`metrics::names`].
    rounds: Vec<Vec<f64>>,
    /// One round of each life. Empty if they cannot be counted.
    calls: Vec<Calls>,
    /// User time of a request by samples: one round of each life, as of `calls`.
    sampled: Vec<f64>,
}

impl Side {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            server: None,
            rounds: Vec::new(),
            calls: Vec::new(),
            sampled: Vec::new(),
        }
    }

    fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("its life has begun")
    }

    fn round(&mut self, connections: usize, options: &Options) -> Result {
        let round = self.server().round(connections, options)?;
        self.rounds.push(metrics::figures(options, &round)?);
        Ok(())
    }

    /// In a round of its own. A line says why, if they cannot be counted.
    fn count_calls(&mut self, connections: usize, options: &Options) {
        match self.server().counted_round(connections, &short(options)) {
            Ok(calls) => self.calls.push(calls),
            Err(error) => eprintln!("{}: system calls are not counted: {error}", self.name),
        }
    }

    /// As `count_calls`.
    fn sample(&mut self, connections: usize, options: &Options) {
        match self.server().sampled_round(connections, options) {
            Ok(user) => self.sampled.push(user),
            Err(error) => eprintln!("{}: user time is not sampled: {error}", self.name),
        }
    }

    fn metric(&self, metric: usize) -> Vec<f64> {
        self.rounds.iter().map(|round| round[metric]).collect()
    }

    fn all_calls(&self) -> Vec<f64> {
        self.calls.iter().map(|calls| calls.all).collect()
    }

    /// To `base`, life by life. Nothing if this is `base`, or not all lives of both were sampled.
    fn sampled_ratios(&self, base: &Self) -> Option<Vec<f64>> {
        let both = self.name != base.name && self.sampled.len() == base.sampled.len();
        both.then(|| ratios(&base.sampled, &self.sampled))
    }

    /// What the calls of the middle one of the counted rounds were.
    fn each_call(&self) -> Vec<(&'static str, f64)> {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by(|one, other| one.all.total_cmp(&other.all));
        let middle = calls.get(calls.len() / 2);
        middle.map(|calls| calls.each()).unwrap_or_default()
    }
}

fn print(connections: usize, names: &[String], sides: &[Side], options: &Options) {
    println!(
        "{}, {connections} connections, {:?} a round{}{}; {}",
        options.service.name(),
        options.length,
        match options.rate {
            Some(rate) => format!(", {rate} {}s/s", options.service.unit()),
            None => String::new(),
        },
        match options.stall_every {
            Some(every) => format!(", every {every}th request blocks its thread"),
            None => String::new(),
        },
        report::conditions(options)
    );
    let Some((base, peers)) = sides.split_first() else {
        return;
    };
    if peers.is_empty() {
        println!("\n{:24} {:>12}", "", base.name);
        for (metric, name) in names.iter().enumerate() {
            println!("{name:24} {:12.3}", median(&base.metric(metric)));
        }
    }
    for peer in peers {
        let ratio = format!("{}/{}", peer.name, base.name);
        println!(
            "\n{:24} {:>12} {:>12}   {ratio}: {}",
            "",
            base.name,
            peer.name,
            Spread::HEAD
        );
        for (metric, name) in names.iter().enumerate() {
            let [ours, theirs] = [base.metric(metric), peer.metric(metric)];
            let spread = Spread::of(&ratios(&ours, &theirs));
            let [ours, theirs] = [median(&ours), median(&theirs)];
            let indent = ratio.len() + 2;
            // Two that are 0 have no ratio.
            let spread = match spread.median.is_nan() {
                true => String::new(),
                false => spread.to_string(),
            };
            println!(
                "{name:24} {ours:12.3} {theirs:12.3}   {:indent$}{spread}",
                ""
            );
        }
    }
    println!("\nsystem calls/{}", options.service.unit());
    for side in sides {
        if side.calls.is_empty() {
            continue;
        }
        let each = side.each_call().into_iter();
        let each: Vec<_> = each
            .map(|(name, count)| format!("{name} {count:.3}"))
            .collect();
        println!(
            "{:24} {:12.3}   {}",
            side.name,
            median(&side.all_calls()),
            each.join(", ")
        );
    }
    print_sampled(sides, options);
    println!();
}

fn print_sampled(sides: &[Side], options: &Options) {
    println!("\n{}", sampled(options));
    for side in sides {
        if side.sampled.is_empty() {
            continue;
        }
        let ratios = side.sampled_ratios(&sides[0]);
        let ratios = ratios.map_or(String::new(), |ratios| {
            format!(
                "   {}/{}, by lives: {}",
                side.name,
                sides[0].name,
                Spread::of(&ratios)
            )
        });
        println!("{:24} {:12.3}{ratios}", side.name, median(&side.sampled));
    }
}

/// The name of what is sampled.
fn sampled(options: &Options) -> String {
    format!("user us/{}, sampled", options.service.unit())
}

fn json(connections: usize, names: &[String], sides: &[Side], options: &Options) -> Value {
    let mut runtimes = serde_json::Map::new();
    for side in sides {
        let mut metrics = serde_json::Map::new();
        for (metric, name) in names.iter().enumerate() {
            let samples = side.metric(metric);
            let mut values = values(&samples);
            if side.name != sides[0].name {
                let ratios = ratios(&sides[0].metric(metric), &samples);
                values["ratio"] = report::spread(&Spread::of(&ratios));
            }
            metrics.insert(name.clone(), values);
        }
        if !side.calls.is_empty() {
            let name = format!("system calls/{}", options.service.unit());
            let mut values = values(&side.all_calls());
            values["each"] = side
                .each_call()
                .into_iter()
                .map(|(name, count)| (name.to_owned(), json!(count)))
                .collect();
            metrics.insert(name, values);
        }
        if !side.sampled.is_empty() {
            let mut values = values(&side.sampled);
            if let Some(ratios) = side.sampled_ratios(&sides[0]) {
                values["ratio"] = report::spread(&Spread::of(&ratios));
            }
            metrics.insert(sampled(options), values);
        }
        runtimes.insert(side.name.into(), metrics.into());
    }
    json!({
        "program": options.service.program(),
        "connections": connections,
        "rate": options.rate,
        "stall_every": options.stall_every,
        // How many of the rounds each life had: those of one life know of each other, and bound together what one round of its own would.
        "lives": rounds_of_lives(options.rounds).map(|rounds| rounds.len()).collect::<Vec<_>>(),
        "runtimes": runtimes,
    })
}

fn values(samples: &[f64]) -> Value {
    let Spread {
        min, median, max, ..
    } = Spread::of(samples);
    json!({ "median": median, "min": min, "max": max, "samples": samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_have_about_as_many_rounds_each_and_all_of_them() {
        let lives: Vec<_> = rounds_of_lives(21).map(|rounds| rounds.len()).collect();
        assert_eq!(lives, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(rounds_of_lives(7).count(), 7);
        for rounds in 1..50 {
            assert!(rounds_of_lives(rounds).flatten().eq(0..rounds));
        }
    }
}
