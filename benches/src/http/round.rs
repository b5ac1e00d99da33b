//! A server in a child process, loaded for a round.

use serde_json::Value;

use crate::Result;
use crate::cli::Options;
use crate::process::{Child, Usage};

/// A server that lives through all rounds.
pub(crate) struct Server {
    pub(super) name: &'static str,
    process: Child,
    port: String,
}

/// What the load saw in a round, and what the server used.
pub(crate) struct Round {
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(crate) used: Usage,
}

impl Server {
    pub(crate) fn start(name: &'static str, options: &Options) -> Result<Self> {
        let workers = options.workers.to_string();
        let every = options.stall_every.map(|every| every.to_string());
        let mut arguments = vec!["serve-child", "--only", name, "--workers", &workers];
        if let Some(every) = &every {
            arguments.extend(["--stall-every", every]);
        }
        let mut process = Child::start(&arguments)?;
        let port = process.line()?;
        Ok(Self {
            name,
            process,
            port,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn round(&mut self, connections: usize, options: &Options) -> Result<Round> {
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
        Ok(Round {
            requests: of_load("requests")?,
            requests_per_second: of_load("requests_per_second")?,
            p50_us: of_load("p50_us")?,
            p99_us: of_load("p99_us")?,
            used,
        })
    }
}
