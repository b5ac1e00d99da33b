//! Tables of rows, each of which is one thing that is measured in child processes.
//!
//! ```text
//! timers     create and cancel, reset, fire, and how late    ┐ each a list of rows, generic over the runtime
//! meter      wall time, processor time and sleeps per operation
//! table      the rounds with their ratios, printed
//! ```
//!
//! Each round of a row is a new process for each runtime; the order turns from round to round. A runtime that lacks what a row needs is
//! left out of it.

use std::process;
use std::time::Duration;

use crate::Result;
use crate::cli::Options;
use crate::contestants::Contestant;
use crate::figures::{self, Figures};
use crate::patience::within;
use crate::peers::{Runtime, Sockets, Timers};
use crate::process::Child;
use crate::report;
use crate::rounds::order;

mod meter;
mod table;
mod timers;

/// Rows that are printed by one subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Timers,
}

impl Table {
    pub(crate) const ALL: [Self; 1] = [Self::Timers];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timers => "timers",
        }
    }
}

/// One thing to measure, on one runtime.
pub(crate) struct Row {
    name: String,
    title: String,
    metrics: Vec<String>,
    /// At most so many rounds: where one takes long, and varies little.
    rounds: usize,
    measure: Measure,
}

/// A value for each of the metrics.
type Measure = Box<dyn FnOnce(&Options) -> Result<Vec<f64>>>;

impl Row {
    fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        metrics: &[&str],
        measure: impl FnOnce(&Options) -> Result<Vec<f64>> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            metrics: metrics.iter().copied().map(str::to_owned).collect(),
            rounds: usize::MAX,
            measure: Box::new(measure),
        }
    }

    fn rounds_at_most(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }
}

/// The rows of a runtime that has everything.
pub(crate) fn of_all<R: Sockets + Timers>(table: Table, options: &Options) -> Vec<Row> {
    match table {
        Table::Timers => timers::rows::<R>(options),
    }
}

/// The rows of a runtime that only runs tasks.
pub(crate) fn of_tasks<R: Runtime>(table: Table, _options: &Options) -> Vec<Row> {
    match table {
        Table::Timers => Vec::new(),
    }
}

pub(crate) fn compare(table: Table, options: &Options) -> Result {
    if !options.json {
        println!("{}", report::conditions(options));
    }
    let contestants = options.contestants();
    let mut measured = 0;
    for name in names(table, &contestants, options) {
        measured += 1;
        let mut metrics = Vec::new();
        let (mut title, mut rounds) = (String::new(), options.rounds);
        let mut results = Vec::new();
        for contestant in &contestants {
            let rows = (contestant.rows)(table, options);
            if let Some(row) = rows.into_iter().find(|row| row.name == name) {
                (title, metrics) = (row.title, row.metrics);
                rounds = rounds.min(row.rounds);
                results.push(Figures::new(contestant.name));
            }
        }
        let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
        for round in 0..rounds {
            for index in order(round, results.len()) {
                let mut child = start(table, &name, results[index].name, options)?;
                let figures = figures::parse(&child.line()?, &metrics)?;
                results[index].rounds.push(figures);
            }
        }
        if options.json {
            println!("{}", table::json(table.name(), &name, &metrics, &results));
        } else {
            table::print(&format!("{name}: {title}"), &metrics, &results);
        }
    }
    match measured {
        0 => Err(format!("{}: no row has such a name", table.name()).into()),
        _ => Ok(()),
    }
}

/// The names of the rows that are asked for, in the order of the table.
fn names(table: Table, contestants: &[Contestant], options: &Options) -> Vec<String> {
    let asked = |name: &str| {
        let mut starts = options.rows.iter();
        options.rows.is_empty() || starts.any(|start| name.starts_with(&**start))
    };
    let mut names = Vec::new();
    for contestant in contestants {
        for row in (contestant.rows)(table, options) {
            if asked(&row.name) && !names.contains(&row.name) {
                names.push(row.name);
            }
        }
    }
    names
}

fn start(table: Table, row: &str, runtime: &str, options: &Options) -> Result<Child> {
    let workers = options.workers.to_string();
    let mut arguments = vec!["row-child", "--rows", row, "--only", runtime];
    arguments.extend(["--workers", &workers, "--table", table.name()]);
    arguments.extend(options.smoke.then_some("--smoke"));
    Child::start(&arguments)
}

/// The child process: measures one row on one runtime, prints it as a line, and ends without dropping anything.
pub(crate) fn child(options: &Options) -> Result {
    let (contestant, table) = (options.contestant()?, options.table);
    let [name] = &options.rows[..] else {
        return Err("a child process is for one row".into());
    };
    let mut rows = (contestant.rows)(table, options).into_iter();
    let row = rows.find(|row| row.name == *name);
    let row = row.ok_or_else(|| format!("{} has no row {name}", contestant.name))?;
    let what = format!("{name} on {}", contestant.name);
    let figures = within(LIMIT, &what, || (row.measure)(options))?;
    println!("{}", figures::line(&figures));
    process::exit(0);
}

/// Some rows prepare for tens of seconds, on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);
