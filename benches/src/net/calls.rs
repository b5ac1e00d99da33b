//! The system calls of a server, counted by perf.
//!
//! perf has the kernel count at its tracepoint for system calls. strace would stop the server at each of them; then whoever looks for events
//! now and then *by the clock*, as our workers do, looks more often for each request than it does in earnest. Still, what the kernel does at
//! the tracepoint takes time, so the round that is counted is one of its own.
//!
//! ```text
//!   perf stat -p <server> -e <all calls> -e <one call> ..
//! ```

use super::perf::Perf;
use crate::Result;

/// How often system calls were made, for each request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calls {
    pub(super) all: f64,
    /// Of those in [`NAMED`].
    each: Vec<f64>,
}

impl Calls {
    /// Those made once in 1000 requests or more often, the most frequent first.
    pub(super) fn each(&self) -> Vec<(&'static str, f64)> {
        let named = NAMED.iter().map(|(name, _)| *name);
        let others = self.all - self.each.iter().sum::<f64>();
        let counts = named.zip(self.each.iter().copied());
        let mut counts: Vec<_> = counts
            .chain([("others", others)])
            .filter(|(_, count)| *count >= 0.001)
            .collect();
        counts.sort_by(|one, other| other.1.total_cmp(&one.1));
        counts
    }

    pub(super) fn divided(self, requests: f64) -> Self {
        Self {
            all: self.all / requests,
            each: self.each.iter().map(|count| count / requests).collect(),
        }
    }

    /// What perf prints: a line for each event, in their order, whose first cell is the count.
    fn parse(lines: &str) -> Result<Self> {
        let counts = lines.lines().filter(|line| line.contains(EVENT));
        let count = |line: &str| line.split(',').next().and_then(|cell| cell.parse().ok());
        let counts: Option<Vec<f64>> = counts.map(count).collect();
        match counts.as_deref() {
            Some([all, each @ ..]) if each.len() == NAMED.len() => Ok(Self {
                all: *all,
                each: each.to_vec(),
            }),
            _ => Err(format!("perf does not count: {}", lines.trim_end()).into()),
        }
    }
}

/// A perf that counts.
pub(super) struct Counter(Perf);

impl Counter {
    /// Counts from before this returns.
    pub(super) fn start(process: u32) -> Result<Self> {
        let process = process.to_string();
        let filters: Vec<_> = NAMED
            .iter()
            .map(|(_, number)| format!("id=={number}"))
            .collect();
        let all = ["stat", "-x", ",", "-p", &process, "-e", EVENT];
        let named = filters
            .iter()
            .flat_map(|filter| ["-e", EVENT, "--filter", filter]);
        Ok(Self(Perf::start(all.into_iter().chain(named))?))
    }

    pub(super) fn finish(self) -> Result<Calls> {
        let output = self.0.finish()?;
        Calls::parse(&String::from_utf8_lossy(&output.stderr))
    }
}

/// Passed by each system call on its way into the kernel.
const EVENT: &str = "raw_syscalls:sys_enter";

/// Those that are counted by name.
const NAMED: &[(&str, libc::c_long)] = &[
    ("recvfrom", libc::SYS_recvfrom),
    ("sendto", libc::SYS_sendto),
    ("sendmsg", libc::SYS_sendmsg),
    ("writev", libc::SYS_writev),
    ("read", libc::SYS_read),
    ("write", libc::SYS_write),
    #[cfg(target_arch = "x86_64")]
    ("epoll_wait", libc::SYS_epoll_wait),
    ("epoll_pwait", libc::SYS_epoll_pwait),
    ("epoll_pwait2", libc::SYS_epoll_pwait2),
    ("epoll_ctl", libc::SYS_epoll_ctl),
    ("timerfd_settime", libc::SYS_timerfd_settime),
    ("futex", libc::SYS_futex),
    ("accept4", libc::SYS_accept4),
    ("setsockopt", libc::SYS_setsockopt),
    ("close", libc::SYS_close),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_perf_are_taken_in_their_order() {
        let row = |count: usize| format!("{count},,{EVENT},619861667,100.00,,\n");
        let rows: String = (1..=NAMED.len()).map(|index| row(index * 10)).collect();
        let lines = format!("\n{}{rows}", row(5000));
        let calls = Calls::parse(&lines).unwrap().divided(10.0);
        assert_eq!(calls.all, 500.0);
        assert_eq!(calls.each[..2], [1.0, 2.0]);
        assert_eq!(calls.each()[0], ("others", 380.0), "what has no name here");
        assert_eq!(calls.each()[1], ("close", 15.0), "then the most frequent");
    }

    #[test]
    fn what_was_not_counted_is_an_error() {
        let lines = format!("<not counted>,,{EVENT},0,0.00,,\n").repeat(1 + NAMED.len());
        assert!(Calls::parse(&lines).is_err());
        assert!(Calls::parse("").is_err());
    }

    #[test]
    fn what_cannot_be_counted_is_an_error() {
        // Whether perf is there or not.
        assert!(Counter::start(u32::MAX / 2).is_err());
    }
}
