//! What our guard costs a server that is loaded and in no trouble: its thread's CPU time, and how often it wakes up.
//!
//! Read from outside, before and after each round of load, under `/proc/<pid>/task/<tid>`: `schedstat` has the time on a processor in
//! nanoseconds, `status` the voluntary context switches, each of which is a wake-up.

use std::fs;

use crate::Result;
use crate::cli::Options;
use crate::net::Server;
use crate::process::field;

/// A server on our runtime, and its guard's thread.
pub(super) struct Watched {
    server: Server,
    /// Its directory under `/proc`.
    guard: String,
}

impl Watched {
    /// Nothing, and a line that says so, if ours does not take part or has no thread of that name.
    pub(super) fn start(options: &Options) -> Result<Option<Self>> {
        let mut contestants = options.contestants().into_iter();
        let Some(ours) = contestants.find(|each| each.name == OURS && each.with_sockets.is_some())
        else {
            return Ok(None);
        };
        let mut server = Server::start(ours.name, options)?;
        let Some(guard) = thread_named(server.id(), GUARD)? else {
            eprintln!("guard: the server has no thread whose name ends in {GUARD}: not measured");
            return Ok(None);
        };
        // The warm-up.
        server.round(options.connections[0], options)?;
        Ok(Some(Self { server, guard }))
    }

    pub(super) fn round(&mut self, options: &Options) -> Result<Vec<f64>> {
        let before = Thread::read(&self.guard)?;
        let round = self.server.round(options.connections[0], options)?;
        let after = Thread::read(&self.guard)?;
        let cpu = (after.cpu - before.cpu) as f64 / 1e9;
        let wakeups = (after.switches - before.switches) as f64;
        // What it does while the load starts and ends counts, too.
        let seconds = options.length.as_secs_f64();
        let server_cpu = (round.used.user + round.used.system).as_secs_f64();
        Ok(vec![
            round.requests_per_second,
            100.0 * cpu / seconds,
            100.0 * cpu / server_cpu,
            wakeups / round.requests,
            wakeups / seconds,
        ])
    }
}

struct Thread {
    /// Nanoseconds.
    cpu: u64,
    switches: u64,
}

impl Thread {
    fn read(directory: &str) -> Result<Self> {
        let schedstat = fs::read_to_string(format!("{directory}/schedstat"))?;
        let cpu = schedstat.split(' ').next().unwrap_or_default().parse()?;
        let switches = field(&format!("{directory}/status"), "voluntary_ctxt_switches")?;
        Ok(Self { cpu, switches })
    }
}

/// The directory of the first thread whose name ends in `end`.
fn thread_named(process: u32, end: &str) -> Result<Option<String>> {
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let directory = thread?.path().to_string_lossy().into_owned();
        if fs::read_to_string(format!("{directory}/comm"))?
            .trim_end()
            .ends_with(end)
        {
            return Ok(Some(directory));
        }
    }
    Ok(None)
}

const OURS: &str = "executor";
/// How the name of the guard's thread ends.
const GUARD: &str = "-guard";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_found_by_the_end_of_its_name_and_has_counts() {
        std::thread::Builder::new()
            .name("some-watcher".to_owned())
            .spawn(|| {
                // The system adds up when a thread leaves its processor.
                std::thread::sleep(std::time::Duration::from_millis(1));
                let directory = thread_named(std::process::id(), "-watcher").unwrap();
                let thread = Thread::read(&directory.unwrap()).unwrap();
                assert!(thread.cpu > 0);
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(
            thread_named(std::process::id(), "-nobody")
                .unwrap()
                .is_none()
        );
    }
}
