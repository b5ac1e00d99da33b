//! A server in a child process, loaded for a round.

use serde_json::Value;

use super::calls::{Calls, Counter};
use super::samples::Sampler;
use crate::Result;
use crate::cli::Options;
use crate::process::{Child, Usage};

/// A server in a process of its own, which lives through several rounds.
pub(crate) struct Server {
    process: Child,
    port: String,
}

/// What the load saw in a round, and what the server used meanwhile.
pub(crate) struct Round {
    /// All requests that were answered.
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) used: Usage,
    seen: Value,
}

impl Round {
    /// A number that the load has printed under this name.
    pub(crate) fn seen(&self, key: &str) -> Result<f64> {
        number(&self.seen, key)
    }
}

impl Server {
    pub(crate) fn start(name: &'static str, options: &Options) -> Result<Self> {
        let workers = options.workers.to_string();
        let every = options.stall_every.map(|every| every.to_string());
        let mut arguments = vec!["serve-child", "--only", name, "--workers", &workers];
        arguments.extend(["--server", options.service.name()]);
        if let Some(every) = &every {
            arguments.extend(["--stall-every", every]);
        }
        let mut process = Child::start(&arguments)?;
        let port = process.line()?;
        Ok(Self { process, port })
    }

    pub(crate) fn port(&self) -> Result<u16> {
        Ok(self.port.parse()?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn round(&mut self, connections: usize, options: &Options) -> Result<Round> {
        let mut load = self.open(connections, options)?;
        let before = self.process.usage()?;
        let seen = go(&mut load)?;
        let used = self.process.usage()?.since(before);
        Ok(Round {
            requests: number(&seen, "answers")?,
            requests_per_second: number(&seen, "per second")?,
            used,
            seen,
        })
    }

    /// Another round, in which nothing is timed: its system calls are counted.
    pub(super) fn counted_round(&mut self, connections: usize, options: &Options) -> Result<Calls> {
        let mut load = self.open(connections, options)?;
        let counter = Counter::start(self.id())?;
        let seen = go(&mut load)?;
        Ok(counter.finish()?.divided(number(&seen, "answers")?))
    }

    /// Another one, which is sampled: the user time of a request in microseconds.
    pub(super) fn sampled_round(&mut self, connections: usize, options: &Options) -> Result<f64> {
        let mut load = self.open(connections, options)?;
        let sampler = Sampler::start(self.id())?;
        let seen = go(&mut load)?;
        Ok(sampler.finish()? / number(&seen, "answers")?)
    }

    /// A load that is ready to go.
    pub(super) fn open(&self, connections: usize, options: &Options) -> Result<Child> {
        let connections = connections.to_string();
        let seconds = options.length.as_secs_f64().to_string();
        let mut arguments = vec!["load-child", "--server", options.service.name()];
        arguments.extend(["--port", &self.port, "--connections", &connections]);
        arguments.extend(["--seconds", &seconds]);
        let rate = options.rate.map(|rate| rate.to_string());
        if let Some(rate) = &rate {
            arguments.extend(["--rate", rate]);
        }
        let mut load = Child::start(&arguments)?;
        load.line()?;
        Ok(load)
    }
}

fn go(load: &mut Child) -> Result<Value> {
    load.tell("")?;
    Ok(serde_json::from_str(&load.line()?)?)
}

fn number(seen: &Value, key: &str) -> Result<f64> {
    seen[key]
        .as_f64()
        .ok_or_else(|| format!("the load printed no {key}").into())
}
