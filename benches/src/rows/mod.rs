//! Tables of rows, each of which is one thing that is measured in child processes.
//!
//! ```text
//! timers     create and cancel, reset, fire, and how late  ┐
//! spawns     from other threads; wake-ups, bursts, trees   │ each a list of rows, generic over the runtime
//! blocking   closures that block                           │
//! memory     bytes of what waits                           │
//! postgres   rows and questions of a database              │
//! pages      a client of HTTP, with a limit                │
//! files      a file to a socket                            │
//! counts     instructions and allocations                  ┘
//! meter      wall time, processor time and sleeps per operation
//! countdown  until all tasks have run
//! table      the rounds with their ratios, printed
//! ```
//!
//! Each round of a row is a new process for each runtime, in an order drawn for the round. A runtime that lacks what a row needs is
//! left out of it.

use std::any::Any;
use std::process;
use std::time::Duration;

use crate::Result;
use crate::cli::Options;
use crate::figures::{self, Figures};
use crate::patience::within;
use crate::peers::{Foreign, Pages, Runtime, Streams, Timers, Tools};
use crate::process::Child;
use crate::report;
use crate::rounds::order;

mod blocking;
mod countdown;
mod counts;
#[cfg(feature = "sockets")]
mod files;
mod memory;
mod meter;
mod pages;
mod postgres;
mod spawns;
mod table;
mod timers;

/// Rows that are printed by one subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Timers,
    Spawns,
    Blocking,
    Memory,
    Counts,
    Postgres,
    Pages,
    Files,
}

impl Table {
    pub(crate) const ALL: [Self; 8] = [
        Self::Timers,
        Self::Spawns,
        Self::Blocking,
        Self::Memory,
        Self::Counts,
        Self::Postgres,
        Self::Pages,
        Self::Files,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timers => "timers",
            Self::Spawns => "spawns",
            Self::Blocking => "blocking",
            Self::Memory => "memory",
            Self::Counts => "counts",
            Self::Postgres => "postgres",
            Self::Pages => "pages",
            Self::Files => "files",
        }
    }
}

/// One thing to measure, on one runtime.
pub(crate) struct Row {
    name: String,
    /// What differs between several rows of this name, and what it is in this one.
    number: Option<(&'static str, usize)>,
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
            number: None,
            title: title.into(),
            metrics: metrics.iter().copied().map(str::to_owned).collect(),
            rounds: usize::MAX,
            measure: Box::new(measure),
        }
    }

    /// One of several rows that differ by a number, which comes last in its name.
    fn with(mut self, what: &'static str, number: usize) -> Self {
        self.number = Some((what, number));
        self
    }

    /// The name of the row, which no other row of its table has.
    fn full_name(&self) -> String {
        match self.number {
            Some((_, number)) => format!("{}-{number}", self.name),
            None => self.name.clone(),
        }
    }

    fn metrics(&self) -> Vec<&str> {
        self.metrics.iter().map(String::as_str).collect()
    }

    fn rounds_at_most(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }
}

/// The rows of a runtime that has everything.
pub(crate) fn of_all<R: Pages + Streams + Timers + Tools>(
    table: Table,
    options: &Options,
) -> Vec<Row> {
    let mut rows = of_workers::<R>(table, options);
    rows.extend(match table {
        Table::Timers => timers::rows::<R>(options),
        Table::Spawns => spawns::more_rows::<R>(),
        Table::Blocking => blocking::rows::<R>(),
        Table::Memory => memory::more_rows::<R>(options),
        Table::Counts => counts::more_rows::<R>(),
        Table::Postgres => postgres::rows::<R>(),
        Table::Pages => pages::rows::<R>(),
        #[cfg(feature = "sockets")]
        Table::Files => files::rows::<R>(),
        #[cfg(not(feature = "sockets"))]
        Table::Files => Vec::new(),
    });
    rows
}

/// The rows of a runtime with workers, to which other threads hand tasks.
pub(crate) fn of_workers<R: Foreign>(table: Table, options: &Options) -> Vec<Row> {
    match table {
        Table::Spawns => spawns::rows::<R>(),
        _ => of_tasks::<R>(table, options),
    }
}

/// The rows of a runtime that only runs tasks.
pub(crate) fn of_tasks<R: Runtime>(table: Table, options: &Options) -> Vec<Row> {
    match table {
        Table::Memory => memory::rows::<R>(options),
        Table::Counts => counts::rows::<R>(),
        _ => Vec::new(),
    }
}

pub(crate) fn compare(table: Table, options: &Options) -> Result {
    if table == Table::Counts && !counts::possible() {
        eprintln!("compare: counts are left out: there is no valgrind here");
        return Ok(());
    }
    let mut options = options.clone();
    // It runs until the last row has been measured.
    let _server: Box<dyn Any> = match table {
        Table::Postgres => {
            let Some(server) = postgres::server() else {
                return Ok(());
            };
            options.port = server.port();
            Box::new(server)
        }
        #[cfg(feature = "sockets")]
        Table::Pages => {
            let server = pages::Server::start(&options)?;
            options.port = server.port();
            Box::new(server)
        }
        #[cfg(feature = "sockets")]
        Table::Files => {
            options.port = files::receive()?;
            Box::new(())
        }
        _ => Box::new(()),
    };
    let options = &options;
    if !options.json {
        println!("{}", report::conditions(options));
    }
    let names = names(table, options);
    if names.is_empty() {
        return Err(format!("{}: no row has such a name", table.name()).into());
    }
    for name in names {
        let Some((row, results)) = measure(table, &name, options)? else {
            continue;
        };
        if options.json {
            println!("{}", table::json(table.name(), &row, &results));
        } else {
            table::print(&row, &results);
        }
    }
    Ok(())
}

/// The rounds of one row, of all runtimes that have it.
fn measure(table: Table, name: &str, options: &Options) -> Result<Option<(Row, Vec<Figures>)>> {
    let mut found = None;
    let mut results = Vec::new();
    for contestant in options.contestants() {
        let mut rows = (contestant.rows)(table, options).into_iter();
        if let Some(row) = rows.find(|row| row.full_name() == name) {
            results.push(Figures::new(contestant.name));
            found.get_or_insert(row);
        }
    }
    let Some(row) = found else {
        return Ok(None);
    };
    for round in 0..options.rounds.min(row.rounds) {
        for index in order(round, results.len()) {
            let mut child = start(table, name, results[index].name, options)?;
            let figures = figures::parse(&child.line()?, &row.metrics())?;
            results[index].rounds.push(figures);
        }
    }
    Ok(Some((row, results)))
}

/// The names of the rows that are asked for, in the order of the table.
fn names(table: Table, options: &Options) -> Vec<String> {
    let asked = |name: &str| {
        let mut starts = options.rows.iter();
        options.rows.is_empty() || starts.any(|start| name.starts_with(&**start))
    };
    let mut names = Vec::new();
    for contestant in options.contestants() {
        for row in (contestant.rows)(table, options) {
            let name = row.full_name();
            if asked(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn start(table: Table, row: &str, runtime: &str, options: &Options) -> Result<Child> {
    let (workers, port) = (options.workers.to_string(), options.port.to_string());
    let mut arguments = vec!["row-child", "--rows", row, "--only", runtime];
    arguments.extend(["--workers", &workers, "--table", table.name()]);
    arguments.extend(["--port", &port]);
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
    let row = rows.find(|row| row.full_name() == *name);
    let row = row.ok_or_else(|| format!("{} has no row {name}", contestant.name))?;
    let what = format!("{name} on {}", contestant.name);
    let figures = within(LIMIT, &what, || (row.measure)(options))?;
    println!("{}", figures::line(&figures));
    process::exit(0);
}

/// Some rows prepare for tens of seconds, on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);
