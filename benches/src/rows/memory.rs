//! Bytes of resident memory for each thing that waits: a task, a task that sleeps, a connection.
//!
//! Each is measured in a process of its own, with an allocator that nobody has used before: what it has grown by while many of them came.

use std::fs;
use std::future::{Future, poll_fn};
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use hyper::rt::{Read, ReadBuf};

use super::Row;
use crate::Result;
use crate::cli::Options;
use crate::peers::{Runtime, Sockets, Timers};
use crate::process::field;

pub(super) fn rows<R: Runtime>(options: &Options) -> Vec<Row> {
    let tasks = tasks(options);
    // A future of size 0, as `pending()` is, which counts its one poll.
    let measure = move |options: &Options| {
        growth_by_tasks::<R, _>(options.workers, tasks, || {
            poll_fn(|_| {
                seen();
                Poll::Pending
            })
        })
    };
    let title = format!("{tasks} pending tasks");
    vec![Row::new("pending", title, &TASKS, measure)]
}

pub(super) fn more_rows<R: Sockets + Timers>(options: &Options) -> Vec<Row> {
    let tasks = tasks(options);
    let measure = move |options: &Options| {
        growth_by_tasks::<R, _>(options.workers, tasks, || async {
            seen();
            R::timer(HOUR).await;
        })
    };
    let title = format!("{tasks} tasks that sleep for an hour");
    let sleeping = Row::new("sleeping", title, &TASKS, measure);
    let title =
        "connections that were accepted, each with a task that reads and has nothing to read";
    let connections = Row::new("connections", title, &CONNECTIONS, connections::<R>);
    vec![sleeping, connections]
}

/// By how many bytes the process has grown for each of `count` tasks that have been polled once and wait, their handles dropped.
fn growth_by_tasks<R, F>(workers: usize, count: usize, task: fn() -> F) -> Result<Vec<f64>>
where
    R: Runtime,
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = R::start(workers)?;
    let bytes = runtime.block_on(async move {
        R::spawn(async move {
            // The first tasks also pay for what is there only once.
            spawn_until::<R, _>(BATCH, task).await;
            let before = resident()?;
            spawn_until::<R, _>(BATCH + count, task).await;
            Ok::<_, crate::Error>(resident()? - before)
        })
        .await
    })?;
    mem::forget(runtime);
    Ok(vec![bytes / count as f64])
}

/// Spawns until `total` tasks wait. In batches, so that the queues stay short: their memory is not the tasks'.
async fn spawn_until<R, F>(total: usize, task: fn() -> F)
where
    R: Runtime,
    F: Future<Output = ()> + Send + 'static,
{
    while SEEN.load(Ordering::Relaxed) < total {
        let batch = BATCH.min(total - SEEN.load(Ordering::Relaxed));
        let seen = SEEN.load(Ordering::Relaxed) + batch;
        for _ in 0..batch {
            R::spawn_detached(task());
        }
        while SEEN.load(Ordering::Relaxed) < seen {
            R::yield_now().await;
        }
    }
}

/// As many connections as this process may have descriptors for: both ends are in it, but the other one is a plain socket.
fn connections<R: Sockets>(options: &Options) -> Result<Vec<f64>> {
    let count = match options.smoke {
        true => 100,
        false => (descriptors()?.saturating_sub(SPARE) / 2).min(MOST_CONNECTIONS),
    };
    let runtime = R::start(options.workers)?;
    let address = runtime.block_on(async { R::spawn(accept::<R>()).await })?;
    let mut clients = connect(address, FIRST)?;
    let before = resident()?;
    clients.extend(connect(address, count)?);
    let bytes = resident()? - before;
    mem::forget((runtime, clients));
    Ok(vec![bytes / count as f64, count as f64])
}

/// Accepts for ever.
async fn accept<R: Sockets>() -> Result<SocketAddr> {
    let mut listener = R::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let address = R::local_addr(&listener)?;
    R::spawn_detached(async move {
        while let Ok(mut stream) = R::accept(&mut listener).await {
            R::spawn_detached(async move {
                let mut counted = false;
                poll_fn(|cx| {
                    let mut buffer = [MaybeUninit::uninit()];
                    let mut buffer = ReadBuf::uninit(&mut buffer);
                    let read = Pin::new(&mut stream).poll_read(cx, buffer.unfilled());
                    if !mem::replace(&mut counted, true) {
                        seen();
                    }
                    read.map(drop)
                })
                .await;
            });
        }
    });
    Ok(address)
}

/// Connects so often, and returns when the other side waits in all of these connections.
fn connect(address: SocketAddr, count: usize) -> Result<Vec<TcpStream>> {
    // Allocated, and written to, before anybody looks at the size of the process.
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let seen = SEEN.load(Ordering::Relaxed) + 1;
        streams.push(TcpStream::connect(address)?);
        while SEEN.load(Ordering::Relaxed) < seen {
            thread::sleep(Duration::from_micros(20));
        }
    }
    Ok(streams)
}

/// One more that has been polled.
fn seen() {
    // Relaxed: only the number matters.
    SEEN.fetch_add(1, Ordering::Relaxed);
}

fn resident() -> Result<f64> {
    Ok((1024 * field("/proc/self/status", "VmRSS")?) as f64)
}

/// How many descriptors this process may open.
fn descriptors() -> Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = limit.and_then(|limit| limit.split_whitespace().next());
    let soft = soft.ok_or("/proc/self/limits has no line for open files")?;
    // Or "unlimited".
    Ok(soft.parse().unwrap_or(usize::MAX))
}

fn tasks(options: &Options) -> usize {
    if options.smoke { 10_000 } else { 1_000_000 }
}

static SEEN: AtomicUsize = AtomicUsize::new(0);
const TASKS: [&str; 1] = ["resident bytes a task"];
const CONNECTIONS: [&str; 2] = ["resident bytes a connection", "connections"];
const BATCH: usize = 1000;
const HOUR: Duration = Duration::from_secs(3600);
/// The first connections pay for what is there only once.
const FIRST: usize = 64;
/// Descriptors for everything else, the first connections among them.
const SPARE: usize = 300;
/// The system has 28 000 ports for the other ends.
const MOST_CONNECTIONS: usize = 20_000;
