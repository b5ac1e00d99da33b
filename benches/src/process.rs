//! Child processes, mostly of this same program, and what the system tells of them.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::mem::MaybeUninit;
use std::process::{self, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use crate::Result;

/// A child process with which lines are exchanged. It is killed when this is dropped.
pub(crate) struct Child {
    process: process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Runs this program with other arguments.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        Self::of(process::Command::new(std::env::current_exe()?).args(arguments))
    }

    /// Runs another program.
    pub(crate) fn of(command: &mut process::Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().expect("it is a pipe");
        let output = BufReader::new(process.stdout.take().expect("it is a pipe"));
        Ok(Self {
            process,
            input,
            output,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Gives the child a line to read.
    pub(crate) fn tell(&mut self, line: &str) -> Result {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// The next line that the child prints.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("the child process ended: {}", self.process.wait()?).into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// What a child that runs [`answer_usage`] has used so far.
    pub(crate) fn usage(&mut self) -> Result<Usage> {
        self.tell("")?;
        Usage::parse(&self.line()?).ok_or_else(|| "the child's answer is no usage".into())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers each line of the standard input with this process' [`Usage`], and returns at its end: when the parent is gone. The thread
/// that does so sleeps in between, and takes no part in anything.
pub(crate) fn answer_usage() -> Result {
    for line in io::stdin().lines() {
        line?;
        println!("{}", Usage::of_this_process()?);
    }
    Ok(())
}

/// What all threads of a process together have used since its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// How often a thread went to sleep.
    pub(crate) voluntary_switches: u64,
}

impl Usage {
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            voluntary_switches: self.voluntary_switches - earlier.voluntary_switches,
        }
    }

    pub(crate) fn of_this_process() -> Result<Self> {
        let mut usage = MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the pointer is to a live local of the type that the call fills.
        if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
        // SAFETY: the call has succeeded, so it has filled all of it.
        let usage = unsafe { usage.assume_init() };
        Ok(Self {
            user: duration(usage.ru_utime),
            system: duration(usage.ru_stime),
            voluntary_switches: usage.ru_nvcsw.try_into()?,
        })
    }

    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split(' ').map(|number| number.parse::<u64>().ok());
        Some(Self {
            user: Duration::from_micros(numbers.next()??),
            system: Duration::from_micros(numbers.next()??),
            voluntary_switches: numbers.next()??,
        })
    }
}

/// As one line: the times in microseconds, then the switches.
impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.user.as_micros(),
            self.system.as_micros(),
            self.voluntary_switches
        )
    }
}

/// The number after `key:` in a file of lines `key: number`, as there are many under `/proc`.
pub(crate) fn field(path: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("{path} has no number {key}").into())
}

/// From now on this process may open as many descriptors as the system lets it.
pub(crate) fn more_descriptors() -> io::Result<libc::rlim_t> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a live local of the type that the call fills.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a live local of the type that the call reads.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
        0 => Ok(limit.rlim_cur),
        _ => Err(io::Error::last_os_error()),
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_micros(time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_survives_its_line() {
        let usage = Usage::of_this_process().unwrap();
        // Less than a microsecond is lost, and was not there.
        assert_eq!(Usage::parse(&usage.to_string()), Some(usage));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let threads = field("/proc/self/status", "Threads").unwrap();
        assert!(threads >= 1);
        assert!(field("/proc/self/status", "Thread").is_err());
    }
}
