//! The command line of `soak`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexopt::{Arg, Parser, ValueExt};

use crate::Result;

pub(super) const HELP: &str = "\
soak    mixed load with random kills; fails if something gets lost, stays behind, or grows

--minutes N    how long (default 30)
--seconds N    the same in seconds; shorter than 20 minutes, growth is reported but not judged
--seed N       repeats the random numbers of a run, which are printed first (default: by the clock)
--workers N    worker threads (default 2)";

pub(super) struct Options {
    pub(super) length: Duration,
    pub(super) seed: u64,
    pub(super) workers: usize,
    pub(super) help: bool,
    /// In a client process: the server.
    pub(super) client: Option<SocketAddr>,
}

impl Options {
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let mut options = Self {
            length: Duration::from_secs(30 * 60),
            // Short enough to be typed.
            seed: u64::from(clock.subsec_nanos()),
            workers: 2,
            help: false,
            client: None,
        };
        let mut parser = Parser::from_iter(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => options.help = true,
                Arg::Long("minutes") => options.length = length(&mut parser, 60.0)?,
                Arg::Long("seconds") => options.length = length(&mut parser, 1.0)?,
                Arg::Long("seed") => options.seed = parser.value()?.parse()?,
                Arg::Long("workers") => options.workers = parser.value()?.parse()?,
                Arg::Long("client-of") => options.client = Some(parser.value()?.parse()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }

    /// Too short to tell growth from warming up.
    pub(super) fn short(&self) -> bool {
        self.length < Duration::from_secs(20 * 60)
    }
}

fn length(parser: &mut Parser, unit: f64) -> Result<Duration> {
    let number: f64 = parser.value()?.parse()?;
    Ok(Duration::try_from_secs_f64(number * unit)?)
}
