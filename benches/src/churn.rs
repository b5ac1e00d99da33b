//! Memory, threads and descriptors of a process in which runtimes come and go.
//!
//! Each is built, used (100 tasks, connections, timers, tasks and timers that are still waiting at the end) and dropped, a thousand times
//! in a child process. The slope of the resident size is found by least squares over all runtimes after a fifth of them, the warm-up.

use std::fs;
use std::time::{Duration, Instant};

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::patience::within_limit;
use crate::peers::{Sockets, echo};
use crate::process::{Child, field};
use crate::report;
use crate::rounds::order;
use crate::stats::slope;

pub(crate) fn compare(options: &Options) -> Result {
    let mut results: Vec<_> = options
        .contestants()
        .iter()
        .filter(|contestant| contestant.with_sockets.is_some())
        .map(|contestant| Figures::new(contestant.name))
        .collect();
    for round in 0..options.rounds {
        for index in order(round, results.len()) {
            let workers = options.workers.to_string();
            let runtimes = options.runtimes.to_string();
            let name = results[index].name;
            let mut arguments = vec!["churn-child", "--only", name, "--workers", &workers];
            arguments.extend(["--runtimes", &runtimes]);
            arguments.extend(options.smoke.then_some("--smoke"));
            let figures = figures::parse(&Child::start(&arguments)?.line()?, &METRICS)?;
            results[index].rounds.push(figures);
        }
    }
    let title = format!(
        "{} runtimes, one after the other",
        runtimes_to_make(options)
    );
    if options.json {
        println!("{}", figures::json("churn", &title, &METRICS, &results));
    } else {
        println!("{}", report::conditions(options));
        figures::print(&title, &METRICS, &results);
    }
    Ok(())
}

pub(crate) fn child(options: &Options) -> Result {
    let contestant = options.contestant()?;
    let round = (contestant.sockets()?.churn)(options)?;
    println!("{}", figures::line(&round));
    Ok(())
}

/// The [`METRICS`] of one process.
pub(crate) fn runtimes<R: Sockets>(options: &Options) -> Result<Vec<f64>> {
    let count = runtimes_to_make(options);
    let name = format!("a runtime of {}", R::NAME);
    let (threads, descriptors) = (threads()?, open_descriptors()?);
    let start = Instant::now();
    let mut sizes = Vec::with_capacity(count);
    for n in 0..count {
        within_limit(&name, || one::<R>(options.workers))?;
        sizes.push((n as f64, resident()?));
    }
    let taken = start.elapsed();
    let later = &sizes[count / 5..];
    // The thread that `within_limit` starts, and those of a runtime, may need a moment to go.
    let patience = Instant::now() + Duration::from_secs(10);
    while self::threads()? > threads && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(vec![
        slope(later),
        later[0].1,
        later[later.len() - 1].1,
        self::threads()? - threads,
        open_descriptors()? - descriptors,
        taken.as_secs_f64() * 1e3 / count as f64,
    ])
}

/// The life of one runtime.
fn one<R: Sockets>(workers: usize) -> Result {
    let runtime = R::start(workers)?;
    runtime.block_on(async {
        let address = echo::serve::<R>().await?;
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                R::spawn(async move {
                    R::yield_now().await;
                    R::sleep(Duration::from_micros(20 * n)).await;
                    n
                })
            })
            .collect();
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = R::connect(address).await?;
            echo::round_trip(&mut stream, b"hello").await?;
            connections.push(stream);
        }
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await, n as u64, "a task has another's output");
        }
        // What the end of the runtime must clean up: tasks, timers, connections and the listener.
        for _ in 0..TASKS {
            R::spawn_detached(R::sleep(Duration::from_secs(3600)));
        }
        for mut stream in connections {
            R::spawn_detached(async move {
                while echo::round_trip(&mut stream, b"again").await.is_ok() {}
            });
        }
        R::sleep(Duration::from_micros(500)).await;
        Ok(())
    })
}

fn runtimes_to_make(options: &Options) -> usize {
    if options.smoke { 10 } else { options.runtimes }
}

/// KiB.
fn resident() -> Result<f64> {
    Ok(field("/proc/self/status", "VmRSS")? as f64)
}

fn threads() -> Result<f64> {
    Ok(field("/proc/self/status", "Threads")? as f64)
}

fn open_descriptors() -> Result<f64> {
    Ok(fs::read_dir("/proc/self/fd")?.count() as f64)
}

const METRICS: [&str; 6] = [
    "slope, KiB a runtime",
    "resident after the warm-up, KiB",
    "resident at the end, KiB",
    "threads left",
    "descriptors left",
    "ms a runtime",
];
const TASKS: u64 = 100;
const CONNECTIONS: usize = 4;
