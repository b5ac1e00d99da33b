//! What servers do, and who has such a server.

use crate::Result;
use crate::cli::Options;
use crate::net::conversation::Protocol;
#[cfg(feature = "sockets")]
use crate::peers::Executor;
use crate::peers::Tokio;

use super::wire::SmolIo;
use super::{floor, serve};

/// What a server and its load say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// HTTP/1.1 by hyper.
    Hyper,
    /// HTTP/1.1 by hand.
    Raw,
    /// Each message comes back.
    Echo,
    /// The same, and each message has a connection of its own.
    Connect,
    /// Each datagram comes back.
    Udp,
}

/// Who takes part where there is no hyper. The function runs the server until the standard input ends.
struct Contestant {
    name: &'static str,
    streams: fn(&Options, Protocol) -> Result,
    datagrams: fn(&Options) -> Result,
}

impl Service {
    pub(crate) const ALL: [Self; 5] =
        [Self::Hyper, Self::Raw, Self::Echo, Self::Connect, Self::Udp];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Raw => "raw",
            Self::Echo => "echo",
            Self::Connect => "connect",
            Self::Udp => "udp",
        }
    }

    /// What its lines of JSON say that they are of.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Hyper => "http",
            Self::Raw => "http-raw",
            Self::Echo | Self::Connect | Self::Udp => self.name(),
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Hyper | Self::Raw => "request",
            Self::Echo | Self::Udp => "message",
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
        let asked =
            |name: &&str| options.only.is_empty() || options.only.iter().any(|only| only == name);
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
    let named = CONTESTANTS.iter().find(|each| options.only == [each.name]);
    let contestant = named.ok_or("a server is on one contestant: name it with --only")?;
    match options.service {
        Service::Hyper | Service::Raw => (contestant.streams)(options, Protocol::Http),
        Service::Echo | Service::Connect => (contestant.streams)(options, Protocol::Echo),
        Service::Udp => (contestant.datagrams)(options),
    }
}

const CONTESTANTS: &[Contestant] = &[
    #[cfg(feature = "sockets")]
    Contestant {
        name: "executor",
        streams: serve::streams::<Executor>,
        datagrams: serve::datagrams::<Executor>,
    },
    Contestant {
        name: "tokio",
        streams: serve::streams::<Tokio>,
        datagrams: serve::datagrams::<Tokio>,
    },
    Contestant {
        name: "smol",
        streams: serve::streams::<SmolIo>,
        datagrams: serve::datagrams::<SmolIo>,
    },
    Contestant {
        name: FLOOR,
        streams: floor::streams,
        datagrams: floor::datagrams,
    },
];

/// Loops over mio without a runtime.
pub(crate) const FLOOR: &str = "mio";
