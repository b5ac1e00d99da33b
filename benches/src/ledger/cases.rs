//! What is counted: single operations while all workers are busy and while all sleep, and the programs.
//!
//! A count is what the whole process has written meanwhile. While workers are busy that includes what they do by the clock: every 100 µs one
//! of them takes the duty, which is therefore in no sum. And a worker that the system suspends is helped by others, who steal from it: on a machine that does other
//! things, too, look at the least of the rounds.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::runtime::ledger::{Entry, entries};
use executor::spawn;
use executor::task::{spawn_blocking, yield_now};
use executor::time::sleep;
use futures::channel::mpsc as channel;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures, shown};
use crate::patience::within_limit;
use crate::peers::{Executor, Runtime, Sockets, echo};
use crate::programs::Program;
use crate::stats::Spread;

/// What is counted, on a runtime with nothing else to do.
struct Case {
    name: &'static str,
    run: Run,
}

enum Run {
    /// In a task, while all workers have tasks that yield. Returns how many operations it was.
    Busy(fn() -> BoxFuture<'static, u64>),
    /// The same, while the other workers have nothing else to do.
    Alone(fn() -> BoxFuture<'static, u64>),
    /// On a thread that is no worker, which lets all workers fall asleep before each operation.
    Outside(fn(&Executor) -> Result<u64>),
    Program(Program),
}

pub(super) fn compare(options: &Options) -> Result {
    let mut cases = vec![
        Case::new(
            "spawn, poll, complete: busy",
            Run::Busy(|| spawns().boxed()),
        ),
        Case::new("yield, poll: busy", Run::Busy(|| yields().boxed())),
        Case::new("wake, poll: busy", Run::Busy(|| wakes().boxed())),
        Case::new(
            "timer, made and dropped: busy",
            Run::Busy(|| timers().boxed()),
        ),
        Case::new("timer, fires: busy", Run::Busy(|| fires().boxed())),
        Case::new(
            "round trip of an echo: busy",
            Run::Busy(|| echoes().boxed()),
        ),
        Case::new(
            "closure that blocks: busy",
            Run::Busy(|| closures().boxed()),
        ),
        Case::new("task that may be stolen", Run::Alone(|| steals().boxed())),
        Case::new("spawn from outside: idle", Run::Outside(spawns_outside)),
        Case::new("wake from outside: idle", Run::Outside(wakes_outside)),
        Case::new("timer, fires: idle", Run::Alone(|| fires().boxed())),
        Case::new("round trip of an echo: idle", Run::Outside(echoes_outside)),
    ];
    cases.extend(
        (options.programs.iter()).map(|&program| Case::new(program.name(), Run::Program(program))),
    );
    if !options.json {
        println!(
            "read-modify-writes for each operation, {} workers: median of {} rounds (least to most)\n\n{:32} {:>24} {:>24}   where",
            options.workers, options.rounds, "", OF_ALL, OF_ANOTHER
        );
    }
    for case in cases {
        // A runtime of its own, so that nothing of the case before goes on.
        let runtime = Executor::start(options.workers)?;
        case.run(&runtime)?;
        let mut figures = Figures::new(Executor::NAME);
        for _ in 0..options.rounds {
            figures.rounds.push(case.run(&runtime)?);
        }
        case.print(options, figures);
    }
    Ok(())
}

impl Case {
    fn new(name: &'static str, run: Run) -> Self {
        Self { name, run }
    }

    /// The writes for each operation, by line.
    fn run(&self, runtime: &Executor) -> Result<Vec<f64>> {
        within_limit(self.name, || match self.run {
            Run::Busy(run) => {
                let stop = Arc::new(AtomicBool::new(false));
                keep_busy(runtime, &stop);
                let counted = runtime.block_on(async { spawn(counted(run)).await });
                stop.store(true, Relaxed);
                Ok(counted.expect("no case fails"))
            }
            Run::Alone(run) => {
                let counted = runtime.block_on(async { spawn(counted(run)).await });
                Ok(counted.expect("no case fails"))
            }
            Run::Outside(run) => {
                let before = entries();
                let operations = run(runtime)?;
                Ok(difference(&before, operations))
            }
            Run::Program(program) => {
                let before = entries();
                program.time(runtime, 1);
                Ok(difference(&before, program.operations()))
            }
        })
    }

    fn print(&self, options: &Options, figures: Figures) {
        let lines = entries();
        let total = |of_all: bool| -> Vec<f64> {
            let sums = figures.rounds.iter().map(|round| {
                let sum = lines
                    .iter()
                    .zip(round)
                    .filter(|(line, _)| line.of_all == of_all && line.line != "duty");
                sum.map(|(_, writes)| writes).sum()
            });
            sums.collect()
        };
        let kinds = lines.iter().enumerate();
        let kinds = kinds.map(|(index, entry)| (entry.line, figures.metric(index)));
        if options.json {
            let mut metrics = vec![(OF_ALL, total(true)), (OF_ANOTHER, total(false))];
            metrics.extend(kinds.filter(|(_, writes)| writes.iter().any(|writes| *writes > 0.0)));
            let names: Vec<_> = metrics.iter().map(|(name, _)| *name).collect();
            let round = |round: usize| metrics.iter().map(|(_, writes)| writes[round]).collect();
            let figures = Figures {
                name: figures.name,
                rounds: (0..figures.rounds.len()).map(round).collect(),
            };
            println!("{}", figures::json("ledger", self.name, &names, &[figures]));
            return;
        }
        let parts = kinds.filter_map(|(name, writes)| {
            let Spread { median, .. } = Spread::of(&writes);
            (median > 0.0).then(|| format!("{name} {}", shown(median)))
        });
        println!(
            "{:32} {:>24} {:>24}   {}",
            self.name,
            figures::cell(&total(true)),
            figures::cell(&total(false)),
            parts.collect::<Vec<_>>().join(", ")
        );
    }
}

async fn counted(run: fn() -> BoxFuture<'static, u64>) -> Vec<f64> {
    // All workers have got their share by then.
    for _ in 0..100 {
        yield_now().await;
    }
    let before = entries();
    let operations = run().await;
    difference(&before, operations)
}

fn difference(before: &[Entry], operations: u64) -> Vec<f64> {
    let writes = |(before, now): (&Entry, Entry)| (now.writes - before.writes) as f64;
    before
        .iter()
        .zip(entries())
        .map(writes)
        .map(|writes| writes / operations as f64)
        .collect()
}

/// Tasks that yield until `stop` is set, so many that a worker from which some are stolen has others.
fn keep_busy(runtime: &Executor, stop: &Arc<AtomicBool>) {
    for _ in 0..YIELDERS {
        let stop = stop.clone();
        drop(runtime.0.spawn(async move {
            while !stop.load(Relaxed) {
                yield_now().await;
            }
        }));
    }
}

async fn spawns() -> u64 {
    let mut tasks = Vec::with_capacity(1024);
    for _ in 0..1024 {
        tasks.push(spawn(async {}));
    }
    for task in tasks {
        task.await.expect("it does nothing");
    }
    1024
}

async fn yields() -> u64 {
    for _ in 0..1000 {
        yield_now().await;
    }
    1000
}

async fn wakes() -> u64 {
    let (there, mut come) = channel::unbounded();
    let (back, mut answers) = channel::unbounded();
    let partner = spawn(async move {
        while let Some(n) = come.next().await {
            back.unbounded_send(n).expect("the other waits");
        }
    });
    for n in 0..500 {
        there.unbounded_send(n).expect("the partner waits");
        assert_eq!(answers.next().await, Some(n));
    }
    drop(there);
    partner.await.expect("it only answers");
    1000
}

async fn timers() -> u64 {
    for n in 0..1000 {
        let mut timer = pin!(sleep(Duration::from_secs(600)));
        poll_fn(|cx| Poll::Ready(timer.as_mut().poll(cx).is_pending())).await;
        if n % 100 == 0 {
            yield_now().await;
        }
    }
    1000
}

async fn fires() -> u64 {
    for _ in 0..100 {
        sleep(Duration::from_micros(500)).await;
    }
    100
}

async fn echoes() -> u64 {
    let address = echo::serve::<Executor>().await.expect("a port is free");
    let mut stream = Executor::connect(address).await.expect("it listens");
    for _ in 0..100 {
        echo::round_trip(&mut stream, b"x")
            .await
            .expect("it answers");
    }
    100
}

async fn closures() -> u64 {
    for _ in 0..100 {
        spawn_blocking(|| ()).await.expect("it does nothing");
    }
    100
}

async fn steals() -> u64 {
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            spawn(async {
                let start = std::time::Instant::now();
                while start.elapsed() < Duration::from_micros(20) {}
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it only computes");
    }
    200
}

fn spawns_outside(runtime: &Executor) -> Result<u64> {
    for _ in 0..100 {
        thread::sleep(PAUSE);
        let (done, wait) = mpsc::channel();
        drop(runtime.0.spawn(async move { done.send(()) }));
        wait.recv()?;
    }
    Ok(100)
}

fn wakes_outside(runtime: &Executor) -> Result<u64> {
    let (wake, mut wakes) = channel::unbounded();
    let (done, woken) = mpsc::channel();
    drop(runtime.0.spawn(async move {
        while wakes.next().await.is_some() {
            done.send(()).expect("it is waited for");
        }
    }));
    for _ in 0..100 {
        thread::sleep(PAUSE);
        wake.unbounded_send(())?;
        woken.recv()?;
    }
    Ok(100)
}

fn echoes_outside(runtime: &Executor) -> Result<u64> {
    let address = runtime.block_on(async { spawn(echo::serve::<Executor>()).await })??;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    for _ in 0..100 {
        thread::sleep(PAUSE);
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
    }
    Ok(100)
}

const OF_ALL: &str = "of all, but the duty";
const OF_ANOTHER: &str = "of another worker";
const YIELDERS: usize = 256;
/// Long enough for all workers to fall asleep.
const PAUSE: Duration = Duration::from_millis(1);
