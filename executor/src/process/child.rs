//! `Child`: a process that was started, and the pipes to it.

use std::future::poll_fn;
use std::io;
use std::process::{ExitStatus, Output};

use futures::io::{AsyncRead, AsyncReadExt};

use super::running::Process;
use super::{ChildStderr, ChildStdin, ChildStdout};
use crate::coop;

/// A process that was started by [`Command::spawn`](super::Command::spawn).
///
/// Dropping it does not end the process, unless [`Command::kill_on_drop`](super::Command::kill_on_drop) says so. Either way it is
/// waited for in the background, so that no zombie is left.
#[doc(alias = "Process")]
#[derive(Debug)]
pub struct Child {
    process: Process,

    /// Its standard input, if that was [piped](std::process::Stdio::piped). [`wait`](Self::wait) closes it.
    pub stdin: Option<ChildStdin>,

    /// Its standard output, if that was piped.
    pub stdout: Option<ChildStdout>,

    /// Its standard error, if that was piped.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    /// Takes charge of a process that was just started. If this fails, it is killed.
    #[track_caller]
    pub(super) fn new(mut child: std::process::Child, kill_on_drop: bool) -> io::Result<Self> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut process = Process::new(child)?;
        let stdin = stdin.map(ChildStdin::from_std).transpose()?;
        let stdout = stdout.map(ChildStdout::from_std).transpose()?;
        let stderr = stderr.map(ChildStderr::from_std).transpose()?;
        process.set_kill_on_drop(kill_on_drop);
        Ok(Self {
            process,
            stdin,
            stdout,
            stderr,
        })
    }

    /// The number of the process. `None` once its end was seen here: the number may be another's then.
    #[doc(alias = "pid")]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Sends SIGKILL, and does not wait for the end. Nothing is sent to a process that has ended: its number may be another's.
    ///
    /// # Errors
    ///
    /// What the system says, for example that the process has become another user's; that somebody else has waited for the child,
    /// see [`wait`](Self::wait).
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// Sends SIGKILL, and waits for the end.
    ///
    /// # Errors
    ///
    /// As [`start_kill`](Self::start_kill) and [`wait`](Self::wait).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the signal is sent at the first poll.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }

    /// Closes the child's standard input, waits for its end, and returns how it has ended; the same each time.
    ///
    /// Standard output and standard error are not read: a child that fills one of these pipes waits for somebody who reads, see
    /// [`wait_with_output`](Self::wait_with_output).
    ///
    /// # Errors
    ///
    /// That the runtime has shut down, or that somebody else has waited for the child: a program that ignores SIGCHLD, or that waits for
    /// any child, takes the status away.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the status is not lost. Standard input stays closed.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::process::Command;
    ///
    /// let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn()?;
    /// assert_eq!(child.wait().await?.code(), Some(7));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        // A child that reads until the end would wait for us.
        drop(self.stdin.take());
        poll_fn(|cx| coop::poll_counted(cx, |cx| self.process.poll_wait(cx))).await
    }

    /// How the child has ended, if it has. Standard input stays open.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), but for the end of the runtime, which does not matter here.
    #[doc(alias = "poll")]
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Closes standard input, reads standard output and standard error as far as they are piped, all at once, and waits for the end.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), and what reading says.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: it takes the child, which is dropped with the future, and what was read.
    #[doc(alias = "communicate")]
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        let (mut out, mut err) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) =
            futures::future::try_join3(self.wait(), read_all(&mut out), read_all(&mut err)).await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

async fn read_all(pipe: &mut Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
