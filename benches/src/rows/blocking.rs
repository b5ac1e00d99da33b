//! Closures that do nothing, where closures may block: what the way there and back costs.

use std::mem;
use std::time::{Duration, Instant};

use super::Row;
use super::meter::{COST, per_operation};
use crate::Result;
use crate::cli::Options;
use crate::peers::Tools;

pub(super) fn rows<R: Tools>() -> Vec<Row> {
    let title = "so many tasks, each spawns 16 closures and waits for them, over and over";
    let row = |tasks| {
        let measure = move |options: &Options| no_ops::<R>(options, tasks);
        Row::new("no-op", title, &COST, measure).with("tasks", tasks)
    };
    [1, 4, 16, 64].map(row).into()
}

fn no_ops<R: Tools>(options: &Options, tasks: usize) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let operations = (tasks * BATCH) as u64;
    let cost = per_operation(options, operations, 1, |batches| {
        runtime.block_on(async { R::spawn(all::<R>(tasks, batches)).await })
    });
    mem::forget(runtime);
    cost
}

async fn all<R: Tools>(tasks: usize, batches: u32) -> Duration {
    let start = Instant::now();
    let one = || async move {
        for _ in 0..batches {
            R::spawn_blocking(BATCH).await;
        }
    };
    let tasks: Vec<_> = (0..tasks).map(|_| R::spawn(one())).collect();
    for task in tasks {
        task.await;
    }
    start.elapsed()
}

/// As in tokio's benchmark of `spawn_blocking`.
const BATCH: usize = 16;
