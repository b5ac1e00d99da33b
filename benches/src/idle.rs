//! System calls of a process that only waits: a listener in accept and a timer an hour away.
//!
//! They are counted from outside, for 5 seconds, beginning 15 seconds after the last work, in several ways:
//!
//! - Time on a processor of all threads, by their `schedstat`.
//! - Voluntary context switches of all threads: each is a thread that woke up and went to sleep again.
//! - `syscr` and `syscw` of `/proc/<pid>/io`: system calls that read or write.
//! - With strace, where there is one and it may attach, all system calls. It attaches before the 15 seconds begin.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{self, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::net::{SmolIo, Wire};
use crate::peers::{Runtime, Smol, Sockets};
use crate::process::{Child, answer_usage, field};
use crate::rounds::order;
use crate::threads::Used;

pub(crate) fn compare(options: &Options) -> Result {
    let (quiet, counted) = if options.smoke { (1, 1) } else { (15, 5) };
    let mut results: Vec<_> = options
        .contestants()
        .iter()
        .filter(|contestant| contestant.with_sockets.is_some() || contestant.name == Smol::NAME)
        .map(|contestant| Figures::new(contestant.name))
        .collect();
    let mut metrics = &METRICS[..];
    for round in 0..options.rounds {
        for index in order(round, results.len()) {
            let name = results[index].name;
            let (mut round, traced) = count(name, quiet, counted, options)?;
            if traced.is_none() {
                metrics = &METRICS[..round.len()];
            }
            round.extend(traced);
            results[index].rounds.push(round);
        }
    }
    let title = format!("in {counted} s, {quiet} s after the last work");
    if options.json {
        println!("{}", figures::json("idle", &title, metrics, &results));
    } else {
        figures::print(&title, metrics, &results);
    }
    Ok(())
}

/// The [`METRICS`] of one process; the last, which is apart, only with strace. A line says if there is none.
fn count(
    name: &str,
    quiet: u64,
    counted: u64,
    options: &Options,
) -> Result<(Vec<f64>, Option<f64>)> {
    let workers = options.workers.to_string();
    let mut child = Child::start(&["idle-child", "--only", name, "--workers", &workers])?;
    child.line()?;
    let trace = Trace::attach(child.id());
    thread::sleep(Duration::from_secs(quiet));
    let count = || Result::Ok((Used::of(child.id())?, reads_and_writes(child.id())?));
    let (before, start) = (count()?, SystemTime::now());
    thread::sleep(Duration::from_secs(counted));
    let (after, end) = (count()?, SystemTime::now());
    drop(child);
    let traced = match trace {
        Ok(trace) => Some(trace.finish(start, end)? as f64),
        Err(error) => {
            eprintln!("compare: system calls of {name} are not counted: {error}");
            None
        }
    };
    // A thread that has ended takes its numbers with it: that is no idleness either.
    let cpu = after.0.cpu.abs_diff(before.0.cpu) as f64 / 1e3;
    let switches = after.0.switches.abs_diff(before.0.switches) as f64;
    let io = (after.1 - before.1) as f64;
    Ok((vec![cpu, switches, io], traced))
}

pub(crate) fn child(options: &Options) -> Result {
    match &options.only[..] {
        [name] if name == Smol::NAME => wait_on_smol(options.workers),
        _ => (options.contestant()?.sockets()?.wait)(options.workers),
    }
}

/// Works for a moment, prints a line, and waits until the standard input ends.
pub(crate) fn wait<R: Sockets>(workers: usize) -> Result {
    let runtime = R::start(workers)?;
    runtime.block_on(async {
        let mut listener = R::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
        R::spawn_detached(async move {
            R::accept(&mut listener).await.expect("nobody connects");
        });
        R::spawn_detached(R::sleep(Duration::from_secs(3600)));
        R::spawn(R::sleep(Duration::from_millis(20))).await;
        Result::Ok(())
    })?;
    println!("waiting");
    answer_usage()?;
    process::exit(0);
}

/// As [`wait`]. smol's sockets and timers are async-io's, and lack the traits that the others have.
fn wait_on_smol(workers: usize) -> Result {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let mut listener = SmolIo::listen(listener)?;
    let (done, wait) = mpsc::channel();
    let sleep = |length| async move {
        async_io::Timer::after(length).await;
    };
    SmolIo::start(workers, async move {
        SmolIo::spawn(async move {
            SmolIo::accept(&mut listener)
                .await
                .expect("nobody connects");
        });
        SmolIo::spawn(sleep(Duration::from_secs(3600)));
        sleep(Duration::from_millis(20)).await;
        done.send(()).expect("it is waited for");
    })?;
    wait.recv()?;
    println!("waiting");
    answer_usage()?;
    process::exit(0);
}

/// System calls that read or write.
fn reads_and_writes(process: u32) -> Result<u64> {
    let io = format!("/proc/{process}/io");
    Ok(field(&io, "syscr")? + field(&io, "syscw")?)
}

/// A strace that is attached to a process, and ends with it.
struct Trace {
    strace: process::Child,
    file: std::path::PathBuf,
}

impl Trace {
    fn attach(process: u32) -> Result<Self> {
        let file = std::env::temp_dir().join(format!("compare-idle-{process}.strace"));
        let mut strace = Command::new("strace")
            .args(["-f", "-ttt", "-p", &process.to_string(), "-o"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| "no strace")?;
        thread::sleep(Duration::from_millis(500));
        match strace.try_wait()? {
            None => Ok(Self { strace, file }),
            Some(_) => Err("strace refused".into()),
        }
    }

    /// How many lines were written between two times, when the traced process has ended.
    fn finish(mut self, start: SystemTime, end: SystemTime) -> Result<usize> {
        self.strace.wait()?;
        let trace = fs::read_to_string(&self.file)?;
        fs::remove_file(&self.file)?;
        let window = seconds(start)?..seconds(end)?;
        Ok(trace
            .lines()
            .filter_map(time_of)
            .filter(|time| window.contains(time))
            .count())
    }
}

/// The time in a line `1234  1700000000.123456 call(...`.
fn time_of(line: &str) -> Option<f64> {
    line.split_whitespace().nth(1)?.parse().ok()
}

fn seconds(time: SystemTime) -> Result<f64> {
    Ok(time.duration_since(UNIX_EPOCH)?.as_secs_f64())
}

const METRICS: [&str; 4] = ["CPU us", "wake-ups", "reads and writes", "system calls"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_strace_have_a_time() {
        assert_eq!(
            time_of("4711  1700000000.25 epoll_wait(3, "),
            Some(1_700_000_000.25)
        );
        assert_eq!(time_of("strace: attached"), None);
    }

    #[test]
    fn this_process_reads_and_writes() {
        assert!(reads_and_writes(process::id()).unwrap() > 0);
    }
}
