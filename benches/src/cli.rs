//! The command line.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::Result;
use crate::contestants::{Contestant, Flavour};
use crate::go;
use crate::net::{FLOOR, FLOORS, Service};
use crate::programs::Program;
use crate::rows::Table;
use crate::scaling::processors;
use crate::stalls::Scenario;
use crate::suite::Section;

pub(crate) const HELP: &str = "\
compare [programs]    the seven programs, nanoseconds per operation
compare http          plain-text HTTP, servers in child processes
compare echo          64 bytes to and fro over TCP, servers without hyper
compare connect       connections that open, echo 64 bytes, close
compare udp           64 bytes to and fro in datagrams
compare memory        bytes of resident memory for each task that waits, sleeps, or reads from a connection
compare idle-connections
                      memory of connections that do nothing, and what their process does meanwhile
compare counts        instructions and allocations of single operations, with valgrind
compare idle          system calls of a process that only waits
compare stalls        tasks that keep their thread, and other hard times, each in child processes
compare timers        timers that are cancelled, reset, fire, and how late they are
compare spawns        spawns and wake-ups from other threads, bursts, trees and sets of tasks
compare blocking      closures on threads that may block
compare postgres      rows of a database by tokio-postgres, from a server that it starts
compare pages         200 pages of a server that takes 50 ms for each, 50 at a time
compare files         files to a socket, by sendfile and by copies; ours only
compare churn         memory, threads and descriptors of a process in which runtimes come and go
compare scaling       the programs at 1, 2, 4, .. workers, in a child process each
compare ledger        writes to lines that workers share, counted; the cost of such a line, and a model of many cores
compare suite         the others in turn, and a page of their figures with pictures

--rounds N            alternating rounds (default 11; stalls 5, churn, memory and idle-connections 3, idle 1)
--workers N           worker threads of each runtime (default: as many as processors; stalls 2)
--only a,b            only these runtimes, of executor, tokio, tokio-tuned, smol, executor-ct, tokio-ct; for programs also go, and mio, without a
                      runtime, and where servers have no hyper mio-await, mio-tasks and mio-shared, the same with a part of a runtime each
--flavour F           multi-thread, or current-thread: those whose names end in -ct, for programs and memory
--programs a,b        only these programs
--against REV         our programs, with the library of this commit against the library as it is
--connections 8,64    http: rounds for each of these numbers of connections (default 64)
                      echo, connect, udp: so many at a time (default 1,8,64,512; 64; 1,8,64);
                      idle-connections: if the system lets a process have so many (default 19000)
--server raw|hyper    http: by hand, or by hyper, which needs more than smol and mio have here (default hyper)
--rate N              http, echo, connect: so many requests a second in all, each of which counts from when it was due
--seconds N           http, echo, connect, udp, stalls: length of a round (default 2; stalls 10)
--stall-every N       http: every Nth request blocks its thread for 20 ms
--scenarios a,b       stalls: only these, of blocking, spinning, first-blocked, first-spinning, long-polls, http, guard, slow-heads, accept,
                      pinned-spawns, spawns
--spawns N            stalls: so many single spawns (default 10000)
--rows a,b            timers, spawns, blocking, memory, counts, postgres, pages, files: only rows whose names begin so
--runtimes N          churn: so many runtimes (default 1000)
--up-to N             scaling: the most workers (default 64, or twice the processors if that is more; smoke 4)
--sections a,b        suite: only these
--out DIR             suite: where the page goes (default docs/benchmarks)
--ledger-binary PATH  suite: this program as it was built with --cfg executor_ledger, for the section ledger
--merge               suite: sections that are not measured stay as they are in DIR
--redraw              suite: the page anew, from the figures in DIR
--smoke, --quick      two short rounds, to see that it runs
--json                one JSON object per line, in place of the tables";

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) command: Command,
    pub(crate) rounds: usize,
    pub(crate) workers: usize,
    pub(crate) programs: Vec<Program>,
    pub(crate) only: Vec<String>,
    /// Of the runtimes, if they are not named.
    pub(crate) flavour: Flavour,
    pub(crate) against: Option<String>,
    pub(crate) connections: Vec<usize>,
    pub(crate) service: Service,
    /// Questions a second, whatever the server does. Else each connection asks as soon as it has an answer.
    pub(crate) rate: Option<f64>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) spawns: usize,
    pub(crate) runtimes: usize,
    /// How often a child process of `counts` does what is counted.
    pub(crate) repeats: Option<u32>,
    /// Beginnings of names. A child process is for one row.
    pub(crate) rows: Vec<String>,
    /// Which a child process' row is in.
    pub(crate) table: Table,
    /// In the server of `http`, every so-manieth request keeps its thread.
    pub(crate) stall_every: Option<u64>,
    /// The length of a round of `http` and `stalls`.
    pub(crate) length: Duration,
    /// Where the server of a child process listens (0: the system chooses), and where the load goes to; where the database is.
    pub(crate) port: u16,
    /// The most workers in `scaling`, and how many runtimes stand side by side in its child.
    pub(crate) up_to: usize,
    pub(crate) copies: usize,
    /// The parts of `suite`, all if there are none, and its directory.
    pub(crate) sections: Vec<&'static Section>,
    pub(crate) out: PathBuf,
    /// A build that counts what workers write.
    pub(crate) ledger_binary: Option<PathBuf>,
    /// What other sections came to before is kept.
    pub(crate) merge: bool,
    pub(crate) redraw: bool,
    pub(crate) smoke: bool,
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Programs,
    Http,
    Echo,
    Connect,
    Udp,
    IdleConnections,
    Idle,
    Stalls,
    Churn,
    Rows(Table),
    Scaling,
    Ledger,
    Suite,
    Help,
    /// What the commands run in child processes.
    ServeChild,
    LoadChild,
    IdleChild,
    StallsChild,
    ChurnChild,
    RowChild,
    ProgramsChild,
}

impl Options {
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut options = Self::default();
        let mut parser = Parser::from_iter(args);
        let (mut rounds, mut length, mut spawns) = (None, None, None);
        let (mut programs, mut up_to, mut workers) = (None, None, None);
        let mut connections = None;
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Value(name) => options.command = command(&name.string()?)?,
                Arg::Short('h') | Arg::Long("help") => options.command = Command::Help,
                Arg::Long("rounds") => rounds = Some(parser.value()?.parse()?),
                Arg::Long("workers") => workers = Some(parser.value()?.parse()?),
                Arg::Long("programs") => programs = Some(list(&mut parser, Program::named)?),
                Arg::Long("only") => {
                    options.only = list(&mut parser, |name| match name {
                        go::NAME | FLOOR => Ok(name.to_owned()),
                        _ if FLOORS.contains(&name) => Ok(name.to_owned()),
                        _ => Contestant::named(name).map(|_| name.to_owned()),
                    })?;
                }
                Arg::Long("flavour") => options.flavour = flavour(&parser.value()?.string()?)?,
                Arg::Long("against") => options.against = Some(parser.value()?.string()?),
                Arg::Long("connections") => {
                    connections = Some(list(&mut parser, |n| Ok(n.parse()?))?);
                }
                Arg::Long("server") => options.service = service(&parser.value()?.string()?)?,
                Arg::Long("rate") => options.rate = Some(rate(&parser.value()?.string()?)?),
                Arg::Long("seconds") => {
                    length = Some(Duration::try_from_secs_f64(parser.value()?.parse()?)?);
                }
                Arg::Long("stall-every") => {
                    options.stall_every = Some(parser.value()?.parse::<NonZeroU64>()?.get());
                }
                Arg::Long("scenarios") => options.scenarios = list(&mut parser, scenario)?,
                Arg::Long("repeats") => options.repeats = Some(parser.value()?.parse()?),
                Arg::Long("rows") => options.rows = list(&mut parser, |name| Ok(name.to_owned()))?,
                Arg::Long("table") => options.table = table(&parser.value()?.string()?)?,
                Arg::Long("runtimes") => options.runtimes = parser.value()?.parse()?,
                Arg::Long("spawns") => spawns = Some(parser.value()?.parse()?),
                Arg::Long("port") => options.port = parser.value()?.parse()?,
                Arg::Long("up-to") => up_to = Some(parser.value()?.parse()?),
                Arg::Long("copies") => options.copies = parser.value()?.parse()?,
                Arg::Long("sections") => options.sections = list(&mut parser, Section::named)?,
                Arg::Long("out") => options.out = parser.value()?.into(),
                Arg::Long("ledger-binary") => {
                    options.ledger_binary = Some(parser.value()?.into());
                }
                Arg::Long("merge") => options.merge = true,
                Arg::Long("redraw") => options.redraw = true,
                Arg::Long("smoke" | "quick") => options.smoke = true,
                Arg::Long("json") => options.json = true,
                other => return Err(other.unexpected().into()),
            }
        }
        // Where the command itself does not say: for its child processes, and for `http`.
        options.service = match options.command {
            Command::Echo => Service::Echo,
            Command::Connect => Service::Connect,
            Command::Udp => Service::Udp,
            Command::IdleConnections => Service::Idle,
            _ => options.service,
        };
        if options.service == Service::Udp && options.rate.is_some() {
            return Err("--rate: a datagram that is lost would never be answered".into());
        }
        options.connections = connections.unwrap_or_else(|| match options.command {
            Command::Echo => vec![1, 8, 64, 512],
            Command::Udp => vec![1, 8, 64],
            Command::IdleConnections if options.smoke => vec![200],
            Command::IdleConnections => vec![19_000],
            _ => options.connections,
        });
        let (usual_rounds, usual_length) = match options.command {
            _ if options.smoke => (2, Duration::from_millis(200)),
            Command::Stalls => (5, Duration::from_secs(10)),
            Command::Churn | Command::Rows(Table::Memory) | Command::IdleConnections => {
                (3, Duration::ZERO)
            }
            Command::Idle => (1, Duration::ZERO),
            _ => (11, Duration::from_secs(2)),
        };
        options.rounds = rounds.unwrap_or(usual_rounds);
        options.workers = workers.unwrap_or(match options.command {
            // Their trouble is for two: as many tasks keep their thread whatever the machine.
            Command::Stalls | Command::StallsChild => 2,
            _ => processors(),
        });
        options.up_to = up_to.unwrap_or(match options.smoke {
            true => 4,
            // Beyond the processors, too.
            false => 64.max(2 * processors()),
        });
        if options.rounds == 0 || options.up_to == 0 {
            return Err("0 rounds, or up to 0 workers: nothing would be measured".into());
        }
        options.programs = programs.unwrap_or(match options.command {
            Command::Scaling => Program::AND_WORK.to_vec(),
            Command::Programs => Program::AND_SELF_WAKE.to_vec(),
            _ => Program::SEVEN.to_vec(),
        });
        options.length = length.unwrap_or(usual_length);
        options.spawns = spawns.unwrap_or(if options.smoke { 200 } else { 10_000 });
        Ok(options)
    }

    /// The runtimes asked for, ours first.
    pub(crate) fn contestants(&self) -> Vec<Contestant> {
        let all = self.command == Command::Rows(Table::Spawns);
        let asked = |contestant: &Contestant| match &self.only[..] {
            [] => contestant.flavour == self.flavour && (all || !contestant.seldom),
            only => only.iter().any(|name| name == contestant.name),
        };
        Contestant::ALL.into_iter().filter(asked).collect()
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
            workers: processors(),
            programs: Program::AND_SELF_WAKE.to_vec(),
            only: Vec::new(),
            flavour: Flavour::MultiThread,
            against: None,
            connections: vec![64],
            service: Service::Hyper,
            rate: None,
            scenarios: Scenario::ALL.to_vec(),
            spawns: 10_000,
            runtimes: 1000,
            repeats: None,
            rows: Vec::new(),
            table: Table::ALL[0],
            stall_every: None,
            length: Duration::from_secs(2),
            port: 0,
            up_to: 64,
            copies: 1,
            sections: Vec::new(),
            out: "docs/benchmarks".into(),
            ledger_binary: None,
            merge: false,
            redraw: false,
            smoke: false,
            json: false,
        }
    }
}

fn command(name: &str) -> Result<Command> {
    Ok(match name {
        "programs" => Command::Programs,
        "http" => Command::Http,
        "echo" => Command::Echo,
        "connect" => Command::Connect,
        "udp" => Command::Udp,
        "idle-connections" => Command::IdleConnections,
        "idle" => Command::Idle,
        "stalls" => Command::Stalls,
        "churn" => Command::Churn,
        "scaling" => Command::Scaling,
        "ledger" => Command::Ledger,
        "suite" => Command::Suite,
        "help" => Command::Help,
        "serve-child" => Command::ServeChild,
        "load-child" => Command::LoadChild,
        "idle-child" => Command::IdleChild,
        "stalls-child" => Command::StallsChild,
        "churn-child" => Command::ChurnChild,
        "row-child" => Command::RowChild,
        "programs-child" => Command::ProgramsChild,
        _ => Command::Rows(table(name).map_err(|_| format!("unknown command {name}: try --help"))?),
    })
}

fn table(name: &str) -> Result<Table> {
    let named = Table::ALL.into_iter().find(|table| table.name() == name);
    named.ok_or_else(|| format!("no table is called {name}").into())
}

fn flavour(name: &str) -> Result<Flavour> {
    match name {
        "multi-thread" => Ok(Flavour::MultiThread),
        "current-thread" => Ok(Flavour::CurrentThread),
        _ => Err(format!("no flavour is called {name}: multi-thread, current-thread").into()),
    }
}

fn scenario(name: &str) -> Result<Scenario> {
    let named = Scenario::ALL
        .into_iter()
        .find(|scenario| scenario.name() == name);
    named.ok_or_else(|| {
        let names = Scenario::ALL.map(Scenario::name).join(", ");
        format!("no scenario is called {name}: {names}").into()
    })
}

fn rate(value: &str) -> Result<f64> {
    let rate: f64 = value.parse()?;
    match rate.is_finite() && rate > 0.0 {
        true => Ok(rate),
        false => Err(format!("--rate {value}: nothing would be asked").into()),
    }
}

fn service(name: &str) -> Result<Service> {
    let named = Service::ALL
        .into_iter()
        .find(|service| service.name() == name);
    named.ok_or_else(|| {
        let names = Service::ALL.map(Service::name).join(", ");
        format!("no server is called {name}: {names}").into()
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
        assert_eq!(options.programs, Program::AND_SELF_WAKE);
        assert_eq!(
            options.contestants().len(),
            3 + usize::from(cfg!(tokio_unstable))
        );
        assert_eq!(options.rounds, 11);
    }

    #[test]
    fn there_are_as_many_workers_as_processors() {
        let workers = |line| parse(line).unwrap().workers;
        assert_eq!(workers("compare"), processors());
        assert_eq!(workers("compare stalls"), 2);
        assert_eq!(workers("compare stalls --workers 3"), 3);
        assert!(parse("compare scaling").unwrap().up_to >= 2 * processors());
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
    fn runtimes_that_are_not_named_are_those_of_the_flavour() {
        let names = |line| -> Vec<_> {
            let options = parse(line).unwrap();
            options.contestants().iter().map(|each| each.name).collect()
        };
        assert_eq!(
            names("compare --flavour current-thread"),
            ["executor-ct", "tokio-ct"]
        );
        let seldom = |line| names(line).contains(&"tokio-tuned");
        assert!(seldom("compare spawns"), "where its settings matter");
        assert!(seldom("compare http --only tokio-tuned"));
        assert!(!seldom("compare http"));
        assert_eq!(
            names("compare --only tokio-ct,executor"),
            ["executor", "tokio-ct"]
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
            "compare --flavour fly",
            "compare --only fly",
            "compare stalls --scenarios fly",
            "compare http --server fly",
            "compare http --stall-every 0",
            "compare http --rate 0",
            "compare udp --rate 1000",
            "compare --rounds 0",
            "compare scaling --up-to 0",
            "compare suite --sections fly",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
