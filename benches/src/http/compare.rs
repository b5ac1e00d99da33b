//! Alternates the servers, and compares them round by round.

use serde_json::{Value, json};

use crate::Result;
use crate::cli::Options;
use crate::process::Child;
use crate::report;
use crate::rounds::order;
use crate::stats::{Spread, median, ratios};

pub(crate) fn compare(options: &Options) -> Result {
    let mut servers = Vec::new();
    for contestant in options.contestants() {
        if contestant.with_sockets.is_some() {
            servers.push(Server::start(contestant.name, options)?);
        }
    }
    for &connections in &options.connections {
        for server in &mut servers {
            server.rounds.clear();
            // Not counted: caches, branch predictors and the processor's frequency settle.
            server.round(connections, options)?;
            server.rounds.clear();
        }
        for round in 0..options.rounds {
            for index in order(round, servers.len()) {
                servers[index].round(connections, options)?;
            }
        }
        if options.json {
            println!("{}", json(connections, &servers));
        } else {
            print(connections, &servers, options);
        }
    }
    Ok(())
}

struct Server {
    name: &'static str,
    process: Child,
    port: String,
    rounds: Vec<Round>,
}

/// What was measured in a round, in the order of [`METRICS`].
type Round = [f64; METRICS.len()];

impl Server {
    fn start(name: &'static str, options: &Options) -> Result<Self> {
        let workers = options.workers.to_string();
        let mut process = Child::start(&["serve-child", "--only", name, "--workers", &workers])?;
        let port = process.line()?;
        Ok(Self {
            name,
            process,
            port,
            rounds: Vec::new(),
        })
    }

    fn round(&mut self, connections: usize, options: &Options) -> Result {
        let connections = connections.to_string();
        let seconds = options.length.as_secs_f64().to_string();
        let arguments = ["--connections", &connections, "--seconds", &seconds];
        let before = self.process.usage()?;
        let mut load =
            Child::start(&[&["load-child", "--port", &self.port], &arguments[..]].concat())?;
        let load: Value = serde_json::from_str(&load.line()?)?;
        let used = self.process.usage()?.since(before);
        let of_load = |key: &str| {
            load[key]
                .as_f64()
                .ok_or(format!("the load printed no {key}"))
        };
        let requests = of_load("requests")?;
        let [user, system] =
            [used.user, used.system].map(|time| time.as_secs_f64() * 1e6 / requests);
        self.rounds.push([
            of_load("requests_per_second")?,
            of_load("p50_us")?,
            of_load("p99_us")?,
            user,
            system,
            user + system,
            used.voluntary_switches as f64 / requests,
        ]);
        Ok(())
    }

    fn metric(&self, metric: usize) -> Vec<f64> {
        self.rounds.iter().map(|round| round[metric]).collect()
    }
}

fn print(connections: usize, servers: &[Server], options: &Options) {
    println!(
        "{connections} connections, {:?} a round; {}",
        options.length,
        report::conditions(options)
    );
    let Some((base, peers)) = servers.split_first() else {
        return;
    };
    if peers.is_empty() {
        println!("\n{:24} {:>12}", "", base.name);
        for (metric, name) in METRICS.iter().enumerate() {
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

fn json(connections: usize, servers: &[Server]) -> Value {
    let mut runtimes = serde_json::Map::new();
    for server in servers {
        let mut metrics = serde_json::Map::new();
        for (metric, name) in METRICS.iter().enumerate() {
            let samples = server.metric(metric);
            let mut values = json!({ "median": median(&samples), "samples": samples });
            if server.name != servers[0].name {
                let ratios = ratios(&servers[0].metric(metric), &samples);
                values["ratio"] = report::spread(&Spread::of(&ratios));
            }
            metrics.insert((*name).into(), values);
        }
        runtimes.insert(server.name.into(), metrics.into());
    }
    json!({ "program": "http", "connections": connections, "runtimes": runtimes })
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
