//! Alternates the servers, and compares them round by round.

use serde_json::{Value, json};

use super::Server;
use crate::Result;
use crate::cli::Options;
use crate::report;
use crate::rounds::order;
use crate::stats::{Spread, median, ratios};

pub(crate) fn compare(options: &Options) -> Result {
    let mut sides = Vec::new();
    for contestant in options.contestants() {
        if contestant.with_sockets.is_some() {
            sides.push(Side {
                server: Server::start(contestant.name, options)?,
                rounds: Vec::new(),
            });
        }
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
        if options.json {
            println!("{}", json(connections, options.stall_every, &sides));
        } else {
            print(connections, &sides, options);
        }
    }
    Ok(())
}

/// A server, and its rounds so far.
struct Side {
    server: Server,
    /// In each, the values of [`METRICS`].
    rounds: Vec<[f64; METRICS.len()]>,
}

impl Side {
    fn round(&mut self, connections: usize, options: &Options) -> Result {
        let round = self.server.round(connections, options)?;
        let [user, system] = [round.used.user, round.used.system]
            .map(|time| time.as_secs_f64() * 1e6 / round.requests);
        self.rounds.push([
            round.requests_per_second,
            round.p50_us,
            round.p99_us,
            user,
            system,
            user + system,
            round.used.voluntary_switches as f64 / round.requests,
        ]);
        Ok(())
    }

    fn metric(&self, metric: usize) -> Vec<f64> {
        self.rounds.iter().map(|round| round[metric]).collect()
    }
}

fn print(connections: usize, sides: &[Side], options: &Options) {
    println!(
        "{connections} connections, {:?} a round{}; {}",
        options.length,
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
        for (metric, name) in METRICS.iter().enumerate() {
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
        for (metric, name) in METRICS.iter().enumerate() {
            let [ours, theirs] = [base.metric(metric), peer.metric(metric)];
            let spread = Spread::of(&ratios(&ours, &theirs));
            let [ours, theirs] = [median(&ours), median(&theirs)];
            let indent = ratio.len() + 2;
            println!(
                "{name:24} {ours:12.3} {theirs:12.3}   {:indent$}{spread}",
                ""
            );
        }
    }
    println!();
}

fn json(connections: usize, stall_every: Option<u64>, sides: &[Side]) -> Value {
    let mut runtimes = serde_json::Map::new();
    for side in sides {
        let mut metrics = serde_json::Map::new();
        for (metric, name) in METRICS.iter().enumerate() {
            let samples = side.metric(metric);
            let mut values = json!({ "median": median(&samples), "samples": samples });
            if side.server.name != sides[0].server.name {
                let ratios = ratios(&sides[0].metric(metric), &samples);
                values["ratio"] = report::spread(&Spread::of(&ratios));
            }
            metrics.insert((*name).into(), values);
        }
        runtimes.insert(side.server.name.into(), metrics.into());
    }
    json!({ "program": "http", "connections": connections, "stall_every": stall_every, "runtimes": runtimes })
}

const METRICS: [&str; 7] = [
    "requests/s",
    "p50 us",
    "p99 us",
    "user us/request",
    "system us/request",
    "CPU us/request",
    "switches/request",
];
