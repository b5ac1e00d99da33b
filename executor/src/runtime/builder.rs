//! `Builder`: how a runtime is configured.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{Handle, Runtime};
use crate::context::{self, Options};

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
}

impl Builder {
    /// A runtime with worker threads that steal tasks from each other.
    pub fn new_multi_thread() -> Self {
        Self {
            options: Options::default(),
            workers: None,
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

    /// At most how many threads of the blocking pool there are at a time, besides the workers. Default: 512. What is spawned
    /// beyond that waits. [`build`](Self::build) refuses 0.
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
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// A function that gives each thread its name. It runs on whatever thread starts the new one.
    pub fn thread_name_fn(
        &mut self,
        name: impl Fn() -> String + Send + Sync + 'static,
    ) -> &mut Self {
        self.options.name = Arc::new(name);
        self
    }

    /// The stack size of the runtime's threads, in bytes. Default: the standard library's. A size that the system refuses makes
    /// [`build`](Self::build) fail.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.options.stack_size = Some(bytes);
        self
    }

    /// Called on each thread of the runtime, those of the blocking pool included, before it does anything else. A panic in it is
    /// reported by the panic hook and has no other effect.
    pub fn on_thread_start(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_start = Some(Arc::new(f));
        self
    }

    /// Called on each thread of the runtime before it ends. A panic in it is reported by the panic hook and has no other effect.
    pub fn on_thread_stop(&mut self, f: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.options.on_stop = Some(Arc::new(f));
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
    /// `EXECUTOR_WORKERS`, or one that is not a number; no blocking threads; a thread name with a NUL byte; a paused clock on
    /// the multi-thread flavour. Otherwise what the system says when it refuses a thread or the reactor's descriptors. Threads
    /// that were started by then have ended when this returns.
    pub fn build(&mut self) -> io::Result<Runtime> {
        let options = Options {
            workers: self.checked_workers()?,
            ..self.options.clone()
        };
        if options.blocking_threads == 0 {
            return Err(invalid(
                "max_blocking_threads is 0: file names could not be looked up, and spawn_blocking would wait for ever",
            ));
        }
        if (options.name)().contains('\0') {
            return Err(invalid("a thread name contains a NUL byte"));
        }
        if options.start_paused && !options.current_thread {
            return Err(invalid(
                "a paused clock needs the current-thread flavour: use Builder::new_current_thread",
            ));
        }
        Ok(Runtime::from_handle(Handle {
            state: context::start(&options)?,
        }))
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
