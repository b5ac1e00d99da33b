//! Alternates the servers, and compares them round by round.

use serde_json::{Value, json};

use super::calls::Calls;
use super::{Server, metrics};
use crate::Result;
use crate::cli::Options;
use crate::report;
use crate::rounds::order;
use crate::stats::{Spread, median, ratios};

pub(crate) fn compare(options: &Options) -> Result {
    let mut sides = Vec::new();
    for name in options.service.contestants(options) {
        sides.push(Side {
            server: Server::start(name, options)?,
            rounds: Vec::new(),
            calls: None,
        });
    }
    for &connections in &options.connections {
        for side in &mut sides {
            side.rounds.clear();
            // Not counted: caches, branch predictors and the processor's frequency settle.
            side.round(connections, options)?;
            side.rounds.clear();
        }
        for round in 0..options.rounds {
            for index in order(round, sides.len()) {
                sides[index].round(connections, options)?;
            }
        }
        count_calls(&mut sides, connections, options);
        let names = metrics::names(options);
        if options.json {
            println!("{}", json(connections, &names, &sides, options));
        } else {
            print(connections, &names, &sides, options);
        }
    }
    Ok(())
}

/// A server, and its rounds so far.
struct Side {
    server: Server,
    /// In each, the figures of [`metrics::names`].
    rounds: Vec<Vec<f64>>,
    calls: Option<Calls>,
}

impl Side {
    fn round(&mut self, connections: usize, options: &Options) -> Result {
        let round = self.server.round(connections, options)?;
        self.rounds.push(metrics::figures(options, &round)?);
        Ok(())
    }

    fn metric(&self, metric: usize) -> Vec<f64> {
        self.rounds.iter().map(|round| round[metric]).collect()
    }
}

/// After the rounds. A line says why, if they cannot be counted.
fn count_calls(sides: &mut [Side], connections: usize, options: &Options) {
    for side in sides {
        match side.server.counted_round(connections, options) {
            Ok(calls) => side.calls = Some(calls),
            Err(error) => {
                eprintln!(
                    "{}: system calls are not counted: {error}",
                    side.server.name
                );
                side.calls = None;
            }
        }
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
        println!("\n{:24} {:>12}", "", base.server.name);
        for (metric, name) in names.iter().enumerate() {
            println!("{name:24} {:12.3}", median(&base.metric(metric)));
        }
    }
    for peer in peers {
        let ratio = format!("{}/{}", peer.server.name, base.server.name);
        println!(
            "\n{:24} {:>12} {:>12}   {ratio}: {}",
            "",
            base.server.name,
            peer.server.name,
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
        let Some(calls) = &side.calls else { continue };
        let each = calls.each().into_iter();
        let each: Vec<_> = each
            .map(|(name, count)| format!("{name} {count:.3}"))
            .collect();
        println!(
            "{:24} {:12.3}   {}",
            side.server.name,
            calls.all,
            each.join(", ")
        );
    }
    println!();
}

fn json(connections: usize, names: &[String], sides: &[Side], options: &Options) -> Value {
    let mut runtimes = serde_json::Map::new();
    for side in sides {
        let mut metrics = serde_json::Map::new();
        for (metric, name) in names.iter().enumerate() {
            let samples = side.metric(metric);
            let mut values = values(&samples);
            if side.server.name != sides[0].server.name {
                let ratios = ratios(&sides[0].metric(metric), &samples);
                values["ratio"] = report::spread(&Spread::of(&ratios));
            }
            metrics.insert(name.clone(), values);
        }
        if let Some(calls) = &side.calls {
            let name = format!("system calls/{}", options.service.unit());
            let mut values = values(&[calls.all]);
            values["each"] = calls
                .each()
                .into_iter()
                .map(|(name, count)| (name.to_owned(), json!(count)))
                .collect();
            metrics.insert(name, values);
        }
        runtimes.insert(side.server.name.into(), metrics.into());
    }
    json!({
        "program": options.service.program(),
        "connections": connections,
        "rate": options.rate,
        "stall_every": options.stall_every,
        "runtimes": runtimes,
    })
}

fn values(samples: &[f64]) -> Value {
    let Spread {
        min, median, max, ..
    } = Spread::of(samples);
    json!({ "median": median, "min": min, "max": max, "samples": samples })
}
