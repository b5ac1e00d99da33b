//! Connections that do nothing: what each costs in memory, and the process in time.
//!
//! Each round is a new server and a new opener for each contestant. The opener, which is a load that waits, exchanges one message over
//! each connection when it opens it, and one more at the end, so that all are known to live. In between nobody says anything.
//!
//! The server reads into 64 bytes, so that what is measured is the task and what the runtime keeps for a connection. Only memory of the
//! process counts, not the system's for its sockets, which is more and the same for all.

use std::thread;
use std::time::Duration;

use super::{Server, Service};
use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::process::{field, more_descriptors};
use crate::report;
use crate::rounds::order;
use crate::threads::Used;

pub(crate) fn compare(options: &Options) -> Result {
    let limit = more_descriptors()? as usize;
    if !options.json {
        println!("{}", report::conditions(options));
    }
    let names = Service::Idle.contestants(options);
    for &connections in &options.connections {
        // Some are needed for other things.
        let connections = connections.min(limit.saturating_sub(100));
        let mut results: Vec<_> = names.iter().map(|name| Figures::new(name)).collect();
        for round in 0..options.rounds {
            for index in order(round, names.len()) {
                let figures = self::round(names[index], connections, options)?;
                results[index].rounds.push(figures);
            }
        }
        let title = format!("{connections} connections");
        if options.json {
            let mut line = figures::json("idle-connections", &title, METRICS, &results);
            line["connections"] = connections.into();
            println!("{line}");
        } else {
            figures::print(&title, METRICS, &results);
        }
    }
    Ok(())
}

fn round(name: &'static str, connections: usize, options: &Options) -> Result<Vec<f64>> {
    let (quiet, watched) = match options.smoke {
        true => (Duration::from_millis(200), Duration::from_millis(200)),
        false => (Duration::from_secs(15), Duration::from_secs(5)),
    };
    let server = Server::start(name, options)?;
    // The first ones also pay for what is there only once.
    let first = server.open(FIRST.min(connections), options)?;
    let before = resident(server.id())?;
    let mut others = server.open(connections, options)?;
    let grown = resident(server.id())? as f64 - before as f64;
    thread::sleep(quiet);
    let (from, to) = (Used::of(server.id())?, {
        thread::sleep(watched);
        Used::of(server.id())?
    });
    // All of them still work.
    others.tell("")?;
    others.line()?;
    drop(first);
    Ok(vec![
        grown / connections as f64,
        (to.cpu - from.cpu) as f64 / 1e3 / watched.as_secs_f64(),
        to.switches.abs_diff(from.switches) as f64 / watched.as_secs_f64(),
    ])
}

/// Bytes. Counted page by page, which the system's quick figure is not.
fn resident(process: u32) -> Result<u64> {
    Ok(1024 * field(&format!("/proc/{process}/smaps_rollup"), "Rss")?)
}

const METRICS: &[&str] = &["resident bytes/connection", "CPU us/s", "wake-ups/s"];
const FIRST: usize = 100;
