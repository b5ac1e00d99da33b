//! `Stall`: what the user is told of a poll that does not end, while it does not.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::running::Polled;
use crate::task::Id;

/// A worker thread that has been held by one poll for longer than [`Builder::stall_threshold`](crate::runtime::Builder::stall_threshold).
///
/// Given to the function of [`Builder::on_stall`](crate::runtime::Builder::on_stall) while the poll still lasts.
#[derive(Clone, Debug)]
pub struct Stall {
    /// `None`: what holds the thread is no task.
    pub(super) polled: Option<Polled>,
    pub(super) elapsed: Duration,
    pub(super) activity: ThreadActivity,
    pub(super) sleeps_in: Option<String>,
    pub(super) tid: u32,
    pub(super) backtrace: Option<String>,
    /// Of which seat it is, and which poll there.
    pub(super) poll: (usize, u64),
}

/// What the system says a thread does that is held by one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadActivity {
    /// It sleeps in the system: a lock, a read, a sleep.
    Blocked,
    /// It runs on a processor most of the time.
    Computing,
    /// The system does not tell: it is not Linux, or `/proc` is not there.
    Unknown,
}

/// How stalls are told of.
#[derive(Clone, Debug)]
pub(crate) struct StallConfig {
    pub(crate) threshold: Duration,
    pub(crate) hook: StallHook,
    /// Threads are asked where they are.
    pub(crate) backtraces: bool,
}

/// The user's function.
#[derive(Clone)]
pub(crate) struct StallHook(Arc<dyn Fn(&Stall) + Send + Sync>);

impl StallHook {
    pub(crate) fn new(f: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }

    pub(super) fn call(&self, stall: &Stall) {
        (self.0)(stall);
    }
}

impl Stall {
    /// The task that is being polled. `None`: the thread is in a waker, or in a hook, or a task has begun this very moment.
    pub fn task_id(&self) -> Option<Id> {
        self.polled.as_ref().map(|polled| polled.id)
    }

    /// The task's name, if it was given one by [`task::Builder`](crate::task::Builder). Names of more than 64 bytes are cut there.
    pub fn task_name(&self) -> Option<&str> {
        self.polled.as_ref()?.name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.polled.as_ref().map(|polled| polled.location)
    }

    /// For how long the poll is known to last. It may have begun some milliseconds earlier.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What the thread does.
    pub fn activity(&self) -> ThreadActivity {
        self.activity
    }

    /// The function of the kernel in which a blocked thread sleeps, as in `futex_wait_queue` or `hrtimer_nanosleep`, if the system tells.
    pub fn sleeps_in(&self) -> Option<&str> {
        self.sleeps_in.as_deref()
    }

    /// Where the thread is, one line for each function, the innermost first, down to the task's own future. `None`: nobody has
    /// asked for it by `Builder::stall_backtraces` (feature `backtrace`), or the thread has not answered.
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    /// The system's number of the thread, as debuggers and `top -H` show it. 0 where it is not known.
    pub fn os_thread_id(&self) -> u32 {
        self.tid
    }
}

/// One line, for a log, and the lines of the backtrace, if there is one, below it.
impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.polled {
            None => write!(f, "code of the user outside of any task")?,
            Some(polled) => write!(f, "{polled},")?,
        }
        let millis = self.elapsed.as_millis();
        write!(
            f,
            " has held its worker thread {} for {millis} ms",
            self.tid
        )?;
        match (self.activity, self.sleeps_in()) {
            (ThreadActivity::Blocked, Some(function)) => write!(f, " and is blocked in {function}"),
            (ThreadActivity::Blocked, None) => write!(f, " and is blocked"),
            (ThreadActivity::Computing, _) => write!(f, " and is computing"),
            (ThreadActivity::Unknown, _) => Ok(()),
        }?;
        self.backtrace()
            .into_iter()
            .flat_map(str::lines)
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl Default for StallConfig {
    fn default() -> Self {
        Self {
            threshold: Duration::from_millis(100),
            hook: StallHook::new(|stall| eprintln!("executor: {stall}")),
            backtraces: false,
        }
    }
}

impl fmt::Debug for StallHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StallHook")
    }
}
