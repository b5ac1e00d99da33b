//! Mixed load with random kills, for half an hour, on our runtime: does anything get lost, stay behind, or grow?
//!
//! ```text
//!   main thread    starts the server and the actors ─ waits ─ tells them to stop ─ what is left? ─ drops the runtime ─ what is left?
//!   actors         tasks, each making one kind of trouble until told to stop, by random numbers of its own
//!   client         processes with connections of their own, killed by an actor
//!   watch          a thread outside of the runtime: reports, and notices when an actor makes no progress
//! ```
//!
//! docs/reliability/soak.md says what is checked.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use executor::net::TcpListener;
use executor::runtime::{Builder, Runtime};
use executor::signal::unix::{SignalKind, signal};
use executor::time::timeout;

use crate::Result;
use crate::random::Random;

mod blocking;
mod client;
mod connections;
mod ledger;
mod options;
mod outside;
mod processes;
mod system;
mod tasks;
mod timers;
mod watch;

use ledger::{LOST, Ledger};
use options::Options;
use system::Counts;
use watch::Watch;

/// Runs the command line `args`, of which the first is the program's name.
///
/// # Errors
///
/// What is wrong with the command line; that something was lost, stayed behind, or grew.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result {
    let options = Options::parse(args)?;
    if options.help {
        println!("{}", options::HELP);
        return Ok(());
    }
    match options.client {
        Some(server) => client::run(server, &options),
        None => soak(&options),
    }
}

fn soak(options: &Options) -> Result {
    let Options {
        seed,
        length,
        workers,
        ..
    } = options;
    println!("{length:?}, {workers} workers, --seed {seed}");
    Runtime::new()?.block_on(use_everything_once())?;
    let at_start = Counts::now()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(*workers)
        // Short, so that threads come and go all the time.
        .thread_keep_alive(Duration::from_millis(50))
        .build()?;
    runtime.block_on(use_everything_once())?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let ledger = Arc::new(Ledger::new(listener.local_addr()?));
    ledger::report_unplanned_panics(&ledger);
    let server = runtime.spawn(connections::serve(listener));
    let before = Counts::now()?;

    let mut random = Random::new(*seed);
    let actors: Vec<_> = ACTORS
        .iter()
        .flat_map(|(name, count, start)| (0..*count).map(move |_| (*name, start)))
        .map(|(name, start)| {
            let random = random.split();
            (name, runtime.spawn(start(ledger.clone(), random)))
        })
        .collect();
    let foreign = outside::start(runtime.handle().clone(), ledger.clone(), random.split());
    let watch = Watch::start(ledger.clone(), *length);
    thread::sleep(*length);

    ledger.stop();
    runtime.block_on(async {
        for (name, actor) in actors {
            match timeout(3 * LOST, actor).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => ledger.fault(format!("{name}: {error}")),
                Err(_) => ledger.fault(format!("{name} does not end")),
            }
        }
    });
    if foreign.join().is_err() {
        ledger.fault("the thread that spawns from outside panicked");
    }
    server.abort();
    let tasks_left = || runtime.metrics().num_alive_tasks();
    if !comes_true(|| Ok(tasks_left() == 0))? {
        ledger.fault(format!("{} tasks are left", tasks_left()));
    }
    what_is_left(&ledger, "before the runtime ends", before.and_threads(1))?;
    drop(runtime);
    let usual = watch.end(&ledger)?;
    what_is_left(&ledger, "when the runtime has ended", at_start)?;
    if !options.short() {
        usual.judge(&ledger);
    }
    ledger.no_faults()?;
    println!("nothing was lost");
    Ok(())
}

/// What there is once, in a process (a handler for signals) and in a runtime (a descriptor that hears of them), is there before
/// anything is counted.
async fn use_everything_once() -> Result {
    let _signal = signal(SignalKind::user_defined1())?;
    processes::succeed().await
}

/// Descriptors, threads and child processes go back to what they were.
fn what_is_left(ledger: &Ledger, when: &str, expected: Counts) -> Result {
    if !comes_true(|| Ok(Counts::now()?.none_above(&expected)))? {
        let now = Counts::now()?;
        ledger.fault(format!(
            "{when} there are {now}, not {expected}; open are {}",
            system::open_files()?.join(", ")
        ));
    }
    Ok(())
}

fn comes_true(condition: impl Fn() -> Result<bool>) -> Result<bool> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if condition()? {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(20));
    }
    condition()
}

type Actor = (&'static str, usize, ledger::Start);

/// How many there are of each.
const ACTORS: [Actor; 13] = [
    ("connections", 8, connections::steady),
    ("connections that are killed", 2, connections::mortal),
    ("client processes", 2, client::start_and_kill),
    ("timers", 2, timers::sleep_and_cancel),
    ("tasks", 2, tasks::spawn_and_abort),
    ("channels", 1, tasks::messages),
    ("panics", 1, tasks::panics),
    ("spawn_blocking", 1, blocking::spawn_blocking),
    ("block_in_place", 1, blocking::block_in_place),
    ("tasks that block", 1, blocking::block_the_thread),
    ("tasks that spin", 1, blocking::spin),
    ("signals", 1, processes::signals),
    ("child processes", 1, processes::short_children),
];
