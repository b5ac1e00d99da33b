//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::Result;
use crate::contestants::Contestant;
use crate::programs::Program;

pub(crate) const HELP: &str = "\
compare [programs]    the seven programs, nanoseconds per operation
compare http          plain-text HTTP with hyper, servers in child processes
compare memory        bytes of resident memory for each task that waits
compare idle          system calls of a process that only waits

--rounds N            alternating rounds (default 11)
--workers N           worker threads of each runtime (default 2)
--only a,b            only these runtimes, of executor, tokio, smol
--programs a,b        only these programs
--against REV         our programs, with the library of this commit against the library as it is
--connections 8,64    http: rounds for each of these numbers of connections (default 64)
--seconds N           http: length of a round (default 2)
--smoke               two short rounds, to see that it runs
--json                for programs: one JSON object per line, in place of the tables";

pub(crate) struct Options {
    pub(crate) command: Command,
    pub(crate) rounds: usize,
    pub(crate) workers: usize,
    pub(crate) programs: Vec<Program>,
    pub(crate) only: Vec<String>,
    pub(crate) against: Option<String>,
    pub(crate) connections: Vec<usize>,
    /// The length of a round of `http`.
    pub(crate) length: Duration,
    /// Where the server of a child process listens (0: the system chooses), and where the load goes to.
    pub(crate) port: u16,
    pub(crate) smoke: bool,
    pub(crate) json: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Programs,
    Http,
    Memory,
    Idle,
    Help,
    /// What the commands run in child processes.
    ServeChild,
    LoadChild,
    MemoryChild,
    IdleChild,
}

impl Options {
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut options = Self::default();
        let mut parser = Parser::from_iter(args);
        let (mut rounds, mut length) = (None, None);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Value(name) => options.command = command(&name.string()?)?,
                Arg::Short('h') | Arg::Long("help") => options.command = Command::Help,
                Arg::Long("rounds") => rounds = Some(parser.value()?.parse()?),
                Arg::Long("workers") => options.workers = parser.value()?.parse()?,
                Arg::Long("programs") => options.programs = list(&mut parser, program)?,
                Arg::Long("only") => {
                    options.only = list(&mut parser, |name| {
                        Contestant::named(name).map(|_| name.to_owned())
                    })?;
                }
                Arg::Long("against") => options.against = Some(parser.value()?.string()?),
                Arg::Long("connections") => {
                    options.connections = list(&mut parser, |n| Ok(n.parse()?))?;
                }
                Arg::Long("seconds") => {
                    length = Some(Duration::try_from_secs_f64(parser.value()?.parse()?)?);
                }
                Arg::Long("port") => options.port = parser.value()?.parse()?,
                Arg::Long("smoke") => options.smoke = true,
                Arg::Long("json") => options.json = true,
                other => return Err(other.unexpected().into()),
            }
        }
        options.rounds = rounds.unwrap_or(if options.smoke { 2 } else { 11 });
        if options.rounds == 0 {
            return Err("--rounds 0: nothing would be measured".into());
        }
        let usual = Duration::from_millis(if options.smoke { 200 } else { 2000 });
        options.length = length.unwrap_or(usual);
        Ok(options)
    }

    /// The runtimes asked for, ours first.
    pub(crate) fn contestants(&self) -> Vec<Contestant> {
        let asked = |name| self.only.is_empty() || self.only.iter().any(|only| only == name);
        Contestant::ALL
            .into_iter()
            .filter(|contestant| asked(contestant.name))
            .collect()
    }

    /// The one runtime that a child process is for.
    pub(crate) fn contestant(&self) -> Result<Contestant> {
        match &self.only[..] {
            [name] => Contestant::named(name),
            _ => Err("a child process is for one runtime: name it with --only".into()),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            command: Command::Programs,
            rounds: 11,
            workers: 2,
            programs: Program::ALL.to_vec(),
            only: Vec::new(),
            against: None,
            connections: vec![64],
            length: Duration::from_secs(2),
            port: 0,
            smoke: false,
            json: false,
        }
    }
}

fn command(name: &str) -> Result<Command> {
    Ok(match name {
        "programs" => Command::Programs,
        "http" => Command::Http,
        "memory" => Command::Memory,
        "idle" => Command::Idle,
        "help" => Command::Help,
        "serve-child" => Command::ServeChild,
        "load-child" => Command::LoadChild,
        "memory-child" => Command::MemoryChild,
        "idle-child" => Command::IdleChild,
        _ => return Err(format!("unknown command {name}: try --help").into()),
    })
}

fn program(name: &str) -> Result<Program> {
    let named = Program::ALL
        .into_iter()
        .find(|program| program.name() == name);
    named.ok_or_else(|| {
        let names = Program::ALL.map(Program::name).join(", ");
        format!("no program is called {name}: {names}").into()
    })
}

fn list<T>(parser: &mut Parser, item: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    parser.value()?.string()?.split(',').map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn without_arguments_all_programs_run_on_all_runtimes() {
        let options = parse("compare").unwrap();
        assert_eq!(options.command, Command::Programs);
        assert_eq!(options.programs, Program::ALL);
        assert_eq!(options.contestants().len(), 3);
        assert_eq!(options.rounds, 11);
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let options = parse("compare --programs fib,remote --only tokio,executor").unwrap();
        assert_eq!(options.programs, [Program::Fib, Program::Remote]);
        let names: Vec<_> = options.contestants().iter().map(|each| each.name).collect();
        assert_eq!(
            names,
            ["executor", "tokio"],
            "ours is first, however they are named"
        );
    }

    #[test]
    fn smoke_is_short_unless_told_otherwise() {
        assert_eq!(parse("compare --smoke").unwrap().rounds, 2);
        assert_eq!(parse("compare --rounds 5 --smoke").unwrap().rounds, 5);
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for line in [
            "compare fly",
            "compare --programs fly",
            "compare --only fly",
            "compare --rounds 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
