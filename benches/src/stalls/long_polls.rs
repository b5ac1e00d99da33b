//! Echo, as a client outside of the runtime sees it, beside one task that is always in a poll of 2 ms.
//!
//! The client sends 64 bytes at random times, 0.5 to 1.5 ms apart, whatever the server does: a request whose time has come while the one
//! before it was under way counts from that time, not from when it could be sent. So a server that stands still for 20 ms is seen
//! twenty times, not once. How late the client itself wakes up does not count.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::milliseconds;
use crate::Result;
use crate::cli::Options;
use crate::peers::{Sockets, echo};
use crate::random::Random;
use crate::stats::quantile;

pub(super) fn beside<R: Sockets>(runtime: &R, options: &Options) -> Result<Vec<f64>> {
    let polls = Arc::new(AtomicU64::new(0));
    let address = runtime.block_on(async {
        R::spawn_detached(long_polls::<R>(polls.clone()));
        echo::serve::<R>().await
    })?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // Whatever a runtime has to find out first.
    requests(&mut stream, options.length / 10)?;
    // Relaxed: only the number matters, here and below.
    let (before, start) = (polls.load(Relaxed), Instant::now());
    let mut latencies = requests(&mut stream, options.length)?;
    let polls = (polls.load(Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|q| quantile(&latencies, q));
    Ok(vec![p50, p99, p999, max, polls])
}

async fn long_polls<R: Sockets>(polls: Arc<AtomicU64>) {
    loop {
        let start = Instant::now();
        while start.elapsed() < POLL {
            std::hint::spin_loop();
        }
        polls.fetch_add(1, Relaxed);
        R::yield_now().await;
    }
}

/// The latencies of requests for so long, in milliseconds.
fn requests(stream: &mut TcpStream, length: Duration) -> Result<Vec<f64>> {
    let mut random = Random::new(1);
    let mut latencies = Vec::new();
    let start = Instant::now();
    let mut due = start;
    while due < start + length {
        let late = Instant::now() > due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let sent = if late { due } else { Instant::now() };
        stream.write_all(&[7; 64])?;
        stream
            .read_exact(&mut [0; 64])
            .map_err(|error| format!("no echo for {PATIENCE:?}: {error}"))?;
        latencies.push(milliseconds(sent.elapsed()));
        due += Duration::from_micros(500 + random.below(1000));
    }
    Ok(latencies)
}

const POLL: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(10);
