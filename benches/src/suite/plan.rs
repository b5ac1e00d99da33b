//! The table of sections: which command measures them, and how they are shown.

use std::path::PathBuf;

use crate::Result;
use crate::cli::Options;

/// A part of the page, measured by one command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(super) title: &'static str,
    /// What is measured, in Markdown.
    pub(super) about: &'static str,
    /// The command, and its arguments beside `--json` and `--workers`, in parts that several sections may have.
    arguments: &'static [&'static [&'static str]],
    /// Those of a quick run beside `--smoke`. They come last, so they win.
    quick: &'static [&'static str],
    /// Metrics that are drawn as curves, and the key of the lines that is the horizontal axis.
    pub(super) curves: &'static [Curve],
    /// The lines that have this number become rows of a table for each of their groups, with the first of their metrics.
    pub(super) rows: Option<&'static str>,
    /// It needs the build that counts what workers write.
    counts_writes: bool,
    /// The metrics of all lines are of one kind, so that they have a geometric mean.
    pub(super) mean: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Curve {
    pub(super) over: &'static str,
    pub(super) metric: &'static str,
}

/// What is drawn of HTTP.
const OF_HTTP: &[Curve] = &[
    Curve {
        over: "connections",
        metric: "requests/s",
    },
    Curve {
        over: "connections",
        metric: "user us/request",
    },
    Curve {
        over: "connections",
        metric: "p99 us",
    },
];

/// What sections at a fixed rate have in common: rounds so long that 100 answers are slower than p99.9, for those few whose tails are compared. Each takes less
/// than five minutes.
const AT_A_RATE: &[&str] = &[
    "--rate",
    "20000",
    "--rounds",
    "7",
    "--seconds",
    "5",
    "--only",
    "executor,tokio,smol,mio",
];
const OF_A_RATE_QUICKLY: &[&str] = &[
    "--rate",
    "1000",
    "--rounds",
    "1",
    "--seconds",
    "0.2",
    "--connections",
    "8",
];
/// A life of a server takes two seconds however short its rounds are.
const OF_SERVERS_QUICKLY: &[&str] = &["--rounds", "1", "--connections", "64", "--seconds", "0.2"];

impl Section {
    /// What most sections have.
    const BASE: Self = Self {
        name: "",
        title: "",
        about: "",
        arguments: &[],
        quick: &[],
        curves: &[],
        rows: None,
        counts_writes: false,
        mean: false,
    };

    pub(crate) const ALL: &[Self] = &[
        Self {
            name: "programs",
            title: "The seven programs",
            about: "Nanoseconds per operation of a scheduler alone; `self_wake_many` is beside the seven, and not in their mean. See \
                    [the programs](../../benches/README.md#the-seven-programs).",
            arguments: &[&["programs", "--rounds", "21"]],
            mean: true,
            ..Self::BASE
        },
        Self {
            name: "current-thread",
            title: "The seven programs on one thread",
            about: "The same on the flavour without workers. See [On one thread](../../benches/README.md#on-one-thread).",
            arguments: &[&["programs", "--flavour", "current-thread", "--rounds", "21"]],
            mean: true,
            ..Self::BASE
        },
        Self {
            name: "scaling",
            title: "From one worker to many",
            about: "The programs, and one whose tasks have a microsecond of work each, by the number of workers; on more workers than \
                    processors they take turns. The speed-up is the rate divided by that of one worker, the efficiency the rate divided \
                    by that of as many runtimes of one worker, side by side in one process. See \
                    [Scaling](../../benches/README.md#scaling).",
            arguments: &[&["scaling"]],
            quick: &["--up-to", "4", "--programs", "yield_many,fork_join"],
            curves: &[
                Curve {
                    over: "workers",
                    metric: "speed-up",
                },
                Curve {
                    over: "workers",
                    metric: "efficiency",
                },
            ],
            rows: Some("workers"),
            ..Self::BASE
        },
        Self {
            name: "http",
            title: "HTTP over hyper",
            about: "The same hyper server on both runtimes, over loopback, under a load that always has one request under way on each \
                    connection. See [HTTP](../../benches/README.md#http).",
            arguments: &[&[
                "http",
                "--rounds",
                "21",
                "--seconds",
                "1",
                "--connections",
                "1,8,64,512,4096",
            ]],
            quick: OF_SERVERS_QUICKLY,
            curves: OF_HTTP,
            ..Self::BASE
        },
        Self {
            name: "http-raw",
            title: "HTTP by hand",
            about: "The same without hyper. See [HTTP](../../benches/README.md#http).",
            arguments: &[&[
                "http",
                "--server",
                "raw",
                "--only",
                "executor,tokio",
                "--rounds",
                "21",
                "--seconds",
                "1",
                "--connections",
                "1,8,64,512,4096",
            ]],
            quick: OF_SERVERS_QUICKLY,
            curves: OF_HTTP,
            ..Self::BASE
        },
        Self {
            name: "http-floor",
            title: "HTTP by hand, and below it",
            about: "The same in fewer rounds, also on smol and on loops without a runtime: *mio*, and that with futures, with tasks, and with tasks whose \
                    sockets all threads share. See [HTTP](../../benches/README.md#http).",
            arguments: &[&[
                "http",
                "--server",
                "raw",
                "--rounds",
                "5",
                "--seconds",
                "1",
                "--connections",
                "1,8,64,512,4096",
            ]],
            quick: OF_SERVERS_QUICKLY,
            curves: OF_HTTP,
            ..Self::BASE
        },
        Self {
            name: "http-rate",
            title: "HTTP at a fixed rate",
            about: "20 000 requests a second whatever the server does, each of which counts from when it was due. See [HTTP](../../benches/README.md#http).",
            arguments: &[
                &["http", "--server", "raw", "--connections", "64"],
                AT_A_RATE,
            ],
            quick: OF_A_RATE_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "http-rate-512",
            title: "HTTP at a fixed rate, 512 connections",
            about: "The same on more connections, each of which is asked less often.",
            arguments: &[
                &["http", "--server", "raw", "--connections", "512"],
                AT_A_RATE,
            ],
            quick: OF_A_RATE_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "http-rate-hyper",
            title: "HTTP over hyper at a fixed rate",
            about: "The same with hyper.",
            arguments: &[
                &["http", "--server", "hyper", "--connections", "64"],
                AT_A_RATE,
                &["--only", "executor,tokio"],
            ],
            quick: OF_A_RATE_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "echo",
            title: "Echo over TCP",
            about: "64 bytes to and fro. See [Echo](../../benches/README.md#echo-connect-udp).",
            arguments: &[&[
                "echo",
                "--rounds",
                "7",
                "--seconds",
                "1",
                "--connections",
                "1,8,64,512,4096",
            ]],
            quick: OF_SERVERS_QUICKLY,
            curves: &[Curve {
                over: "connections",
                metric: "messages/s",
            }],
            ..Self::BASE
        },
        Self {
            name: "echo-rate",
            title: "Echo at a fixed rate",
            about: "20 000 messages a second whatever the server does. See [HTTP](../../benches/README.md#http).",
            arguments: &[&["echo", "--connections", "64"], AT_A_RATE],
            quick: OF_A_RATE_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "connect",
            title: "Connections that open and close",
            about: "With one message in between. See [Connect](../../benches/README.md#echo-connect-udp).",
            arguments: &[&["connect", "--rounds", "7", "--seconds", "1"]],
            quick: OF_SERVERS_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "udp",
            title: "Echo in datagrams",
            about: "One socket, which one task reads. See [UDP](../../benches/README.md#echo-connect-udp).",
            arguments: &[&["udp", "--rounds", "7", "--seconds", "1"]],
            quick: OF_SERVERS_QUICKLY,
            ..Self::BASE
        },
        Self {
            name: "idle-connections",
            title: "Connections that do nothing",
            about: "What each costs in memory, and the process in time. See [Idle connections](../../benches/README.md#idle-connections).",
            arguments: &[&["idle-connections", "--rounds", "3"]],
            ..Self::BASE
        },
        Self {
            name: "memory",
            title: "Memory of what waits",
            about: "By what a process grows, each in a process of its own. See [Memory](../../benches/README.md#memory).",
            arguments: &[&["memory", "--rounds", "3"]],
            ..Self::BASE
        },
        Self {
            name: "idle",
            title: "A process that only waits",
            about: "Counted from outside; all should be 0. See [Idle](../../benches/README.md#idle).",
            arguments: &[&["idle", "--rounds", "3"]],
            quick: &["--rounds", "1"],
            ..Self::BASE
        },
        Self {
            name: "timers",
            title: "Timers",
            about: "Those that never fire, as most of a server's do; those that fire all at once; and how late one is. Each row in processes of \
                    its own. See [Timers](../../benches/README.md#timers).",
            arguments: &[&["timers", "--rounds", "7"]],
            ..Self::BASE
        },
        Self {
            name: "spawns",
            title: "Spawns and wake-ups",
            about: "Parts of a scheduler, one at a time. See [Spawns](../../benches/README.md#spawns).",
            arguments: &[&["spawns", "--rounds", "11"]],
            curves: &[Curve {
                over: "threads",
                metric: "ns/op",
            }],
            rows: Some("threads"),
            ..Self::BASE
        },
        Self {
            name: "blocking",
            title: "Closures that may block",
            about: "What the way there and back costs. See [Blocking](../../benches/README.md#blocking).",
            arguments: &[&["blocking", "--rounds", "11"]],
            curves: &[Curve {
                over: "tasks",
                metric: "ns/op",
            }],
            rows: Some("tasks"),
            ..Self::BASE
        },
        Self {
            name: "postgres",
            title: "A database",
            about: "The driver tokio-postgres on both runtimes, with a server at the other end that shares the processors: what a row of a long \
                    answer takes, and a question with one row. See [PostgreSQL](../../benches/README.md#postgresql).",
            arguments: &[&["postgres", "--rounds", "11"]],
            ..Self::BASE
        },
        Self {
            name: "pages",
            title: "Pages",
            about: "200 pages that take 50 ms each, 50 at a time: our client, and reqwest with a semaphore on tokio. See \
                    [Pages](../../benches/README.md#pages).",
            arguments: &[&["pages", "--rounds", "11"]],
            ..Self::BASE
        },
        Self {
            name: "counts",
            title: "Instructions and allocations",
            about: "For single operations on one worker. See [Counts](../../benches/README.md#counts).",
            arguments: &[&["counts", "--rounds", "3"]],
            quick: &["--rounds", "1", "--rows", "chained"],
            ..Self::BASE
        },
        Self {
            name: "ledger",
            title: "Writes to lines that workers share",
            about: "Of ours, for each operation, counted by a build of its own. See [Ledger](../../benches/README.md#ledger).",
            arguments: &[&["ledger", "--rounds", "11"]],
            quick: &["--programs", "spawn_many"],
            counts_writes: true,
            ..Self::BASE
        },
    ];

    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        let named = Self::ALL.iter().find(|section| section.name == name);
        named.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|section| section.name).collect();
            format!("no section is called {name}: {}", names.join(", ")).into()
        })
    }

    /// The program that measures it: this one, or, for the ledger, the build that counts. Else why there is none.
    pub(super) fn program(&self, options: &Options) -> std::result::Result<PathBuf, String> {
        match &options.ledger_binary {
            _ if !self.counts_writes => std::env::current_exe().map_err(|error| error.to_string()),
            Some(program) => Ok(program.clone()),
            None => Err(
                "not counted: that needs another build of this program, see `--ledger-binary`"
                    .to_owned(),
            ),
        }
    }

    /// The arguments of the child process that measures it.
    pub(super) fn command(&self, options: &Options) -> Vec<String> {
        let mut arguments: Vec<String> = self
            .arguments
            .concat()
            .into_iter()
            .map(String::from)
            .collect();
        arguments.extend(["--workers".to_owned(), options.workers.to_string()]);
        arguments.push("--json".to_owned());
        if options.smoke {
            arguments.extend(["--smoke".to_owned(), "--rounds".to_owned(), "2".to_owned()]);
            arguments.extend(self.quick.iter().copied().map(String::from));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_section_is_there_twice() {
        let mut names: Vec<_> = Section::ALL.iter().map(|section| section.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    }

    #[test]
    fn the_ledger_needs_another_program() {
        let mut options = Options::default();
        let ledger = Section::named("ledger").unwrap();
        assert!(ledger.program(&options).is_err());
        options.ledger_binary = Some("counts".into());
        assert_eq!(ledger.program(&options), Ok("counts".into()));
        let this = std::env::current_exe().map_err(|error| error.to_string());
        let echo = Section::named("echo").unwrap();
        assert_eq!(echo.program(&options), this);
    }

    #[test]
    fn every_command_is_understood() {
        for section in Section::ALL {
            for smoke in [false, true] {
                let options = Options {
                    smoke,
                    ..Options::default()
                };
                let command = section.command(&options).into_iter().map(Into::into);
                let line = std::iter::once("compare".into()).chain(command);
                let parsed = Options::parse(line).unwrap();
                assert!(parsed.json && parsed.smoke == smoke, "{}", section.name);
            }
        }
    }
}
