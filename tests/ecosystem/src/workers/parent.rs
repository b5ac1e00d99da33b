//! The parent: opens the port, starts fronts and workers, and starts them again when they end.

use std::env;
use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use executor::net::TcpListener;
use executor::process::{Child, Command};
use executor::sync::CancellationToken;
use executor::task::JoinSet;
use executor::time::{sleep, timeout};

use crate::end;

pub(crate) async fn run(address: &str, redis: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let end = end::asked()?;
    // All fronts share this one socket, and with it the connections that nobody has accepted yet. With a socket for each, by SO_REUSEPORT, those of
    // a front that ends would be reset.
    let listener = Arc::new(TcpListener::bind(address).await?);
    println!("listening on {}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let mut children = JoinSet::new();
    for n in 1..=FRONTS {
        let (listener, redis) = (listener.clone(), redis.to_owned());
        let start = move || {
            let mut command = this_program()?;
            command.args(["front", &format!("front {n}"), &redis]);
            command.pass_listeners(&[listener.as_fd()])?;
            command.spawn()
        };
        children.spawn(keep(format!("front {n}"), start, stop.clone()));
    }
    for n in 1..=WORKERS {
        let redis = redis.to_owned();
        let start = move || {
            let mut command = this_program()?;
            command.args(["worker", &format!("worker {n}"), &redis]);
            command.spawn()
        };
        children.spawn(keep(format!("worker {n}"), start, stop.clone()));
    }
    end.await;
    stop.cancel();
    while let Some(child) = children.join_next().await {
        child??;
    }
    Ok(())
}

fn this_program() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    // It sees the end of it when this process has gone, however that ends.
    command.stdin(Stdio::piped());
    Ok(command)
}

/// Starts a child, and another one whenever it ends, until `stop`.
async fn keep(
    name: String,
    start: impl Fn() -> io::Result<Child>,
    stop: CancellationToken,
) -> io::Result<()> {
    loop {
        let mut child = start()?;
        // To wait for a child closes its input, so this is kept apart.
        let input = child.stdin.take();
        let ended = executor::select! {
            status = child.wait() => Some(status?),
            () = stop.cancelled() => None,
        };
        let Some(status) = ended else {
            drop(input);
            return end_of(name, child).await;
        };
        println!("{name} has ended: {status}");
        // One that cannot start should not be all that this machine does.
        sleep(PAUSE).await;
    }
}

async fn end_of(name: String, mut child: Child) -> io::Result<()> {
    match timeout(GRACE, child.wait()).await {
        Ok(status) => println!("{name} has ended: {}", status?),
        Err(_) => {
            println!("{name} does not end");
            child.kill().await?;
        }
    }
    Ok(())
}

const FRONTS: usize = 2;

const WORKERS: usize = 3;

/// Before a child is started again.
const PAUSE: Duration = Duration::from_millis(100);

/// More than a front gives its clients.
const GRACE: Duration = Duration::from_secs(20);
