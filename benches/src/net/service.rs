//! What servers do, and who has such a server.

use crate::Result;
use crate::cli::Options;
use crate::net::conversation::Protocol;
#[cfg(feature = "sockets")]
use crate::peers::Executor;
use crate::peers::Tokio;

use super::serve::{ROOM, SMALL_ROOM};
use super::wire::SmolIo;
use super::{awaited, floor, serve, shared, tasks};

/// What a server and its load say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// HTTP/1.1 by hyper.
    Hyper,
    /// HTTP/1.1 by `executor::http`, with its limits on slow clients. Ours only.
    Limited,
    /// HTTP/1.1 by hand.
    Raw,
    /// Each message comes back.
    Echo,
    /// The same, and each message has a connection of its own.
    Connect,
    /// Each datagram comes back.
    Udp,
    /// Each message comes back, but hardly any is sent.
    Idle,
}

/// Who takes part where there is no hyper. The function runs the server until the standard input ends.
struct Contestant {
    name: &'static str,
    streams: fn(&Options, Protocol) -> Result,
    /// With small buffers.
    idle: fn(&Options, Protocol) -> Result,
    datagrams: fn(&Options) -> Result,
}

impl Service {
    pub(crate) const ALL: [Self; 7] = [
        Self::Hyper,
        Self::Limited,
        Self::Raw,
        Self::Echo,
        Self::Connect,
        Self::Udp,
        Self::Idle,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Limited => "limited",
            Self::Raw => "raw",
            Self::Echo => "echo",
            Self::Connect => "connect",
            Self::Udp => "udp",
            Self::Idle => "idle",
        }
    }

    /// What its lines of JSON say that they are of.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Hyper => "http",
            Self::Limited => "http-limited",
            Self::Raw => "http-raw",
            Self::Echo | Self::Connect | Self::Udp | Self::Idle => self.name(),
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Hyper | Self::Limited | Self::Raw => "request",
            Self::Echo | Self::Udp | Self::Idle => "message",
            Self::Connect => "connection",
        }
    }

    /// The names of those who have such a server, of those asked for, ours first.
    pub(super) fn contestants(self, options: &Options) -> Vec<&'static str> {
        if self == Self::Hyper {
            let with_sockets = |each: &crate::contestants::Contestant| each.with_sockets.is_some();
            let contestants = options.contestants().into_iter().filter(with_sockets);
            return contestants.map(|contestant| contestant.name).collect();
        }
        let asked = |name: &&str| match options.only.is_empty() {
            _ if self == Self::Limited => *name == "executor",
            true => self == Self::Raw || !FLOORS.contains(name),
            false => options.only.iter().any(|only| only == name),
        };
        CONTESTANTS
            .iter()
            .map(|each| each.name)
            .filter(asked)
            .collect()
    }
}

/// The child process: a server on the one runtime that `--only` names. It prints its port, and answers for its usage.
pub(crate) fn serve_child(options: &Options) -> Result {
    if options.service == Service::Hyper {
        let serve = options.contestant()?.sockets()?.serve;
        return serve(options.workers, options.port, options.stall_every);
    }
    #[cfg(feature = "sockets")]
    if options.service == Service::Limited {
        return crate::http::serve_with_limits(options.workers, options.port);
    }
    let named = CONTESTANTS.iter().find(|each| options.only == [each.name]);
    let contestant = named.ok_or("a server is on one contestant: name it with --only")?;
    match options.service {
        Service::Hyper | Service::Limited | Service::Raw => {
            (contestant.streams)(options, Protocol::Http)
        }
        Service::Echo | Service::Connect => (contestant.streams)(options, Protocol::Echo),
        Service::Udp => (contestant.datagrams)(options),
        Service::Idle => (contestant.idle)(options, Protocol::Echo),
    }
}

const CONTESTANTS: &[Contestant] = &[
    #[cfg(feature = "sockets")]
    Contestant {
        name: "executor",
        streams: serve::streams::<Executor, ROOM>,
        idle: serve::streams::<Executor, SMALL_ROOM>,
        datagrams: serve::datagrams::<Executor>,
    },
    Contestant {
        name: "tokio",
        streams: serve::streams::<Tokio, ROOM>,
        idle: serve::streams::<Tokio, SMALL_ROOM>,
        datagrams: serve::datagrams::<Tokio>,
    },
    Contestant {
        name: "smol",
        streams: serve::streams::<SmolIo, ROOM>,
        idle: serve::streams::<SmolIo, SMALL_ROOM>,
        datagrams: serve::datagrams::<SmolIo>,
    },
    Contestant {
        name: FLOOR,
        streams: floor::streams::<ROOM>,
        idle: floor::streams::<SMALL_ROOM>,
        datagrams: floor::datagrams,
    },
    Contestant {
        name: AWAITED,
        streams: awaited::streams::<ROOM>,
        idle: awaited::streams::<SMALL_ROOM>,
        datagrams: floor::datagrams,
    },
    Contestant {
        name: TASKS,
        streams: tasks::streams::<ROOM>,
        idle: tasks::streams::<SMALL_ROOM>,
        datagrams: floor::datagrams,
    },
    Contestant {
        name: SHARED,
        streams: shared::streams::<ROOM>,
        idle: shared::streams::<SMALL_ROOM>,
        datagrams: floor::datagrams,
    },
];

/// Loops over mio without a runtime.
pub(crate) const FLOOR: &str = "mio";

/// The same with a part of a runtime each: futures; tasks that others could wake and take; and sockets that all threads share. Only where they are asked for, or
/// what servers cost is looked at most closely.
pub(crate) const FLOORS: [&str; 3] = [AWAITED, TASKS, SHARED];

const AWAITED: &str = "mio-await";
const TASKS: &str = "mio-tasks";
const SHARED: &str = "mio-shared";
