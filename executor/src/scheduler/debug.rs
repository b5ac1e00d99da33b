//! Debug mode: which polls were slow, which tasks the end of the runtime has dropped, and who is told.
//!
//! Without it a poll pays one look at a field. With it each poll reads the clock twice, and copies the task's name if it has one.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::running::Polled;
use super::worker::Worker;
use crate::coop;
use crate::rt_sync::whole::{Mutex, now, thread_local};
use crate::task::{Id, Notified, Origin, TaskRef, UnobservedFailure, drop_quietly};

/// What a runtime in debug mode tells of. See [`Builder::debug`](crate::runtime::Builder::debug).
///
/// Its `Display` is a line, for a log, and more below it for each of several tasks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DebugEvent {
    /// A poll has held its thread for so long, and is over.
    SlowPoll(SlowPoll),
    /// As [`Builder::on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure), if that sets no function.
    UnobservedFailure(UnobservedFailure),
    /// The runtime has ended, and these were alive.
    TasksDropped(Vec<DroppedTask>),
    /// A [`LocalSet`](crate::task::LocalSet) was dropped, and these were alive in it. Told if the set was polled in this runtime last.
    LocalTasksDropped(Vec<DroppedTask>),
}

/// A poll that has held its thread for longer than
/// [`Builder::slow_poll_threshold`](crate::runtime::Builder::slow_poll_threshold), and is over. Part of a [`DebugEvent`].
///
/// A [`Stall`](super::Stall) tells of one while it lasts.
#[derive(Clone, Debug)]
pub struct SlowPoll {
    /// `None`: the future given to `block_on`.
    task: Option<Polled>,
    elapsed: Duration,
}

/// A task that was alive when its runtime ended, and was dropped. Part of a [`DebugEvent`] and of a
/// [`ShutdownReport`](crate::runtime::ShutdownReport).
#[derive(Clone, Debug)]
pub struct DroppedTask(Polled);

/// What the builder was told.
#[derive(Clone)]
pub(crate) struct DebugConfig {
    /// `None`: what the environment says.
    pub(crate) is_on: Option<bool>,
    pub(crate) slow: Duration,
    pub(crate) hook: Option<DebugHook>,
}

/// The user's function.
pub(crate) type DebugHook = Arc<dyn Fn(&DebugEvent) + Send + Sync>;

/// The mode of a runtime that has it.
pub(crate) struct DebugMode {
    slow: Duration,
    hook: Option<DebugHook>,
    /// Until they are told of.
    dropped: Mutex<Vec<DroppedTask>>,
}

impl DebugConfig {
    /// The mode, if it is on.
    pub(crate) fn mode(&self) -> io::Result<Option<Arc<DebugMode>>> {
        let is_on = match self.is_on {
            Some(is_on) => is_on,
            None => is_on_by_environment()?,
        };
        Ok(is_on.then(|| {
            Arc::new(DebugMode {
                slow: self.slow,
                hook: self.hook.clone(),
                dropped: Mutex::new(Vec::new()),
            })
        }))
    }
}

fn is_on_by_environment() -> io::Result<bool> {
    match std::env::var_os(VARIABLE) {
        None => Ok(false),
        Some(value) if value.is_empty() || value == "0" => Ok(false),
        Some(value) if value == "1" => Ok(true),
        Some(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{VARIABLE} is neither 0 nor 1"),
        )),
    }
}

impl DebugMode {
    /// Tells of something, where user code may run.
    pub(crate) fn tell(&self, event: &DebugEvent) {
        let tell = || match &self.hook {
            Some(hook) => hook(event),
            None => log(event),
        };
        drop_quietly(catch_unwind(AssertUnwindSafe(tell)));
    }

    /// Polls a task that is no worker's, and tells of it if that takes long.
    pub(crate) fn run(&self, task: Notified, run: &dyn Fn(Notified)) {
        let polled = Polled::new(task.id(), task.origin());
        let ((), elapsed) = timed(|| run(task));
        self.polled(Some(polled), elapsed);
    }

    /// These tasks were dropped with their local set. One may be there more than once.
    pub(crate) fn dropped_with_set(&self, tasks: &[TaskRef]) {
        let tasks = tasks
            .iter()
            .map(|task| DroppedTask(Polled::new(task.id(), task.origin())));
        let tasks = once_each(tasks.collect());
        self.tell(&DebugEvent::LocalTasksDropped(tasks));
    }

    /// A poll is over. `task` is `None` for the future of a `block_on`.
    fn polled(&self, task: Option<Polled>, elapsed: Duration) {
        if elapsed >= self.slow {
            self.tell(&DebugEvent::SlowPoll(SlowPoll { task, elapsed }));
        }
    }
}

/// Calls `poll`, and says how long that took: without the polls of other tasks in it, which are told of themselves.
fn timed<R>(poll: impl FnOnce() -> R) -> (R, Duration) {
    let outer = BELOW.replace(Duration::ZERO);
    let begin = now();
    let result = poll();
    let elapsed = now().saturating_duration_since(begin);
    let own = elapsed.saturating_sub(BELOW.get());
    BELOW.set(outer.saturating_add(elapsed));
    (result, own)
}

thread_local! {
    /// How long the polls took that were timed on this thread, and are inside of the one that is timed now.
    static BELOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn once_each(mut tasks: Vec<DroppedTask>) -> Vec<DroppedTask> {
    let mut seen = HashSet::new();
    tasks.retain(|task| seen.insert(task.task_id()));
    tasks
}

/// Where it goes without a function of the user: to `tracing`, if somebody listens there, or to standard error.
fn log(event: &DebugEvent) {
    #[cfg(feature = "tracing")]
    if tracing::dispatcher::has_been_set() {
        return trace(event);
    }
    eprintln!("executor: {event}");
}

#[cfg(feature = "tracing")]
fn trace(event: &DebugEvent) {
    let warn = |task: Option<&Polled>, millis: Option<u64>, text: &dyn fmt::Display| {
        let id = task.map(|task| task.id.to_number());
        let name = task.and_then(|task| task.name.as_deref());
        let spawned_at = task.map(|task| tracing::field::display(task.location));
        tracing::event!(
            target: "executor",
            tracing::Level::WARN,
            task.id = id,
            task.name = name,
            task.spawned_at = spawned_at,
            poll.millis = millis,
            "{text}"
        );
    };
    match event {
        DebugEvent::SlowPoll(poll) => {
            let millis = u64::try_from(poll.elapsed.as_millis()).ok();
            warn(poll.task.as_ref(), millis, event);
        }
        DebugEvent::UnobservedFailure(_) => warn(None, None, event),
        DebugEvent::TasksDropped(tasks) => {
            for DroppedTask(task) in tasks {
                warn(Some(task), None, &"dropped by the end of its runtime");
            }
        }
        DebugEvent::LocalTasksDropped(tasks) => {
            for DroppedTask(task) in tasks {
                warn(Some(task), None, &"dropped with its `LocalSet`");
            }
        }
    }
}

impl Shared {
    /// The mode, if the runtime is in it.
    pub(crate) fn debug(&self) -> Option<&Arc<DebugMode>> {
        self.debug.as_ref()
    }

    /// Calls `poll`, of the future of a `block_on`, and tells of it if it takes long.
    pub(crate) fn timed_root<R>(&self, poll: impl FnOnce() -> R) -> R {
        let Some(mode) = &self.debug else {
            return poll();
        };
        let (result, elapsed) = timed(poll);
        mode.polled(None, elapsed);
        result
    }

    /// A task is about to be dropped, or was, because the runtime ends. May be called more than once for one.
    pub(crate) fn note_dropped(&self, id: Id, origin: &Origin) {
        if let Some(mode) = &self.debug {
            let dropped = DroppedTask(Polled::new(id, origin));
            mode.dropped.lock().push(dropped);
        }
    }

    /// Tells of those that were dropped, and returns them.
    pub(crate) fn tell_dropped(&self) -> Vec<DroppedTask> {
        let Some(mode) = &self.debug else {
            return Vec::new();
        };
        let tasks = once_each(std::mem::take(&mut *mode.dropped.lock()));
        let event = DebugEvent::TasksDropped(tasks);
        let DebugEvent::TasksDropped(tasks) = &event else {
            unreachable!("just made");
        };
        if !tasks.is_empty() {
            mode.tell(&event);
        }
        tasks.clone()
    }
}

impl Worker {
    /// Polls a task, and tells of it if that takes long.
    #[cold]
    #[inline(never)]
    pub(super) fn run_timed(&self, mode: &DebugMode, task: Notified) {
        let polled = Polled::new(task.id(), task.origin());
        let ((), elapsed) = timed(|| coop::budgeted_task(|| task.run()));
        // One that has handed its seat over meanwhile has held nobody up.
        if self.core.is_here() {
            self.seat().running.end();
            mode.polled(Some(polled), elapsed);
        }
    }
}

impl SlowPoll {
    /// The task. `None`: it was the future given to `block_on`, which is none.
    pub fn task_id(&self) -> Option<Id> {
        self.task.as_ref().map(|task| task.id)
    }

    /// The task's name, if it was given one by [`task::Builder`](crate::task::Builder).
    pub fn task_name(&self) -> Option<&str> {
        self.task.as_ref()?.name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.task.as_ref().map(|task| task.location)
    }

    /// How long the poll took.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl DroppedTask {
    /// The task.
    pub fn task_id(&self) -> Id {
        self.0.id
    }

    /// The task's name, if it was given one by [`task::Builder`](crate::task::Builder).
    pub fn task_name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.0.location
    }
}

impl fmt::Display for DebugEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowPoll(poll) => poll.fmt(f),
            Self::UnobservedFailure(failure) => {
                write!(f, "{failure}, and nobody asks for its output")
            }
            Self::TasksDropped(tasks) => list(f, "the runtime has ended, and has dropped", tasks),
            Self::LocalTasksDropped(tasks) => {
                list(f, "a `LocalSet` has ended, and has dropped", tasks)
            }
        }
    }
}

/// One line, and one for each task.
fn list(f: &mut fmt::Formatter<'_>, what: &str, tasks: &[DroppedTask]) -> fmt::Result {
    let (count, s) = (tasks.len(), if tasks.len() == 1 { "" } else { "s" });
    write!(f, "{what} {count} task{s} that had not:")?;
    for task in tasks.iter().take(MOST_LINES) {
        write!(f, "\n  {task}")?;
    }
    match count.saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => write!(f, "\n  and {more} more"),
    }
}

/// One line.
impl fmt::Display for SlowPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.task {
            Some(task) => write!(f, "a poll of {task},")?,
            None => f.write_str("a poll of the future given to `block_on`")?,
        }
        let millis = self.elapsed.as_millis();
        write!(
            f,
            " took {millis} ms; until it was over its thread did nothing else"
        )
    }
}

/// One line.
impl fmt::Display for DroppedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DebugMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugMode")
            .field("slow", &self.slow)
            .finish_non_exhaustive()
    }
}

impl Default for DebugConfig {
    fn default() -> Self {
        Self {
            is_on: None,
            slow: Duration::from_millis(100),
            hook: None,
        }
    }
}

/// Tasks that the `Display` of one event lists.
const MOST_LINES: usize = 20;

/// Turns the mode on for runtimes whose builder says nothing.
const VARIABLE: &str = "EXECUTOR_DEBUG";
