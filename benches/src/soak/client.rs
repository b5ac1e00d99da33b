//! Client processes: connections from another runtime, which end when their process is killed.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use executor::process::Command;
use executor::runtime::Builder;

use super::connections::steady;
use super::ledger::{Count, Ledger, pause};
use super::options::Options;
use crate::Result;
use crate::random::Random;

/// Starts client processes, one after the other, and kills each after a while.
pub(super) fn start_and_kill(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            if let Err(error) = one(&ledger, &mut random).await {
                ledger.fault(format!("a client process: {error}"));
            }
        }
    })
}

async fn one(ledger: &Ledger, random: &mut Random) -> Result {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--client-of", &ledger.server.to_string()])
        .args(["--seed", &random.below(u64::MAX).to_string()])
        // It ends with this process, whatever happens to that.
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    pause(random, 3000).await;
    if let Some(status) = child.try_wait()? {
        return Err(format!("it ended by itself: {status}").into());
    }
    child.start_kill()?;
    let end = ledger.soon("the end of a killed process", child.wait());
    if let Some(status) = end.await.transpose()? {
        if status.signal() != Some(libc::SIGKILL) {
            return Err(format!("it was killed, and ended so: {status}").into());
        }
        ledger.add(Count::ClientsKilled, 1);
    }
    Ok(())
}

/// The client process. Does not return unless something is wrong.
pub(super) fn run(server: SocketAddr, options: &Options) -> Result {
    thread::spawn(|| {
        // Nothing is ever written: this ends with the parent.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let runtime = Builder::new_multi_thread()
        .worker_threads(options.workers)
        .build()?;
    let ledger = Arc::new(Ledger::new(server));
    let mut random = Random::new(options.seed);
    for _ in 0..CONNECTIONS {
        drop(runtime.spawn(steady(ledger.clone(), random.split())));
    }
    loop {
        thread::sleep(std::time::Duration::from_millis(100));
        ledger.no_faults()?;
    }
}

const CONNECTIONS: usize = 4;
