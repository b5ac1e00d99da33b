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
}

/// Who takes part where there is no hyper. The function runs the server until the standard input ends.
struct Contestant {
    name: &'static str,
    serve: fn(&Options, Protocol) -> Result,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::Hyper, Self::Raw];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Raw => "raw",
        }
    }

    /// What its lines of JSON say that they are of.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Hyper => "http",
            Self::Raw => "http-raw",
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Hyper | Self::Raw => "request",
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
    let protocol = match options.service {
        Service::Hyper => {
            let serve = options.contestant()?.sockets()?.serve;
            return serve(options.workers, options.port, options.stall_every);
        }
        Service::Raw => Protocol::Http,
    };
    let named = CONTESTANTS.iter().find(|each| options.only == [each.name]);
    (named
        .ok_or("a server is on one contestant: name it with --only")?
        .serve)(options, protocol)
}

const CONTESTANTS: &[Contestant] = &[
    #[cfg(feature = "sockets")]
    Contestant {
        name: "executor",
        serve: serve::streams::<Executor>,
    },
    Contestant {
        name: "tokio",
        serve: serve::streams::<Tokio>,
    },
    Contestant {
        name: "smol",
        serve: serve::streams::<SmolIo>,
    },
    Contestant {
        name: FLOOR,
        serve: floor::streams,
    },
];

/// Loops over mio without a runtime.
pub(crate) const FLOOR: &str = "mio";
