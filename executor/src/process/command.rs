//! `Command`: what to start, and how.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, ExitStatus, Output, Stdio};

use super::passed::Passed;
use super::{Child, orphan};
use crate::task::coop::consume_budget;

/// A process to be started. The standard library's [`Command`](process::Command), whose children are waited for without a thread.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::process::Command;
///
/// let status = Command::new("test").args(["-d", "/"]).status().await?;
/// assert!(status.success());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "create_subprocess_exec")]
#[doc(alias = "create_subprocess_shell")]
#[doc(alias = "run_process")]
#[doc(alias = "open_process")]
#[doc(alias = "Popen")]
#[derive(Debug)]
pub struct Command {
    std: process::Command,
    kill_on_drop: bool,
}

impl Command {
    /// Will start `program`, which is looked up in `PATH` if it has no slash.
    ///
    /// Without further settings: no arguments, and the environment, directory and standard streams of this process.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Self {
        Self::from(process::Command::new(program))
    }

    /// The standard library's command.
    pub fn as_std(&self) -> &process::Command {
        &self.std
    }

    /// The standard library's command, to change what has no method here.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.std
    }

    /// The standard library's command. [`kill_on_drop`](Self::kill_on_drop) is lost.
    pub fn into_std(self) -> process::Command {
        self.std
    }

    /// Adds an argument. It is passed as it is: no shell looks at it.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.std.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.env(key, val);
        self
    }

    /// Sets variables of the child's environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.envs(vars);
        self
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Self {
        self.std.env_remove(key);
        self
    }

    /// Gives the child no variables but those that are set from here on.
    pub fn env_clear(&mut self) -> &mut Self {
        self.std.env_clear();
        self
    }

    /// Sets the directory that the child starts in. Whether a program with a relative path is looked up there is not specified.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Self {
        self.std.current_dir(dir);
        self
    }

    /// Sets the child's standard input: [`Stdio::piped`] for a [`ChildStdin`](super::ChildStdin). Inherited if not set.
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.std.stdin(cfg);
        self
    }

    /// Sets the child's standard output. Inherited if not set, but for [`output`](Self::output).
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.std.stdout(cfg);
        self
    }

    /// Sets the child's standard error. Inherited if not set, but for [`output`](Self::output).
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.std.stderr(cfg);
        self
    }

    /// Whether dropping the [`Child`], or a future that waits for it, kills the process if it has not ended. False if not set.
    ///
    /// It is reaped in the background either way.
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Self {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// What [`kill_on_drop`](Self::kill_on_drop) was set to.
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Sets the user the child runs as.
    pub fn uid(&mut self, id: u32) -> &mut Self {
        self.std.uid(id);
        self
    }

    /// Sets the group the child runs as.
    pub fn gid(&mut self, id: u32) -> &mut Self {
        self.std.gid(id);
        self
    }

    /// Sets the name that the program sees as its own, its argument 0. The path of the program if not set.
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.std.arg0(arg);
        self
    }

    /// Puts the child into a process group, or, with 0, into a new one, which has the child's number. A Ctrl-C does not reach it then.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Self {
        self.std.process_group(pgroup);
        self
    }

    /// Calls `f` in the child, before the program starts. Several are called in the order they were added.
    ///
    /// # Safety
    ///
    /// `f` runs in a copy of this process that has one thread only: a lock that another thread held stays locked for ever. It must do
    /// nothing but what is allowed in a signal handler: no allocation, no lock, nothing of this library. See the standard library's
    /// [`pre_exec`](CommandExt::pre_exec).
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Self
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller promises what the standard library asks for.
        unsafe { self.std.pre_exec(f) };
        self
    }

    /// Passes listeners on to the process, which takes them by [`inherited_listeners`](crate::net::inherited_listeners) in the same order. This process keeps its own.
    ///
    /// So a service is started anew without a connection being lost, or runs as several processes: all share the queue of those who wait to be accepted, which is there
    /// as long as anybody has the listener.
    ///
    /// ```no_run
    /// # async fn example() -> std::io::Result<()> {
    /// use std::os::fd::AsFd;
    /// use executor::net::TcpListener;
    /// use executor::process::Command;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:8080").await?;
    /// let mut worker = Command::new("worker").pass_listeners(&[listener.as_fd()])?.spawn()?;
    /// worker.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Call it once, with all of them. They are descriptors 3, 4 and so on of the process, in the place of what else it would have there, and the variable `LISTEN_FDS` says how many they are. `LISTEN_PID`, which
    /// systemd sets, is taken away: the environment is made before the process has a number. A program that insists on it finds nothing.
    ///
    /// # Errors
    ///
    /// That the process has too many open files: they are duplicated.
    pub fn pass_listeners(&mut self, listeners: &[BorrowedFd<'_>]) -> io::Result<&mut Self> {
        let passed = Passed::new(listeners)?;
        self.std.env("LISTEN_FDS", listeners.len().to_string());
        for variable in ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"] {
            self.std.env_remove(variable);
        }
        // SAFETY: it calls nothing but `dup2`, and what it has was allocated here.
        unsafe { self.std.pre_exec(move || passed.put()) };
        Ok(self)
    }

    /// Starts the process.
    ///
    /// It belongs to the current runtime: while that lives, the child and its pipes may be waited for from anywhere.
    ///
    /// # Errors
    ///
    /// Of the system's kind, with the name of the program in the text, if it cannot be started: `NotFound` for one that does not
    /// exist. What the system says when it refuses to watch the child or a pipe; that the runtime has shut down. No process is left then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(process::Command::spawn)
    }

    /// As [`spawn`](Self::spawn), but `with` starts the process.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn); of `with`.
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    #[track_caller]
    pub fn spawn_with(
        &mut self,
        with: impl FnOnce(&mut process::Command) -> io::Result<process::Child>,
    ) -> io::Result<Child> {
        orphan::try_again();
        let child = with(&mut self.std).map_err(|error| self.explain(&error))?;
        Child::new(child, self.kill_on_drop)
    }

    /// Starts the process, at once, and waits for its end. Pipes to it are closed.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn) and [`Child::wait`].
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the [`Child`].
    #[track_caller]
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async move {
            // A failure comes at once, and must not keep who tries again from letting others run.
            consume_budget().await;
            let mut child = child?;
            // Nobody could use them, and the child may wait for the other end.
            drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
            child.wait().await
        }
    }

    /// Starts the process, at once, and returns how it has ended and what it has written to standard output and standard error.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the [`Child`], and what was read.
    #[track_caller]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.std.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn();
        async move {
            // As in `status`.
            consume_budget().await;
            child?.wait_with_output().await
        }
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        let program = self.std.get_program().to_string_lossy();
        let text = match self.std.get_current_dir() {
            None => format!("cannot start {program}: {error}"),
            Some(dir) => format!("cannot start {program} in {}: {error}", dir.display()),
        };
        io::Error::new(error.kind(), text)
    }
}

impl From<process::Command> for Command {
    fn from(std: process::Command) -> Self {
        Self {
            std,
            kill_on_drop: false,
        }
    }
}
