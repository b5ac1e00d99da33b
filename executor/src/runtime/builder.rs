//! `Builder`: how a runtime is configured.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{DebugEvent, Handle, LocalOptions, LocalRuntime, Runtime, Stall};
use crate::context::{self, Options};
#[cfg(feature = "backtrace")]
use crate::scheduler;
use crate::scheduler::{Hook, StallHook};
use crate::task::{Observer, UnobservedFailure};

/// Configures a [`Runtime`].
///
/// ```
/// let runtime = executor::runtime::Builder::new_multi_thread()
///     .worker_threads(4)
///     .thread_name("my-server")
///     .build()?;
/// # std::io::Result::Ok(())
/// ```
pub struct Builder {
    options: Options,
    /// `None`: one for each processor, or what the environment says.
    workers: Option<usize>,
    event_interval: Option<u32>,
    global_queue_interval: Option<u32>,
}

/// What a runtime does when one of its tasks panics. Set by [`Builder::unhandled_panic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// The panic is the task's output: its handle answers with it, or, if nobody takes it,
    /// [`on_unobserved_failure`](Builder::on_unobserved_failure) is told. Nothing else happens.
    Ignore,
    /// The runtime ends, also if the task's handle is awaited: every task is dropped, what is spawned from then on is dropped as well, and
    /// [`block_on`](Runtime::block_on), under way or called later, panics with the task and its message. So does one whose future is ready at
    /// the same moment.
    ///
    /// Tasks of local sets that the runtime polls are among its tasks. Closures of `spawn_blocking`, and the future that is given to
    /// `block_on`, are not. A panic in the destructor of a task's future counts, one in that of its output does not.
    ShutdownRuntime,
}

impl Builder {
    /// A runtime with worker threads that steal tasks from each other.
    pub fn new_multi_thread() -> Self {
        Self {
            options: Options::default(),
            workers: None,
            event_interval: None,
            global_queue_interval: None,
        }
    }

    /// A runtime without threads of its own (but for `spawn_blocking`): tasks run, strictly first in, first out, on the thread that
    /// calls `block_on`, while it does.
    pub fn new_current_thread() -> Self {
        let options = Options {
            current_thread: true,
            workers: 1,
            ..Options::default()
        };
        Self {
            options,
            workers: Some(1),
            event_interval: None,
            global_queue_interval: None,
        }
    }

    /// Has no effect: I/O and time are always there. For programs that were written for tokio.
    pub fn enable_all(&mut self) -> &mut Self {
        self
    }

    /// Has no effect. See [`enable_all`](Self::enable_all).
    pub fn enable_io(&mut self) -> &mut Self {
        self
    }

    /// Has no effect. See [`enable_all`](Self::enable_all).
    pub fn enable_time(&mut self) -> &mut Self {
        self
    }

    /// How many worker threads. By default as many as the environment variable `EXECUTOR_WORKERS` says, or else as there are
    /// processors that this process may use, quotas considered.
    ///
    /// Has no effect on the current-thread flavour. [`build`](Self::build) refuses 0 and more than 1024.
    pub fn worker_threads(&mut self, workers: usize) -> &mut Self {
        if !self.options.current_thread {
            self.workers = Some(workers);
        }
        self
    }

    /// At most how many spare workers there are at a time. Default: 64.
    ///
    /// A worker that is held by one poll, because the task blocks its thread or computes, is replaced until the poll ends: a thread of the
    /// runtime, the guard, looks every 5 ms, every millisecond while polls get stuck, and starts a spare worker for each that was in one
    /// poll from one look to the next. A thread that only waits for a processor is not replaced. A spare worker stays for one to two seconds after
    /// it was last needed. Beyond the limit, and with 0, tasks wait for the workers that are held; sockets and timers are still listened to.
    ///
    /// Ignored on the current-thread flavour: its one worker is the caller of `block_on`. [`build`](Self::build) refuses more than 1024.
    pub fn max_spare_workers(&mut self, workers: usize) -> &mut Self {
        self.options.spare_workers = workers;
        self
    }

    /// From when on a poll that holds its worker is reported, by [`on_stall`](Self::on_stall). Default: 100 ms. Less than a millisecond
    /// counts as that; [`Duration::MAX`] reports nothing. Workers are replaced, as [`max_spare_workers`](Self::max_spare_workers) says, whatever
    /// this is.
    pub fn stall_threshold(&mut self, threshold: Duration) -> &mut Self {
        self.options.stalls.threshold = threshold.max(Duration::from_millis(1));
        self
    }

    /// Called when a poll has held its worker for longer than the [threshold](Self::stall_threshold), while it still does; again when it has
    /// lasted ten times as long, and so on. Default: a line on standard error.
    ///
    /// It runs on a thread of the runtime that is no worker, may block, and may run on several threads at once. A panic in it is reported by
    /// the panic hook and has no other effect. On the current-thread flavour nobody looks, and it is never called.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (send, stalls) = mpsc::channel();
    /// let runtime = executor::runtime::Builder::new_multi_thread()
    ///     .stall_threshold(Duration::from_millis(20))
    ///     .on_stall(move |stall| _ = send.send(stall.clone()))
    ///     .build()?;
    /// let (end, wait) = mpsc::channel::<()>();
    /// runtime.spawn(async move { wait.recv() });
    ///
    /// let stall = stalls.recv().unwrap();
    /// assert!(stall.elapsed() >= Duration::from_millis(20));
    /// assert_eq!(stall.spawned_at().unwrap().file(), file!());
    /// drop(end);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_stall(&mut self, f: impl Fn(&Stall) + Send + Sync + 'static) -> &mut Self {
        self.options.stalls.hook = StallHook::new(f);
        self
    }

    /// Whether a [`Stall`] has a backtrace of the thread that is held. Default: no.
    ///
    /// The thread is sent the signal SIGURG, whose handler walks the stack. So the process gets a handler for that signal, which stays, beside
    /// others that are there; and a system call in which the thread waits may be interrupted: most go on by themselves, `poll`,
    /// `epoll_wait` and `nanosleep` return `EINTR` to those who call them directly. Names of functions need a binary with symbols, lines
    /// one with debug information. The C library must be glibc 2.35 or later: earlier ones take a lock to walk a stack.
    ///
    /// [`build`](Self::build) is an error if the system refuses the handler.
    #[cfg(feature = "backtrace")]
    pub fn stall_backtraces(&mut self, backtraces: bool) -> &mut Self {
        self.options.stalls.backtraces = backtraces;
        self
    }

    /// Called for each task, and each closure of [`spawn_blocking`](crate::task::spawn_blocking), that panicked and whose panic nobody will ever
    /// see: its [`JoinHandle`](crate::task::JoinHandle) was dropped, before the end or after it, and never gave the error out. Once for each such
    /// task. Default: a line on standard error.
    ///
    /// A task that was aborted, or dropped by the end of its runtime, has not failed, unless the destructor of its future panics. Tasks of a
    /// [`LocalSet`](crate::task::LocalSet) belong to the runtime that polls the set.
    ///
    /// It runs on the thread that finds out, which may be any: the one that ran the task, or the one that drops the handle. It holds no
    /// lock, and may use the runtime. A panic in it is reported by the panic hook and has no other effect. There is one such function; a
    /// second call replaces the first.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let (send, failures) = mpsc::channel();
    /// let runtime = executor::runtime::Builder::new_multi_thread()
    ///     .on_unobserved_failure(move |failure| _ = send.send(failure.clone()))
    ///     .build()?;
    /// drop(runtime.spawn(async { panic!("the disk is full") }));
    ///
    /// let failure = failures.recv().unwrap();
    /// assert_eq!(failure.message(), Some("the disk is full"));
    /// assert_eq!(failure.spawned_at().file(), file!());
    /// # std::io::Result::Ok(())
    /// ```
    #[doc(alias = "set_exception_handler")]
    #[doc(alias = "call_exception_handler")]
    pub fn on_unobserved_failure(
        &mut self,
        f: impl Fn(&UnobservedFailure) + Send + Sync + 'static,
    ) -> &mut Self {
        self.options.observer = Observer::new(f);
        self
    }

    /// What the runtime does when a task panics. Default: [`UnhandledPanic::Ignore`].
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.options.panics_end = behavior == UnhandledPanic::ShutdownRuntime;
        self
    }

    /// Whether Ctrl-C cancels what is given to [`block_on`](Runtime::block_on), as in `asyncio.run`. Default: no. Also
    /// `#[executor::main(cancel_on_ctrl_c = true)]`.
    ///
    /// While a `block_on` runs that is in no task and in no other `block_on`:
    ///
    /// 1. The first Ctrl-C (SIGINT) asks its future to end, as [`CancelScope::cancel`](crate::task::CancelScope::cancel) would that of a scope around
    ///    it: what in it hears of that, an [`or_cancelled`](crate::task::FutureExt::or_cancelled) for example, gets the error where it waits; if nothing
    ///    does, the future is dropped where it waits.
    /// 2. When the future has ended, the runtime's tasks are asked to end, and those that are spawned later. They have 5 seconds, and what is left is
    ///    aborted; [finalizers](crate::task::finalizer) have 2.5 seconds more.
    /// 3. `block_on` returns the future's output. Without one, because the future was dropped, the process exits with status 130, as a shell
    ///    reports a program that SIGINT has killed.
    ///
    /// The second Ctrl-C ends the process at once, with the same status, whatever it is busy with: destructors are not run.
    ///
    /// In a `block_on` inside of a task nothing is different. `block_on` panics if the system refuses the handler or its descriptors.
    ///
    /// ```no_run
    /// use executor::task::FutureExt;
    ///
    /// # async fn serve() {}
    /// let runtime = executor::runtime::Builder::new_multi_thread().cancel_on_ctrl_c(true).build()?;
    /// runtime.block_on(async {
    ///     if serve().or_cancelled().await.is_err() {
    ///         println!("good bye");
    ///     }
    /// });
    /// # std::io::Result::Ok(())
    /// ```
    #[doc(alias = "SIGINT")]
    #[doc(alias = "KeyboardInterrupt")]
    #[doc(alias = "restrict_keyboard_interrupt_to_checkpoints")]
    pub fn cancel_on_ctrl_c(&mut self, cancel: bool) -> &mut Self {
        self.options.cancel_on_ctrl_c = cancel;
        self
    }

    /// Whether the runtime is in debug mode. Default: what the environment variable `EXECUTOR_DEBUG` says, `1` or `0`, and without it no.
    ///
    /// Debug mode is asyncio's. The runtime tells, by [`on_debug`](Self::on_debug), of
    ///
    /// - polls that have taken long, once they are over: tasks that block their thread, or compute, and the future given to `block_on`, if it
    ///   does. Those of a task that has called [`block_in_place`](crate::task::block_in_place) do not count. Tasks of a local set are told of
    ///   themselves, and their time does not count for the future that polls the set;
    /// - panics that nobody will see, unless [`on_unobserved_failure`](Self::on_unobserved_failure) sets another function;
    /// - tasks that the end of the runtime has dropped, with their names, and where they were spawned. Those that ended when
    ///   [`shutdown`](Runtime::shutdown) asked them to are not among them.
    ///
    /// Each poll then reads the clock twice. Without debug mode a poll looks at one field, and nothing else is different.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::thread;
    /// use executor::runtime::DebugEvent;
    /// use executor::time::Duration;
    ///
    /// let (send, events) = mpsc::channel();
    /// let runtime = executor::runtime::Builder::new_multi_thread()
    ///     .debug(true)
    ///     .slow_poll_threshold(Duration::from_millis(20))
    ///     .on_debug(move |event| _ = send.send(event.clone()))
    ///     .build()?;
    /// runtime.spawn(async { thread::sleep(Duration::from_millis(30)) });
    ///
    /// let Ok(DebugEvent::SlowPoll(poll)) = events.recv() else { panic!("another event") };
    /// assert!(poll.elapsed() >= Duration::from_millis(30));
    /// assert_eq!(poll.spawned_at().unwrap().file(), file!());
    /// # std::io::Result::Ok(())
    /// ```
    #[doc(alias = "PYTHONASYNCIODEBUG")]
    #[doc(alias = "set_debug")]
    pub fn debug(&mut self, debug: bool) -> &mut Self {
        self.options.debug.is_on = Some(debug);
        self
    }

    /// From when on a poll is told of in [debug mode](Self::debug), once it is over. Default: 100 ms.
    /// [`stall_threshold`](Self::stall_threshold) is for those that are not.
    #[doc(alias = "slow_callback_duration")]
    pub fn slow_poll_threshold(&mut self, threshold: Duration) -> &mut Self {
        self.options.debug.slow = threshold;
        self
    }

    /// Called with what there is to tell of in [debug mode](Self::debug). Default: an event of the crate `tracing`, target `executor`, level
    /// WARN, with the feature `tracing` and if the program has a subscriber; otherwise a line on standard error.
    ///
    /// It runs on the thread that finds out, often a worker, between polls: it should not block for long. A panic in it is reported by the panic
    /// hook and has no other effect.
    pub fn on_debug(&mut self, f: impl Fn(&DebugEvent) + Send + Sync + 'static) -> &mut Self {
        self.options.debug.hook = Some(Arc::new(f));
        self
    }

    /// At most how many threads of the blocking pool there are at a time, besides the workers. Default: 512. What is spawned
    /// beyond that waits, in a queue without a limit. [`build`](Self::build) refuses 0.
    ///
    /// Host names are looked up on threads that do not count: as many at most, but never more than 64, see
    /// [`lookup_host`](crate::net::lookup_host).
    ///
    /// Threads that take over from those that block in [`block_in_place`](crate::task::block_in_place), or a nested `block_on`, do not
    /// count: if they had to wait, the whole runtime might.
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Self {
        self.options.blocking_threads = threads;
        self
    }

    /// How long a thread of the blocking pool waits for the next closure before it ends. Default: 10 seconds. As long waits a thread that
    /// [`block_in_place`](crate::task::block_in_place), or a nested `block_on`, has cost its place as a worker.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.options.keep_alive = duration;
        self
    }

    /// The name of the runtime's threads. Default: `executor-worker`. [`build`](Self::build) refuses a name with a NUL byte.
    ///
    /// The guard, which looks after workers, has "-guard" behind it, or instead of "-worker".
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// A function that gives each thread its name. It runs on whatever thread starts the new one.
    pub fn thread_name_fn(
        &mut self,
        name: impl Fn() -> String + Send + Sync + 'static,
    ) -> &mut Self {
        self.options.thread_name = Arc::new(name);
        self
    }

    /// The stack size of the runtime's threads, in bytes. Default: the standard library's. A size that the system refuses makes
    /// [`build`](Self::build) fail.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.options.stack_size = Some(bytes);
        self
    }

    /// Called on each thread of the runtime, those of the blocking pool included, before it does anything else. While it runs, closures
    /// of `spawn_blocking` may wait for it. A panic in it is reported by the panic hook and has no other effect.
    pub fn on_thread_start(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_start = Some(Hook::new(f));
        self
    }

    /// Called on each thread of the runtime before it ends. A panic in it is reported by the panic hook and has no other effect.
    pub fn on_thread_stop(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_stop = Some(Hook::new(f));
        self
    }

    /// Called on a worker that has nothing to do, right before it sleeps; on the current-thread flavour on the thread that drives.
    ///
    /// It may spawn and wake: the worker looks for work once more before it sleeps. A panic in it is reported by the panic hook and
    /// has no other effect. There is one such function; a second call replaces the first. It must not call `block_on` of its own
    /// current-thread runtime: the inner call would sleep, and call it again.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicUsize, Ordering};
    /// static SLEEPS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let runtime = executor::runtime::Builder::new_current_thread()
    ///     .on_thread_park(|| _ = SLEEPS.fetch_add(1, Ordering::Relaxed))
    ///     .build()?;
    /// runtime.block_on(executor::time::sleep(std::time::Duration::from_millis(1)));
    /// println!("the thread has slept {} times", SLEEPS.load(Ordering::Relaxed));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_thread_park(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_park = Some(Hook::new(f));
        self
    }

    /// Called on a worker after it woke, once for each call of [`on_thread_park`](Self::on_thread_park)'s function, also if there was
    /// something to do and it did not sleep. A panic in it is reported by the panic hook and has no other effect.
    pub fn on_thread_unpark(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_unpark = Some(Hook::new(f));
        self
    }

    /// After how many polls a worker that always has work looks, at the latest, at timers and events. Default: 64.
    ///
    /// This is an upper bound. A worker looks by time, about every 50 µs, and counts polls only so that it need not read the clock
    /// before each; if its polls are slow, it looks after fewer. [`build`](Self::build) refuses 0.
    pub fn event_interval(&mut self, polls: u32) -> &mut Self {
        self.event_interval = Some(polls);
        self
    }

    /// After how many polls a worker that always has work looks, at the latest, at the queue of tasks from outside. Default: 64.
    ///
    /// A worker looks at that queue, at timers and at events together. If this and [`event_interval`](Self::event_interval) are both
    /// set, the smaller one counts. [`build`](Self::build) refuses 0.
    pub fn global_queue_interval(&mut self, polls: u32) -> &mut Self {
        self.global_queue_interval = Some(polls);
        self
    }

    /// How many events are taken from the system at once. Default: 64 (tokio: 1024), so that what they wake is polled soon; more than 65536 count as that.
    /// What is left is taken by the next look. [`build`](Self::build) refuses 0.
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        self.options.most_events.of_a_turn = capacity.min(MOST_EVENTS);
        self
    }

    /// As [`max_io_events_per_tick`](Self::max_io_events_per_tick), for looks that do not wait, because there are tasks to run: a small
    /// number lets these go on sooner when many events come at once. Default: the same number. [`build`](Self::build) refuses 0.
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Self {
        self.options.most_events.of_a_look = Some(capacity.min(MOST_EVENTS));
        self
    }

    /// A name for the runtime itself, which [`Handle::name`] returns. [`build`](Self::build) refuses one that is empty or blank.
    /// For the names of threads see [`thread_name`](Self::thread_name).
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.options.name = Some(name.into());
        self
    }

    /// Starts with a clock that stands still, as after [`time::pause`](crate::time::pause).
    #[cfg(feature = "test-util")]
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.options.start_paused = start_paused;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a setting that cannot be: 0 or more than 1024 workers, also by
    /// `EXECUTOR_WORKERS`, or one that is not a number; an `EXECUTOR_DEBUG` that is neither 0 nor 1; more than 1024 spare ones; no blocking threads; an interval or a number of events that is 0; an empty
    /// name, or a thread name with a NUL byte. Otherwise what the system says when it refuses a thread or the reactor's descriptors. Threads
    /// that were started by then have ended when this returns.
    pub fn build(&mut self) -> io::Result<Runtime> {
        self.start(false)
    }

    /// Starts a runtime whose tasks stay on the calling thread, see [`LocalRuntime`].
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and [`InvalidInput`](io::ErrorKind::InvalidInput) on the multi-thread flavour.
    ///
    /// ```
    /// use executor::runtime::{Builder, LocalOptions};
    ///
    /// let runtime = Builder::new_current_thread().build_local(LocalOptions::default())?;
    /// let task = runtime.spawn_local(async { 42 });
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        let LocalOptions { .. } = options;
        if !self.options.current_thread {
            return Err(invalid(
                "the tasks of a local runtime stay on one thread: use Builder::new_current_thread",
            ));
        }
        self.start(true).map(LocalRuntime::new_on)
    }

    /// Whether the guard's thread is started.
    #[cfg(all(test, shuttle))]
    pub(crate) fn guard(&mut self, guard: bool) -> &mut Self {
        self.options.guard = guard;
        self
    }

    fn start(&self, local: bool) -> io::Result<Runtime> {
        let options = Options {
            workers: self.checked_workers()?,
            most_polls: self.checked_intervals()?,
            local,
            ..self.options.clone()
        };
        if options.spare_workers > MOST_WORKERS {
            return Err(invalid("more than 1024 spare workers"));
        }
        if options.blocking_threads == 0 {
            return Err(invalid(
                "max_blocking_threads is 0: file names could not be looked up, and spawn_blocking would wait for ever",
            ));
        }
        if options.most_events.of_a_turn == 0 {
            return Err(invalid(
                "max_io_events_per_tick is 0: no event would ever be seen",
            ));
        }
        if options.most_events.of_a_look == Some(0) {
            return Err(invalid(
                "max_io_events_per_busy_tick is 0: no event would be seen while tasks run",
            ));
        }
        if options
            .name
            .as_ref()
            .is_some_and(|name| name.trim().is_empty())
        {
            return Err(invalid("the runtime's name is empty: leave it out"));
        }
        if (options.thread_name)().contains('\0') {
            return Err(invalid("a thread name contains a NUL byte"));
        }
        #[cfg(feature = "backtrace")]
        if options.stalls.backtraces {
            scheduler::prepare_backtraces()?;
        }
        Ok(Runtime::from_handle(Handle {
            state: context::start(&options)?,
        }))
    }

    fn checked_intervals(&self) -> io::Result<u32> {
        let set = [self.event_interval, self.global_queue_interval];
        let interval = set.into_iter().flatten().min();
        match interval {
            Some(0) => Err(invalid(
                "event_interval and global_queue_interval count polls: 1 is the least",
            )),
            Some(polls) => Ok(polls),
            None => Ok(self.options.most_polls),
        }
    }

    fn checked_workers(&self) -> io::Result<usize> {
        let workers = match (self.workers, std::env::var("EXECUTOR_WORKERS")) {
            (Some(workers), _) => workers,
            (None, Err(std::env::VarError::NotPresent)) => {
                return Ok(num_cpus::get().clamp(1, MOST_WORKERS));
            }
            (None, value) => value
                .ok()
                .and_then(|value| value.trim().parse().ok())
                .ok_or_else(|| invalid("EXECUTOR_WORKERS is not a number of worker threads"))?,
        };
        match workers {
            0 => Err(invalid("0 worker threads: nothing would ever run")),
            1..=MOST_WORKERS => Ok(workers),
            _ => Err(invalid(
                "more than 1024 worker threads: one for each processor is best",
            )),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .field("workers", &self.workers)
            .finish()
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

const MOST_WORKERS: usize = 1024;

/// One takes 12 bytes.
const MOST_EVENTS: usize = 1 << 16;

#[cfg(all(test, not(any(loom, shuttle))))]
#[path = "tests/builder.rs"]
mod tests;
