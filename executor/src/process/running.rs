//! A process that was started: killed when dropped if that was asked for, and reaped in any case.

use std::io;
use std::process::{Child, ExitStatus};
use std::task::{Context, Poll, ready};

use super::exit::Exit;
use super::orphan;

#[derive(Debug)]
pub(super) struct Process {
    /// `None` only while `drop` takes it out.
    child: Option<Child>,
    /// `None` from the end of the process on: then nothing is left to hear.
    exit: Option<Exit>,
    kill_on_drop: bool,
}

impl Process {
    /// Takes charge of a child that was just started. If this fails, the child is killed, and reaped.
    pub(super) fn new(mut child: Child) -> io::Result<Self> {
        match Exit::watch(&child) {
            Ok(exit) => Ok(Self {
                child: Some(child),
                exit: Some(exit),
                kill_on_drop: true,
            }),
            Err(error) => {
                // It fails only for a child that has ended.
                let _ = child.kill();
                orphan::adopt(child);
                Err(error)
            }
        }
    }

    /// At first true: what is dropped before it got to the user must not go on.
    pub(super) fn set_kill_on_drop(&mut self, kill: bool) {
        self.kill_on_drop = kill;
    }

    /// The number, until the process was reaped: then it may be another's.
    pub(super) fn id(&self) -> Option<u32> {
        self.exit.as_ref()?;
        self.child.as_ref().map(Child::id)
    }

    /// Sends SIGKILL if the process is still there: if somebody else has waited for it, the number may be another's.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        if self.try_wait()?.is_none() {
            self.child().kill()?;
            self.kill_on_drop = false;
        }
        Ok(())
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        // It remembers the status of what it has reaped.
        let status = self.child().try_wait()?;
        if status.is_some() {
            self.exit = None;
        }
        Ok(status)
    }

    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        let Self { child, exit, .. } = self;
        let child = child.as_mut().expect(TAKEN);
        let status = match exit {
            Some(exit) => ready!(exit.poll_wait(cx, child))?,
            None => return Poll::Ready(child.wait()),
        };
        self.exit = None;
        Poll::Ready(Ok(status))
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect(TAKEN)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kill_on_drop {
            // An error means that it is not ours to kill any more.
            let _ = self.kill();
        }
        let (Some(child), Some(exit)) = (self.child.take(), self.exit.take()) else {
            return;
        };
        // Its descriptor is needed no more, and whoever watches the orphan may need one.
        drop(exit);
        orphan::adopt(child);
    }
}

const TAKEN: &str = "a process keeps its child until it is dropped";
