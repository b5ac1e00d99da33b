//! What an event costs that tokio's thread hears of first: round trips of a byte, over this library's socket and over tokio's under `tokio_compat`;
//! how long they take, and how often a thread goes to sleep, the other side's included.
//!
//! `cargo run --release -p executor-tests-ecosystem --bin hop [rounds] [trips of a round]`

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use executor::tokio_compat::in_tokio;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

#[executor::main(worker_threads = 1)]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).flat_map(|text| text.parse().ok());
    let rounds = arguments.next().unwrap_or(9);
    let trips = arguments.next().unwrap_or(5_000);
    // On a worker: the thread of the main function hears of events from a worker in any case.
    executor::spawn(measure(rounds, trips)).await?
}

async fn measure(rounds: usize, trips: usize) -> io::Result<()> {
    let address = echo()?;
    let mut ours = executor::net::TcpStream::connect(address).await?;
    ours.set_nodelay(true)?;
    let mut theirs = in_tokio(tokio::net::TcpStream::connect(address)).await?;
    theirs.set_nodelay(true)?;
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // A B, B A, A B: whatever drifts meets both.
        if round % 2 == 0 {
            one.push(Trip::measure(&mut ours, trips).await?);
            other.push(in_tokio(Trip::measure(&mut theirs, trips)).await?);
        } else {
            other.push(in_tokio(Trip::measure(&mut theirs, trips)).await?);
            one.push(Trip::measure(&mut ours, trips).await?);
        }
    }
    println!("a round trip, medians of {rounds} rounds of {trips}, and quartiles:");
    for (name, trips) in [("ours", &one), ("under tokio_compat", &other)] {
        let time = Spread::of(trips.iter().map(|trip| trip.microseconds));
        let sleeps = Spread::of(trips.iter().map(|trip| trip.sleeps));
        println!("  {name:20} {time} µs, threads slept {sleeps} times");
    }
    let pairs = || one.iter().zip(&other);
    let ratio = Spread::of(pairs().map(|(a, b)| b.microseconds / a.microseconds));
    let more = Spread::of(pairs().map(|(a, b)| b.microseconds - a.microseconds));
    println!("  ratio {ratio}, difference {more} µs");
    Ok(())
}

/// What a round trip came to, on the average of many.
struct Trip {
    microseconds: f64,
    sleeps: f64,
}

impl Trip {
    async fn measure<S>(stream: &mut S, trips: usize) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (start, slept) = (Instant::now(), sleeps()?);
        for _ in 0..trips {
            stream.write_all(b"x").await?;
            stream.read_u8().await?;
        }
        let trips = trips as f64;
        Ok(Self {
            microseconds: start.elapsed().as_secs_f64() * 1e6 / trips,
            sleeps: (sleeps()? - slept) as f64 / trips,
        })
    }
}

/// How often threads of this process have given their processor up because they had to wait.
fn sleeps() -> io::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count
            .map_or(Ok(0), |count| count.trim().parse::<u64>())
            .map_err(io::Error::other)?;
    }
    Ok(sum)
}

/// The median of some numbers, and their quartiles.
struct Spread(f64, f64, f64);

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let at = |quarter| numbers[numbers.len() * quarter / 4];
        Self(at(1), at(2), at(3))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(low, median, high) = self;
        write!(f, "{median:.2} ({low:.2}–{high:.2})")
    }
}

/// The other side, which is the same for both: a thread for each connection, that blocks.
fn echo() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut byte = [0];
                while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
            });
        }
    });
    Ok(address)
}
