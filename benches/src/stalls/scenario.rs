//! The scenarios: their names, and what is measured in each.

use super::ticker::Beside;
use crate::cli::Options;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Blocking,
    Spinning,
    FirstBlocked,
    FirstSpinning,
    LongPolls,
    Http,
    Guard,
    SlowHeads,
    Accept,
    PinnedSpawns,
    Spawns,
}

impl Scenario {
    pub(crate) const ALL: [Self; 11] = [
        Self::Blocking,
        Self::Spinning,
        Self::FirstBlocked,
        Self::FirstSpinning,
        Self::LongPolls,
        Self::Http,
        Self::Guard,
        Self::SlowHeads,
        Self::Accept,
        Self::PinnedSpawns,
        Self::Spawns,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Spinning => "spinning",
            Self::FirstBlocked => "first-blocked",
            Self::FirstSpinning => "first-spinning",
            Self::LongPolls => "long-polls",
            Self::Http => "http",
            Self::Guard => "guard",
            Self::SlowHeads => "slow-heads",
            Self::Accept => "accept",
            Self::PinnedSpawns => "pinned-spawns",
            Self::Spawns => "spawns",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Blocking => "1 ms ticker beside 4 tasks that block their thread 20 ms at a time",
            Self::Spinning => "1 ms ticker beside 4 tasks that spin for ever",
            Self::FirstBlocked => {
                "all workers block for ever, in a new process: when I/O and timers go on"
            }
            Self::FirstSpinning => {
                "all workers spin for ever, in a new process: when I/O and timers go on"
            }
            Self::LongPolls => "echo beside one task in polls of 2 ms for ever",
            Self::Http => "HTTP while every 400th request blocks its thread for 20 ms",
            Self::Guard => "the guard of an HTTP server that is loaded and in no trouble",
            Self::SlowHeads => "our HTTP server beside 2000 clients whose heads never end",
            Self::Accept => {
                "more connections than 64 descriptors, and a loop that accepts for ever"
            }
            Self::PinnedSpawns => {
                "single spawns from a foreign thread, all on one core beside 4 busy threads"
            }
            Self::Spawns => "single spawns from a foreign thread",
        }
    }

    pub(super) fn metrics(self) -> &'static [&'static str] {
        match self {
            Self::Blocking | Self::Spinning => &[
                "worst interval in 1st second, ms",
                "p50 interval, ms",
                "p99 interval, ms",
                "p99.9 interval, ms",
                "max interval, ms",
                "ticks/s",
            ],
            Self::FirstBlocked | Self::FirstSpinning => &[
                "I/O goes on after, ms",
                "timers go on after, ms",
                "2nd stall after 1st, ms",
            ],
            Self::LongPolls => &[
                "p50 latency, ms",
                "p99 latency, ms",
                "p99.9 latency, ms",
                "max latency, ms",
                "polls of 2 ms/s",
            ],
            // The table of `compare http`.
            Self::Http => &[],
            Self::Guard => &[
                "requests/s",
                "guard: % of one processor",
                "guard: % of the server's CPU",
                "guard: wake-ups/request",
                "guard: wake-ups/s",
            ],
            Self::SlowHeads => &[
                "p99 alone, us",
                "p99 beside them, us",
                "p99 beside ÷ alone",
                "requests/s alone",
                "requests/s beside them",
            ],
            Self::Accept => &[
                "connections accepted",
                "CPU % during the flood",
                "worst echo during the flood, ms",
                "accepts again after, ms",
                "all 10 are accepted after, ms",
            ],
            Self::PinnedSpawns | Self::Spawns => &[
                "lost",
                "later than 100 ms",
                "p50, us",
                "p99.9, us",
                "worst, ms",
            ],
        }
    }

    /// A first stall needs a new process for each sample, so there are many of them.
    pub(super) fn rounds(self, options: &Options) -> usize {
        match self {
            Self::FirstBlocked | Self::FirstSpinning if !options.smoke => FRESH_PROCESSES,
            _ => options.rounds,
        }
    }

    /// What the ticker that is measured is beside of.
    pub(super) fn beside(self) -> Option<Beside> {
        match self {
            Self::Blocking => Some(Beside::Blocking),
            Self::Spinning => Some(Beside::Spinning),
            _ => None,
        }
    }
}

const FRESH_PROCESSES: usize = 20;
