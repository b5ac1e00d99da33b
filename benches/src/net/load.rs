//! The child process that loads a server: one thread, one epoll, none of the runtimes.

use std::io::{self, BufRead};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hdrhistogram::Histogram;
use mio::{Poll, Token};
use serde_json::json;

use super::client::{Connection, Says};
use super::{Service, closed};
use crate::Result;
use crate::cli::Options;
use crate::process::more_descriptors;

/// Loads the server at `--port` for `--seconds`. Prints a line when everything is open, waits for one, and prints what came of it as a
/// line of JSON. It keeps its connections open until the standard input ends.
pub(crate) fn load_child(options: &Options) -> Result {
    more_descriptors()?;
    let address = (Ipv4Addr::LOCALHOST, options.port).into();
    let [connections] = options.connections[..] else {
        return Err("a load has one number of connections".into());
    };
    match options.service {
        Service::Hyper | Service::Raw => streams(address, connections, Says::HTTP, options),
    }
}

fn streams(address: SocketAddr, connections: usize, says: Says, options: &Options) -> Result {
    let mut poll = Poll::new()?;
    let mut clients = Vec::with_capacity(connections);
    for index in 0..connections {
        clients.push(Connection::open(
            address,
            says,
            poll.registry(),
            Token(index),
        )?);
    }
    println!("ready");
    wait()?;
    let seen = closed::load(&mut poll, &mut clients, options.length)?;
    println!("{}", seen.line());
    wait()
}

/// For a line of the standard input, or its end.
fn wait() -> Result {
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// What a load has seen.
pub(super) struct Seen {
    /// Nanoseconds.
    latencies: Histogram<u64>,
    /// All answers, those after the end included.
    answers: u64,
    /// From the first request to the last answer that counts.
    pub(super) length: Duration,
}

impl Seen {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            answers: 0,
            length: Duration::ZERO,
        })
    }

    /// An answer has come. It counts if it came in time.
    pub(super) fn answer(&mut self, latency: Duration, counts: bool) {
        self.answers += 1;
        if counts {
            self.latencies
                .saturating_record(latency.as_nanos().try_into().unwrap_or(u64::MAX));
        }
    }

    fn line(&self) -> String {
        let microseconds = |q| self.latencies.value_at_quantile(q) as f64 / 1e3;
        json!({
            "answers": self.answers,
            "per_second": self.latencies.len() as f64 / self.length.as_secs_f64(),
            "p50_us": microseconds(0.5),
            "p99_us": microseconds(0.99),
        })
        .to_string()
    }
}

/// Ten minutes, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;
/// Latencies are exact to a thousandth.
const DIGITS: u8 = 3;
