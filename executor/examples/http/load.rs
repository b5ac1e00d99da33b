//! The load: from `wrk` where it is installed, else from a client of our own on the same runtime.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::client::Client;
use crate::system::{self, CpuTime};
use crate::wrk;

pub(crate) enum Load {
    Wrk,
    OwnClient,
}

/// What a load came to.
pub(crate) struct Requests {
    pub(crate) number: u64,
    pub(crate) per_second: f64,
    /// Percentiles.
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// The same, and what it cost this process.
pub(crate) struct Measured {
    requests: Requests,
    cpu: CpuTime,
}

impl Load {
    pub(crate) fn choose(own_client: bool) -> Self {
        if !own_client && wrk::is_installed() {
            Self::Wrk
        } else {
            Self::OwnClient
        }
    }

    /// Lets each connection send its next request as soon as it has the answer to the last.
    pub(crate) async fn measure(
        &self,
        address: SocketAddr,
        connections: usize,
        length: Duration,
    ) -> Result<Measured, Box<dyn Error>> {
        let before = system::cpu_time()?;
        let requests = match self {
            // It blocks its thread until `wrk` has ended.
            Self::Wrk => {
                executor::task::spawn_blocking(move || wrk::run(address, connections, length))
                    .await??
            }
            Self::OwnClient => own_client(address, connections, length).await?,
        };
        let cpu = system::cpu_time()?.since(before);
        Ok(Measured { requests, cpu })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wrk => "wrk, in a process of its own: CPU is the server's alone",
            Self::OwnClient => "a client in this process, on the same runtime: CPU is that of server and client together",
        })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requests {
            number,
            per_second,
            p50,
            p90,
            p99,
            max,
        } = self.requests;
        write!(f, "{per_second:10.0}")?;
        for latency in [p50, p90, p99, max] {
            write!(f, "{:>10}", Short(latency).to_string())?;
        }
        let [user, system] =
            [self.cpu.user, self.cpu.system].map(|time| time.as_secs_f64() * 1e6 / number as f64);
        write!(f, "   {:.2} ({user:.2} + {system:.2})", user + system)
    }
}

/// A duration with three or four digits.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs_f64() * 1e6 {
            us if us < 1e3 => write!(f, "{us:.0} µs"),
            us if us < 1e6 => write!(f, "{:.2} ms", us / 1e3),
            us => write!(f, "{:.2} s", us / 1e6),
        }
    }
}

async fn own_client(
    address: SocketAddr,
    connections: usize,
    length: Duration,
) -> Result<Requests, Box<dyn Error>> {
    let clients = try_join_all((0..connections).map(|_| Client::connect(address))).await?;
    let start = Instant::now();
    let end = start + length;
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| executor::spawn(request_until(client, end)))
        .collect();
    let all = executor::time::timeout(length + SILENCE, try_join_all(tasks)).await;
    let all = all.map_err(|_| format!("some requests were not answered within {SILENCE:?}"))??;
    let elapsed = start.elapsed();
    let mut latencies = Vec::new();
    for of_one in all {
        latencies.append(&mut of_one?);
    }
    latencies.sort_unstable();
    let percentile = |percent| latencies[(latencies.len() - 1) * percent / 100];
    Ok(Requests {
        number: latencies.len() as u64,
        per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        p50: percentile(50),
        p90: percentile(90),
        p99: percentile(99),
        max: percentile(100),
    })
}

/// The latencies of all requests of one connection. There is at least one.
async fn request_until(mut client: Client, end: Instant) -> io::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut sent = Instant::now();
    loop {
        client
            .send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await?;
        let answer = client.answer().await?;
        if answer.status != 200 || answer.body != b"Hello, World!" {
            let text = format!(
                "an answer has status {} and {} bytes",
                answer.status,
                answer.body.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let now = Instant::now();
        latencies.push(now - sent);
        if now >= end {
            return Ok(latencies);
        }
        sent = now;
    }
}

const SILENCE: Duration = Duration::from_secs(20);
