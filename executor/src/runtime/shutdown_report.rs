//! `ShutdownReport`: what the end of a runtime came to, and what it did not wait for.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::blocking::{Begun, Lane};
use crate::context::{Ended, State};
use crate::rt_sync::whole::now;
use crate::scheduler::{DroppedTask, PollUnderWay, Polled};
use crate::task::Id;

/// What [`Runtime::shutdown`](super::Runtime::shutdown) has done, and what was still under way when it gave up waiting.
///
/// Its `Display` is one line, and one more for each straggler:
///
/// ```
/// use std::sync::mpsc::channel;
/// use std::time::Duration;
///
/// let runtime = executor::runtime::Runtime::new()?;
/// let ((started, start), (end, wait)) = (channel(), channel::<()>());
/// runtime.spawn(std::future::pending::<()>());
/// executor::task::Builder::new().name("backup").spawn_blocking_on(
///     move || {
///         started.send(()).unwrap();
///         wait.recv()
///     },
///     runtime.handle(),
/// )?;
/// start.recv().unwrap();
///
/// let report = runtime.shutdown(Duration::from_millis(50));
/// assert_eq!((report.tasks_dropped(), report.threads_left()), (1, 1));
/// assert_eq!(report.stragglers()[0].name(), Some("backup"));
/// println!("{report}");
/// // the runtime has ended: 1 task and 0 closures were dropped; 1 thread is left after 50 ms:
/// //   the closure of task 2 "backup", spawned at src/main.rs:7:52, has run for 50 ms
/// # drop(end);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it says what the runtime has left behind"]
pub struct ShutdownReport {
    tasks: usize,
    aborted: usize,
    closures: usize,
    threads: usize,
    took: Duration,
    stragglers: Vec<Straggler>,
    dropped: Vec<DroppedTask>,
}

/// Something that had not ended when a runtime stopped waiting for it. Part of a [`ShutdownReport`].
#[derive(Clone, Debug)]
pub struct Straggler {
    kind: StragglerKind,
    id: Id,
    name: Option<Box<str>>,
    location: &'static Location<'static>,
    running: Duration,
}

/// Kinds of [`Straggler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StragglerKind {
    /// A task whose poll has not returned. It is dropped when it does.
    Poll,
    /// A closure of [`spawn_blocking`](crate::task::spawn_blocking), or a call on a file.
    BlockingClosure,
    /// A question to the system's resolver.
    Lookup,
}

impl ShutdownReport {
    /// Of a runtime that has been shut down. `runs_for`: for how long a poll that is under way has run at least.
    pub(super) fn new(
        state: &State,
        ended: &Ended,
        aborted: usize,
        runs_for: impl Fn(&PollUnderWay) -> Duration,
    ) -> Self {
        let mut stragglers = Vec::new();
        if ended.threads > 0 || state.scheduler.is_current_thread() {
            let polls = state.scheduler.polls_under_way().into_iter();
            stragglers.extend(polls.map(|poll| {
                let running = runs_for(&poll);
                Straggler::poll(poll.polled, running)
            }));
        }
        for (lane, kind) in [
            (Lane::Closures, StragglerKind::BlockingClosure),
            (Lane::Lookups, StragglerKind::Lookup),
        ] {
            let begun = state.blocking.pool(lane).under_way().into_iter();
            stragglers.extend(begun.map(|begun| Straggler::closure(kind, begun)));
        }
        Self {
            tasks: ended.tasks,
            aborted,
            closures: ended.closures,
            threads: ended.threads,
            took: ended.took,
            stragglers,
            dropped: ended.dropped.clone(),
        }
    }

    /// True if nothing is left: all threads have ended, and no poll is under way elsewhere.
    pub fn is_complete(&self) -> bool {
        self.threads == 0 && self.stragglers.is_empty()
    }

    /// What had not ended. Empty with threads left: these are in something that has no name, a hook of the user or a
    /// [`block_in_place`](crate::task::block_in_place) for example.
    pub fn stragglers(&self) -> &[Straggler] {
        &self.stragglers
    }

    /// How many tasks were alive when the shutdown began, and are not any more. Some of them may have completed, as they were asked to.
    pub fn tasks_dropped(&self) -> usize {
        self.tasks
    }

    /// How many tasks had not ended when half of the grace was over, and were aborted.
    pub fn tasks_aborted(&self) -> usize {
        self.aborted
    }

    /// Which tasks were aborted, or dropped because the runtime closed, if it is in [debug mode](super::Builder::debug); empty if it is not. Without
    /// tasks of local sets, and those whose poll has not returned.
    pub fn dropped_tasks(&self) -> &[DroppedTask] {
        &self.dropped
    }

    /// How many closures for the blocking pool, lookups of names included, had not begun, and were dropped.
    pub fn closures_dropped(&self) -> usize {
        self.closures
    }

    /// How many of the runtime's threads have not ended. Each ends after what it is at.
    pub fn threads_left(&self) -> usize {
        self.threads
    }

    /// How long the shutdown took.
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl Straggler {
    fn poll(polled: Polled, running: Duration) -> Self {
        Self {
            kind: StragglerKind::Poll,
            id: polled.id,
            name: polled.name.map(String::into_boxed_str),
            location: polled.location,
            running,
        }
    }

    fn closure(kind: StragglerKind, begun: Begun) -> Self {
        Self {
            kind,
            id: begun.id,
            name: begun.name,
            location: begun.location,
            running: now().saturating_duration_since(begun.since),
        }
    }

    /// What it is.
    pub fn kind(&self) -> StragglerKind {
        self.kind
    }

    /// The task, or the closure's handle.
    pub fn task_id(&self) -> Id {
        self.id
    }

    /// The name, if it was given one by [`task::Builder`](crate::task::Builder). That of a task is cut after 64 bytes.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where it was spawned. For calls on files and lookups that is inside of this library.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.location
    }

    /// For how long it has been running. A poll may have begun earlier: nobody notes when polls begin, only which were under way when the
    /// shutdown began, and that none has begun since the tasks had their time to end.
    pub fn running_for(&self) -> Duration {
        self.running
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the runtime has ended: {} and {} were dropped; ",
            Count(self.tasks, "task"),
            Count(self.closures, "closure")
        )?;
        if self.is_complete() {
            return f.write_str("nothing is left");
        }
        let are = if self.threads == 1 { "is" } else { "are" };
        let millis = self.took.as_millis();
        write!(
            f,
            "{} {are} left after {millis} ms",
            Count(self.threads, "thread")
        )?;
        for (n, straggler) in self.stragglers.iter().enumerate() {
            let colon = if n == 0 { ":" } else { "" };
            write!(f, "{colon}\n  {straggler}")?;
        }
        Ok(())
    }
}

/// One line.
impl fmt::Display for Straggler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, least) = match self.kind {
            StragglerKind::Poll => ("a poll", "at least "),
            StragglerKind::BlockingClosure => ("the closure", ""),
            StragglerKind::Lookup => ("the lookup", ""),
        };
        write!(f, "{what} of task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        let millis = self.running.as_millis();
        write!(
            f,
            ", spawned at {}, has run for {least}{millis} ms",
            self.location
        )
    }
}

struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}{}",
            self.0,
            self.1,
            if self.0 == 1 { "" } else { "s" }
        )
    }
}
