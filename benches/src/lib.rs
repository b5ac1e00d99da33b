//! Our runtime and its peers behind one trait, and the command that compares them.
//!
//! ```text
//! peers        what a runtime must do to take part, and those that do
//! programs     the seven programs, generic over the runtime
//! contestants  the table of peers, where the generic parts become plain function pointers
//! rounds       samples of the programs in turn       ┐
//! net/         rounds of servers in turn             │
//! idle         system calls of a process that waits  │ each is one subcommand; they measure in
//! scaling/     the programs by the number of workers │ child processes
//! ledger/      what workers write that others do     │
//! stalls/      tasks that keep their thread          │
//! churn        runtimes that come and go             │
//! rows/        tables of single things: timers,      │
//!              spawns, blocking, memory, counts,     │
//!              a database, pages, files              ┘
//! suite/       all of these in child processes, and a page of what they printed
//! go/          the programs in Go, in a process of their own
//! apart        a runtime in another process that times the programs
//! soak/        our runtime under mixed load, the command `soak`
//! against      this source with another commit's library
//! http         hyper's server, which net loads
//! counting     an allocator that counts
//! stats, report, figures, process, threads, patience, random, cli
//!              what they share
//! ```

use std::ffi::OsString;
use std::process::ExitCode;

mod against;
mod apart;
mod churn;
mod cli;
mod contestants;
mod counting;
mod figures;
mod go;
mod http;
mod idle;
mod ledger;
mod net;
mod patience;
mod peers;
mod process;
mod programs;
mod random;
mod report;
mod rounds;
mod rows;
mod scaling;
#[cfg(feature = "sockets")]
pub mod soak;
mod stalls;
mod stats;
mod suite;
mod threads;

use cli::{Command, Options};
pub use counting::Counting;

/// Says on standard error why `program` has failed, if it has.
pub fn report_failure(program: &str, result: Result) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command line `args`, of which the first is the program's name.
///
/// # Errors
///
/// What is wrong with the command line, or what the system refused.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result {
    let options = Options::parse(args)?;
    match &options.command {
        Command::Programs if options.against.is_some() => against::compare(&options),
        Command::Programs => rounds::compare(&options),
        Command::Http | Command::Echo | Command::Connect | Command::Udp => net::compare(&options),
        Command::IdleConnections => net::compare_idle(&options),
        Command::Idle => idle::compare(&options),
        Command::Stalls => stalls::compare(&options),
        Command::Churn => churn::compare(&options),
        Command::Rows(table) => rows::compare(*table, &options),
        Command::Scaling => scaling::compare(&options),
        Command::Ledger => ledger::compare(&options),
        Command::Suite => suite::run(&options),
        Command::Help => {
            println!("{}", cli::HELP);
            Ok(())
        }
        Command::ServeChild => net::serve_child(&options),
        Command::LoadChild => net::load_child(&options),
        Command::IdleChild => idle::child(&options),
        Command::StallsChild => stalls::child(&options),
        Command::ProgramsChild => scaling::child(&options),
        Command::ChurnChild => churn::child(&options),
        Command::RowChild => rows::child(&options),
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;
