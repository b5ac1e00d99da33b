//! Parts of a scheduler, one at a time: spawns and wake-ups from other threads, sets of tasks, bursts, trees of tasks.

use std::hint;
use std::mem;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::BoxFuture;

use super::Row;
use super::countdown::Countdown;
use super::meter::{COST, per_operation};
use crate::Result;
use crate::cli::Options;
use crate::peers::{Foreign, Runtime, Tools};
use crate::random::Random;
use crate::stats::quantile;

pub(super) fn rows<R: Foreign>() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, busy, title) in [
        (
            "remote-idle",
            false,
            "12 800 tasks from so many threads outside, into an idle runtime",
        ),
        (
            "remote-busy",
            true,
            "the same, beside tasks that compute 10 us and yield",
        ),
    ] {
        for threads in [1, 4, 16, 64] {
            let measure = move |options: &Options| remote::<R>(options, threads, busy);
            rows.push(Row::new(name, title, &COST, measure).with("threads", threads));
        }
    }
    let title = "from a wake-up by a thread outside to the poll, while the runtime sleeps";
    rows.push(Row::new("wake", title, &LATENCY, wake::<R>));
    let title = "one task wakes 64 that compute 5 us each: until the last is done";
    rows.push(Row::new("burst", title, &LATENCY, burst::<R>));
    let title = "a tree of tasks by halving, 4096 leaves that do nothing, for each leaf";
    rows.push(Row::new("fork-join", title, &COST, fork_join::<R>));
    rows
}

pub(super) fn more_rows<R: Tools>() -> Vec<Row> {
    let title = "a JoinSet of 10 000 tasks, for each";
    vec![Row::new("join-set", title, &COST, |options| {
        inside::<R>(options, SET as u64, |repeats| {
            Box::pin(async move {
                for _ in 0..repeats {
                    R::join_set(SET).await;
                }
            })
        })
    })]
}

/// The cost of what one task does in one run, a task of its own.
fn inside<R: Runtime>(
    options: &Options,
    operations: u64,
    work: impl Fn(u32) -> BoxFuture<'static, ()>,
) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let cost = per_operation(options, operations, 1, |repeats| {
        let work = work(repeats);
        runtime.block_on(async move {
            R::spawn(async move {
                let start = Instant::now();
                work.await;
                start.elapsed()
            })
            .await
        })
    });
    mem::forget(runtime);
    cost
}

/// Each of `threads` threads spawns its share of [`SPAWNED`] tasks; time is from before the first of these threads spawns to when the last task has run.
fn remote<R: Foreign>(options: &Options, threads: usize, busy: bool) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    if busy {
        for _ in 0..2 * options.workers {
            // Until the process ends.
            runtime.spawn_from_outside(async {
                loop {
                    compute(Duration::from_micros(10));
                    R::yield_now().await;
                }
            });
        }
    }
    let countdown = Countdown::leaked();
    let cost = per_operation(options, SPAWNED as u64, 1, |repeats| {
        let begin = Barrier::new(threads + 1);
        let mut taken = Duration::ZERO;
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..repeats {
                        begin.wait();
                        countdown.begin();
                        for _ in 0..SPAWNED / threads {
                            runtime.spawn_from_outside(async { countdown.decrement() });
                        }
                    }
                });
            }
            for _ in 0..repeats {
                countdown.set(SPAWNED);
                begin.wait();
                taken += countdown.wait();
            }
        });
        taken
    });
    mem::forget(runtime);
    cost
}

/// A thread sends a message now and then to a task that waits for it. Before each the runtime has had time to go to sleep.
fn wake<R: Foreign>(options: &Options) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let (messages, mut received) = mpsc::unbounded::<Instant>();
    let (answers, answered) = std::sync::mpsc::channel();
    runtime.spawn_from_outside(async move {
        while let Some(sent) = received.next().await {
            let _ = answers.send(sent.elapsed());
        }
    });
    let latencies = now_and_then(options, || {
        messages.unbounded_send(Instant::now())?;
        Ok(answered.recv()?)
    });
    mem::forget(runtime);
    latencies
}

/// As [`wake`]; but the task that was woken wakes others, and time begins there.
fn burst<R: Foreign>(options: &Options) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let countdown = Countdown::leaked();
    let mut others = Vec::new();
    for _ in 0..BURST {
        let (sender, mut woken) = mpsc::unbounded::<()>();
        others.push(sender);
        runtime.spawn_from_outside(async move {
            while woken.next().await.is_some() {
                compute(Duration::from_micros(5));
                countdown.decrement();
            }
        });
    }
    let (go, mut goes) = mpsc::unbounded::<()>();
    runtime.spawn_from_outside(async move {
        while goes.next().await.is_some() {
            countdown.begin();
            for other in &others {
                other.unbounded_send(()).expect("nobody has ended");
            }
        }
    });
    let latencies = now_and_then(options, || {
        countdown.set(BURST);
        go.unbounded_send(())?;
        Ok(countdown.wait())
    });
    mem::forget(runtime);
    latencies
}

/// The [`LATENCY`] of what `once` does, over and over; before each the runtime gets time to go to sleep.
fn now_and_then(options: &Options, once: impl Fn() -> Result<Duration>) -> Result<Vec<f64>> {
    let samples = if options.smoke { 20 } else { 1000 };
    let mut random = Random::new(1);
    let mut latencies = Vec::with_capacity(samples);
    for _ in 0..samples {
        // No multiple of anything that a runtime may do at intervals.
        thread::sleep(Duration::from_micros(300 + random.below(400)));
        latencies.push(once()?.as_nanos() as f64 / 1e3);
    }
    latencies.sort_by(f64::total_cmp);
    Ok([0.5, 0.99, 1.0].map(|q| quantile(&latencies, q)).into())
}

fn fork_join<R: Foreign>(options: &Options) -> Result<Vec<f64>> {
    inside::<R>(options, LEAVES, |repeats| {
        Box::pin(async move {
            for _ in 0..repeats {
                assert_eq!(halve::<R>(LEAVES).await, LEAVES);
            }
        })
    })
}

/// One half is a task, the other one goes on here.
fn halve<R: Runtime>(leaves: u64) -> BoxFuture<'static, u64> {
    Box::pin(async move {
        if leaves == 1 {
            return 1;
        }
        let half = R::spawn(halve::<R>(leaves / 2));
        let here = halve::<R>(leaves - leaves / 2).await;
        half.await + here
    })
}

fn compute(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        hint::spin_loop();
    }
}

const LATENCY: [&str; 3] = ["p50, us", "p99, us", "max, us"];
/// As in tokio's benchmark of that name.
const SPAWNED: usize = 12_800;
const SET: usize = 10_000;
const BURST: usize = 64;
const LEAVES: u64 = 4096;
