//! What tasks that keep their thread do to the others, and other hard times for a runtime.
//!
//! ```text
//! scenario     what is measured, under which names
//! ticker       a 1 ms ticker beside tasks that block or spin          ┐
//! first        how long until I/O and timers go on after a stall      │ each measures in a child process, whose main thread is
//! long_polls   I/O beside a worker in polls of 2 ms                   │ no part of the runtime: it looks at the clock, so that a
//! spawns       single spawns from a foreign thread                    ┘ runtime that stands still cannot stop it
//! accept       a server without descriptors                           ┐ a server in a child process, looked at
//! guard        what the guard costs a server that is in no trouble    │ from outside
//! slow_heads   a server under clients whose heads never end           ┘
//! go           the ticker as a program in Go
//! ```
//!
//! Each round is a new process for each contestant, in an order drawn for the round.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::peers::Sockets;
use crate::process::Child;
use crate::rounds::order;
use crate::{net, report};

mod accept;
mod first;
mod go;
mod guard;
mod long_polls;
mod scenario;
mod slow_heads;
mod spawns;
mod ticker;

pub(crate) use scenario::Scenario;
use ticker::Beside;

pub(crate) fn compare(options: &Options) -> Result {
    if !options.json {
        println!("{}", report::conditions(options));
    }
    for &scenario in &options.scenarios {
        match scenario {
            Scenario::Http => stalling_http(options)?,
            _ => measure(scenario, options)?,
        }
    }
    Ok(())
}

/// The same rounds as `compare http`: ratios within a round say more there than two medians.
fn stalling_http(options: &Options) -> Result {
    if !options.json {
        println!("\n{}", Scenario::Http.title());
    }
    net::compare(&Options {
        stall_every: Some(400),
        ..options.clone()
    })
}

fn measure(scenario: Scenario, options: &Options) -> Result {
    let Some(mut contestants) = contestants(scenario, options)? else {
        return Ok(());
    };
    let mut results: Vec<_> = contestants
        .iter()
        .map(|contestant| Figures::new(contestant.name()))
        .collect();
    for round in 0..scenario.rounds(options) {
        for index in order(round, results.len()) {
            let figures = contestants[index].round(scenario, options)?;
            results[index].rounds.push(figures);
        }
    }
    let metrics = scenario.metrics();
    if options.json {
        println!(
            "{}",
            figures::json("stalls", scenario.name(), metrics, &results)
        );
    } else {
        figures::print(scenario.title(), metrics, &results);
    }
    Ok(())
}

/// Who takes part in a scenario. Nobody, and a line that says why, if what is measured is not there.
fn contestants(scenario: Scenario, options: &Options) -> Result<Option<Vec<Contestant>>> {
    let runtimes = options
        .contestants()
        .into_iter()
        .filter(|runtime| runtime.with_sockets.is_some());
    if scenario == Scenario::Guard {
        return Ok(guard::Watched::start(options)?.map(|server| vec![Contestant::Guard(server)]));
    }
    if scenario == Scenario::SlowHeads {
        let besieged = slow_heads::Besieged::start(options)?;
        return Ok(besieged.map(|server| vec![Contestant::Besieged(server)]));
    }
    let mut contestants: Vec<_> = runtimes
        .map(|runtime| Contestant::Runtime(runtime.name))
        .collect();
    // Whoever names runtimes wants those only.
    if let (Some(beside), true) = (scenario.beside(), options.only.is_empty()) {
        match go::Twin::build(beside) {
            Ok(twin) => contestants.push(Contestant::Go(twin)),
            Err(error) => eprintln!("{}: without Go: {error}", scenario.name()),
        }
    }
    Ok(Some(contestants))
}

enum Contestant {
    Runtime(&'static str),
    Go(go::Twin),
    Guard(guard::Watched),
    Besieged(slow_heads::Besieged),
}

impl Contestant {
    fn name(&self) -> &'static str {
        match self {
            Self::Runtime(name) => name,
            Self::Go(_) => "go",
            Self::Guard(_) | Self::Besieged(_) => "executor",
        }
    }

    fn round(&mut self, scenario: Scenario, options: &Options) -> Result<Vec<f64>> {
        match self {
            Self::Go(twin) => twin.round(options),
            Self::Guard(server) => server.round(options),
            Self::Besieged(server) => server.round(options),
            Self::Runtime(name) if scenario == Scenario::Accept => {
                accept::flood(start(scenario, name, options)?, options.length)
            }
            Self::Runtime(name) => {
                figures::parse(&start(scenario, name, options)?.line()?, scenario.metrics())
            }
        }
    }
}

fn start(scenario: Scenario, name: &str, options: &Options) -> Result<Child> {
    let (workers, spawns) = (options.workers.to_string(), options.spawns.to_string());
    let seconds = options.length.as_secs_f64().to_string();
    let mut arguments = vec!["stalls-child", "--scenarios", scenario.name()];
    arguments.extend(["--only", name, "--workers", &workers]);
    arguments.extend(["--seconds", &seconds, "--spawns", &spawns]);
    arguments.extend(options.smoke.then_some("--smoke"));
    Child::start(&arguments)
}

/// The child process: prints its figures as a line, and ends without waiting for tasks that never end.
pub(crate) fn child(options: &Options) -> Result {
    let [scenario] = options.scenarios[..] else {
        return Err("a child process is for one scenario".into());
    };
    (options.contestant()?.sockets()?.stall)(scenario, options)?;
    std::process::exit(0);
}

/// What the child process does on the runtime `R`.
pub(crate) fn stall<R: Sockets>(scenario: Scenario, options: &Options) -> Result {
    if scenario == Scenario::Accept {
        return accept::serve::<R>(options.workers);
    }
    if scenario == Scenario::PinnedSpawns {
        spawns::share_one_core()?;
    }
    let runtime = Arc::new(R::start(options.workers)?);
    // Never dropped: that would wait for tasks which do not end.
    mem::forget(runtime.clone());
    let round = match scenario {
        Scenario::Blocking => ticker::beside(&*runtime, Beside::Blocking, options),
        Scenario::Spinning => ticker::beside(&*runtime, Beside::Spinning, options),
        Scenario::FirstBlocked => first::stall(&*runtime, Beside::Blocking, options)?,
        Scenario::FirstSpinning => first::stall(&*runtime, Beside::Spinning, options)?,
        Scenario::LongPolls => long_polls::beside(&*runtime, options)?,
        Scenario::PinnedSpawns | Scenario::Spawns => spawns::single(runtime, options.spawns)?,
        Scenario::Accept | Scenario::Http | Scenario::Guard | Scenario::SlowHeads => {
            return Err(format!("{} has servers of its own", scenario.name()).into());
        }
    };
    println!("{}", figures::line(&round));
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
