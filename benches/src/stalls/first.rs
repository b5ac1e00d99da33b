//! The first stall that a process ever sees: all workers at once, for ever. When do an echo and a ticker go on?
//!
//! ```text
//!   main thread   spawns two tasks  · · · ·  sends a byte ─────────────── has it back: I/O goes on
//!   worker 1      1st stall ════════════════════════════════════════════════════════════════ for ever
//!   worker 2            2nd stall ══════════════════════════════════════════════════════════ for ever
//!                       ├─ from here on ─▶ the next tick: timers go on
//! ```
//!
//! The main thread is no part of the runtime.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::PoisonError;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::milliseconds;
use super::ticker::{Beside, Ticks, tick};
use crate::Result;
use crate::cli::Options;
use crate::peers::{Sockets, echo};

pub(super) fn stall<R: Sockets>(runtime: &R, stall: Beside, options: &Options) -> Result<Vec<f64>> {
    let ticks = Ticks::default();
    let address = runtime.block_on(async {
        R::spawn_detached(tick::<R>(ticks.clone()));
        echo::serve::<R>().await
    })?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let limit = Duration::from_millis(if options.smoke { 200 } else { 2000 });
    stream.set_read_timeout(Some(limit))?;
    for _ in 0..10 {
        round_trip(&mut stream)?;
        thread::sleep(Duration::from_millis(10));
    }

    let (begun, stalls) = mpsc::channel();
    runtime.block_on(async {
        for _ in 0..options.workers {
            R::spawn_detached(for_ever(stall, begun.clone()));
        }
    });
    let mut stalled = Vec::new();
    for _ in 0..options.workers {
        let patience = Duration::from_secs(10);
        let begun = stalls.recv_timeout(patience);
        stalled.push(begun.map_err(|_| "a task that would have stalled its worker did not run")?);
    }
    let (Some(first), Some(all)) = (stalled.iter().min(), stalled.iter().max()) else {
        return Err("there are no workers".into());
    };
    let io = match round_trip(&mut stream) {
        Ok(()) => milliseconds(all.elapsed()),
        Err(error) if is_timeout(&error) => f64::INFINITY,
        Err(error) => return Err(error.into()),
    };
    let next_tick = || {
        let ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
        ticks.iter().find(|tick| *tick > all).copied()
    };
    let timers = loop {
        match next_tick() {
            Some(tick) => break milliseconds(tick - *all),
            None if all.elapsed() > limit => break f64::INFINITY,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    Ok(vec![io, timers, milliseconds(*all - *first)])
}

async fn for_ever(stall: Beside, begun: Sender<Instant>) {
    begun
        .send(Instant::now())
        .expect("the main thread waits for this message");
    loop {
        match stall {
            Beside::Blocking => thread::sleep(Duration::from_secs(3600)),
            Beside::Spinning => std::hint::spin_loop(),
        }
    }
}

fn round_trip(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])
}

/// What a socket says when its time is up.
fn is_timeout(error: &io::Error) -> bool {
    [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind())
}
