//! What hardly varies: instructions, allocations and bytes for each operation, on one worker.
//!
//! Each figure is a difference of two child processes, of which one does twice as much as the other, so that the start does not count:
//!
//! ```text
//! valgrind paced row-child --repeats N     valgrind paced row-child --repeats 2N     instructions of all threads
//!        counted row-child --repeats N            counted row-child --repeats 2N     allocations and bytes
//! ```
//!
//! `paced` is this program with a slow clock, `counted` with an allocator that counts.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Row, Table, timers};
use crate::Result;
use crate::cli::Options;
use crate::counting::allocated;
use crate::figures;
use crate::peers::{Runtime, Timers};
use crate::programs::Program;

/// False if there is no valgrind.
pub(super) fn possible() -> bool {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version").stdout(Stdio::null());
    valgrind.status().is_ok_and(|status| status.success())
}

/// The programs that run on workers only.
pub(super) fn rows<R: Runtime>() -> Vec<Row> {
    let programs = Program::SEVEN
        .into_iter()
        .filter(|program| *program != Program::Remote);
    programs
        .map(|program| {
            row::<R>(program.name(), program.operations(), move |repeats| {
                program.time(&R::start(1)?, repeats);
                Ok(())
            })
        })
        .collect()
}

pub(super) fn more_rows<R: Timers>() -> Vec<Row> {
    let row = row::<R>(TIMERS, timers::BATCH as u64, timers::cancels::<R>);
    vec![row]
}

/// `run` does `operations` as often as it is told, on a runtime with one worker.
fn row<R: Runtime>(
    name: &'static str,
    operations: u64,
    run: impl Fn(u32) -> Result + 'static,
) -> Row {
    let title = "1 worker, for each operation";
    let row = Row::new(name, title, &METRICS, move |options| {
        match options.repeats {
            // What is counted from outside, and here if the allocator is the one that counts.
            Some(repeats) => {
                run(repeats)?;
                Ok([0, allocated()[0], allocated()[1]]
                    .map(|count| count as f64)
                    .into())
            }
            None => differences(R::NAME, name, operations, options),
        }
    });
    row.rounds_at_most(ROUNDS)
}

fn differences(runtime: &str, row: &str, operations: u64, options: &Options) -> Result<Vec<f64>> {
    let wanted = if options.smoke { 1 } else { OPERATIONS };
    let repeats = wanted.div_ceil(operations);
    let child = |repeats: u64| {
        let mut arguments = ["row-child", "--table", Table::Counts.name()]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(["--rows", row, "--only", runtime].map(str::to_owned));
        arguments.extend(["--repeats".to_owned(), repeats.to_string()]);
        arguments.extend(options.smoke.then(|| "--smoke".to_owned()));
        arguments
    };
    let (less, more) = (child(repeats), child(2 * repeats));
    let instructions = instructions(&more)? - instructions(&less)?;
    let less = allocations(&less)?;
    let more = allocations(&more)?;
    let counts = [instructions, more[1] - less[1], more[2] - less[2]];
    Ok(counts
        .map(|count| count / (repeats * operations) as f64)
        .into())
}

/// How many instructions `paced` takes for `arguments`.
fn instructions(arguments: &[String]) -> Result<f64> {
    let paced = beside(PACED)?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--fair-sched=yes",
        ])
        .arg(paced)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind, which counts instructions: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("under valgrind, {}: {told}", output.status).into());
    }
    let collected = told.lines().find_map(collected);
    collected.ok_or_else(|| format!("valgrind has collected nothing: {told}").into())
}

/// The number of a line `==1== Collected : 2`.
fn collected(line: &str) -> Option<f64> {
    let (_, number) = line.split_once("Collected :")?;
    number.trim().parse().ok()
}

/// What `counted` prints for `arguments`.
fn allocations(arguments: &[String]) -> Result<Vec<f64>> {
    let path = beside(COUNTED)?;
    let output = Command::new(&path)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", path.display(), output.status).into());
    }
    figures::parse(String::from_utf8(output.stdout)?.trim_end(), &METRICS)
}

/// Another program of this package. Valgrind would say less clearly that it is not there.
fn beside(program: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(program);
    if !path.exists() {
        return Err(format!(
            "there is no {}. Build all programs of this package: cargo build --release -p executor-benches",
            path.display()
        )
        .into());
    }
    Ok(path)
}

const METRICS: [&str; 3] = ["instructions/op", "allocations/op", "allocated bytes/op"];
const TIMERS: &str = "timer";
const COUNTED: &str = "counted";
const PACED: &str = "paced";
/// Valgrind takes some fifty times as long as the processor.
const OPERATIONS: u64 = 50_000;
/// How the threads of a process take turns under valgrind is not always the same.
const ROUNDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_has_collected_is_found() {
        assert_eq!(collected("==17== Collected : 35158"), Some(35158.0));
        assert_eq!(collected("==17== Events    : Ir"), None);
    }
}
