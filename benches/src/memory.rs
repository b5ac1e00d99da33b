//! Bytes of resident memory for each task that waits.

use std::future::poll_fn;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::patience::within_limit;
use crate::peers::Runtime;
use crate::process::{Child, field};
use crate::rounds::order;

pub(crate) fn compare(options: &Options) -> Result {
    let mut results: Vec<_> = options
        .contestants()
        .iter()
        .map(|contestant| Figures::new(contestant.name))
        .collect();
    for round in 0..options.rounds {
        for index in order(round, results.len()) {
            let workers = options.workers.to_string();
            let name = results[index].name;
            let mut arguments = vec!["memory-child", "--only", name, "--workers", &workers];
            arguments.extend(options.smoke.then_some("--smoke"));
            let round = figures::parse(&Child::start(&arguments)?.line()?, &METRICS)?;
            results[index].rounds.push(round);
        }
    }
    let title = format!("{} pending tasks", tasks(options));
    if options.json {
        println!("{}", figures::json("memory", &title, &METRICS, &results));
    } else {
        figures::print(&title, &METRICS, &results);
    }
    Ok(())
}

/// The child process: each runtime has one of its own, with an allocator that nobody has used before.
pub(crate) fn child(options: &Options) -> Result {
    let contestant = options.contestant()?;
    let bytes = within_limit(&format!("memory on {}", contestant.name), || {
        (contestant.pending_tasks)(options.workers, tasks(options))
    })?;
    println!("{}", figures::line(&[bytes]));
    // Without dropping the tasks one by one.
    process::exit(0);
}

/// The resident bytes for each of `count` tasks that have been polled once and wait, their handles dropped.
pub(crate) fn pending_tasks<R: Runtime>(workers: usize, count: usize) -> Result<f64> {
    let runtime = R::start(workers)?;
    runtime.block_on(async move {
        R::spawn(async move {
            // The first tasks also pay for what is there only once.
            spawn_pending::<R>(BATCH).await;
            let before = resident()?;
            spawn_pending::<R>(BATCH + count).await;
            Ok((resident()? as f64 - before as f64) / count as f64)
        })
        .await
    })
}

/// Spawns until `total` tasks wait. In batches, so that the queues stay short: their memory is not the tasks'.
async fn spawn_pending<R: Runtime>(total: usize) {
    while POLLED.load(Ordering::Relaxed) < total {
        let batch = BATCH.min(total - POLLED.load(Ordering::Relaxed));
        let polled = POLLED.load(Ordering::Relaxed) + batch;
        for _ in 0..batch {
            // A future of size 0, as `pending()` is, which counts its one poll.
            R::spawn_detached(poll_fn(|_| {
                // Relaxed: only the number matters.
                POLLED.fetch_add(1, Ordering::Relaxed);
                Poll::Pending
            }));
        }
        while POLLED.load(Ordering::Relaxed) < polled {
            R::yield_now().await;
        }
    }
}

fn resident() -> Result<u64> {
    Ok(1024 * field("/proc/self/status", "VmRSS")?)
}

fn tasks(options: &Options) -> usize {
    if options.smoke { 10_000 } else { 1_000_000 }
}

static POLLED: AtomicUsize = AtomicUsize::new(0);
const METRICS: [&str; 1] = ["resident bytes a task"];
const BATCH: usize = 1000;
