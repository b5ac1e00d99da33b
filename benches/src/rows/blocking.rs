//! Closures where closures may block: what the way there and back costs, and how soon many that do block have ended.

use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use super::Row;
use super::meter::{COST, per_operation};
use crate::Result;
use crate::cli::Options;
use crate::peers::Tools;
use crate::process::Usage;

pub(super) fn rows<R: Tools>() -> Vec<Row> {
    let title = "so many tasks, each spawns 16 closures and waits for them, over and over";
    let no_op = |tasks| {
        let measure = move |options: &Options| no_ops::<R>(options, tasks, BATCH);
        Row::new("no-op", title, &COST, measure).with("tasks", tasks)
    };
    let mut rows: Vec<_> = [1, 4, 16, 64].map(no_op).into();
    let title =
        "one task, which spawns a closure that does nothing, waits for it, and spawns the next";
    rows.push(Row::new("one-by-one", title, &COST, |options| {
        no_ops::<R>(options, 1, 1)
    }));
    for (name, pool, title) in [
        (
            "sleep-cold",
            Pool::Cold,
            "so many closures that sleep 1 ms each, in a runtime that has run none before",
        ),
        (
            "sleep-warm",
            Pool::Warm,
            "the same in one that has just run as many",
        ),
    ] {
        for closures in [64, 512] {
            let measure = move |options: &Options| sleeps::<R>(options, closures, pool);
            rows.push(Row::new(name, title, &SLEEPS, measure).with("closures", closures));
        }
    }
    rows
}

fn no_ops<R: Tools>(options: &Options, tasks: usize, batch: usize) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let operations = (tasks * batch) as u64;
    let cost = per_operation(options, operations, 1, |batches| {
        runtime.block_on(async { R::spawn(all::<R>(tasks, batch, batches)).await })
    });
    mem::forget(runtime);
    cost
}

async fn all<R: Tools>(tasks: usize, batch: usize, batches: u32) -> Duration {
    let start = Instant::now();
    let one = || async move {
        for _ in 0..batches {
            R::spawn_blocking(batch, || ()).await;
        }
    };
    let tasks: Vec<_> = (0..tasks).map(|_| R::spawn(one())).collect();
    for task in tasks {
        task.await;
    }
    start.elapsed()
}

/// Whether there are threads for the closures, which wait for some.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pool {
    Cold,
    Warm,
}

/// The [`SLEEPS`] of `closures` closures at a time. A cold pool is there once in a process.
fn sleeps<R: Tools>(options: &Options, closures: usize, pool: Pool) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let once = || {
        runtime.block_on(async move {
            R::spawn(async move {
                let start = Instant::now();
                R::spawn_blocking(closures, || thread::sleep(SLEEP)).await;
                start.elapsed()
            })
            .await
        })
    };
    let times = match pool {
        Pool::Cold => 1,
        Pool::Warm => {
            once();
            if options.smoke { 2 } else { TIMES }
        }
    };
    let before = Usage::of_this_process()?;
    let taken: Duration = (0..times).map(|_| once()).sum();
    let used = Usage::of_this_process()?.since(before);
    mem::forget(runtime);
    let all = f64::from(times) * closures as f64;
    Ok(vec![
        taken.as_secs_f64() * 1e3 / f64::from(times),
        (used.user + used.system).as_secs_f64() * 1e6 / all,
    ])
}

const SLEEPS: [&str; 2] = ["ms until the last has ended", "CPU us for each"];
const SLEEP: Duration = Duration::from_millis(1);
/// Of which the mean is taken.
const TIMES: u32 = 50;
/// As in tokio's benchmark of `spawn_blocking`.
const BATCH: usize = 16;
