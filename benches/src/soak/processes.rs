//! Signals to this process, and short child processes.

use std::future::Future;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::sync::Arc;

use executor::process::Command;
use executor::signal::unix::{SignalKind, signal};

use super::ledger::{Count, Ledger, pause};
use crate::Result;
use crate::random::Random;

/// A signal to this process, again and again; each is heard before the next is sent.
pub(super) fn signals(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut signals = match signal(SignalKind::user_defined1()) {
            Ok(signals) => signals,
            Err(error) => return ledger.fault(format!("no signals: {error}")),
        };
        while !ledger.stopped() {
            // SAFETY: the call takes numbers only; this signal is handled.
            if unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) } != 0 {
                ledger.fault(format!("no signal: {}", io::Error::last_os_error()));
            }
            if let Some(Some(())) = ledger.soon("a signal", signals.recv()).await {
                ledger.add(Count::Signals, 1);
            }
            pause(&mut random, 100).await;
        }
    })
}

/// Child processes that end well, badly, with output, or killed.
pub(super) fn short_children(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let kind = random.below(4);
            let child = async {
                match kind {
                    0 => succeed().await,
                    1 => fail().await,
                    2 => say_something().await,
                    _ => be_killed(&mut random).await,
                }
            };
            match ledger.soon("the end of a child process", child).await {
                Some(Ok(())) => ledger.add(Count::Children, 1),
                Some(Err(error)) => ledger.fault(format!("a child process: {error}")),
                None => {}
            }
            pause(&mut random, 100).await;
        }
    })
}

pub(super) async fn succeed() -> Result {
    let status = Command::new("true").status().await?;
    is(status.success(), status)
}

async fn fail() -> Result {
    let status = Command::new("false").status().await?;
    is(status.code() == Some(1), status)
}

async fn say_something() -> Result {
    let output = Command::new("echo").arg("something").output().await?;
    is(output.stdout == b"something\n", output)
}

async fn be_killed(random: &mut Random) -> Result {
    let mut child = Command::new("sleep").arg("3600").spawn()?;
    pause(random, 100).await;
    child.start_kill()?;
    let status = child.wait().await?;
    is(status.signal() == Some(libc::SIGKILL), status)
}

fn is(expected: bool, what: impl std::fmt::Debug) -> Result {
    match expected {
        true => Ok(()),
        false => Err(format!("{what:?}").into()),
    }
}
