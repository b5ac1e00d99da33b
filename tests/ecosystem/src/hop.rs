//! What an event costs that tokio's thread hears of first: round trips of a byte, over this library's socket and over tokio's under `tokio_compat`.
//!
//! `cargo run --release -p executor-tests-ecosystem --bin hop [rounds] [trips of a round]`

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use executor::tokio_compat::in_tokio;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

#[executor::main(worker_threads = 1)]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).flat_map(|text| text.parse().ok());
    let rounds = arguments.next().unwrap_or(9);
    let trips = arguments.next().unwrap_or(5_000);
    // On a worker: the thread of the main function hears of events from a worker in any case.
    executor::spawn(measure(rounds, trips)).await?
}

async fn measure(rounds: usize, trips: usize) -> std::io::Result<()> {
    let address = echo()?;
    let mut ours = executor::net::TcpStream::connect(address).await?;
    ours.set_nodelay(true)?;
    let mut theirs = in_tokio(tokio::net::TcpStream::connect(address)).await?;
    theirs.set_nodelay(true)?;
    let (mut one, mut other, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // A B, B A, A B: whatever drifts meets both.
        let pair = if round % 2 == 0 {
            let first = time(&mut ours, trips).await?;
            (first, in_tokio(time(&mut theirs, trips)).await?)
        } else {
            let first = in_tokio(time(&mut theirs, trips)).await?;
            (time(&mut ours, trips).await?, first)
        };
        one.push(pair.0);
        other.push(pair.1);
        ratios.push(pair.1.as_secs_f64() / pair.0.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    println!("a round trip, median of {rounds} rounds of {trips}:");
    println!("  this library's socket       {:?}", median(one));
    println!("  tokio's under tokio_compat  {:?}", median(other));
    let (least, most) = (ratios[0], ratios[rounds - 1]);
    println!(
        "  ratio {:.2} ({least:.2} to {most:.2})",
        ratios[rounds / 2]
    );
    Ok(())
}

async fn time<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    trips: usize,
) -> std::io::Result<Duration> {
    let start = Instant::now();
    for _ in 0..trips {
        stream.write_all(b"x").await?;
        stream.read_u8().await?;
    }
    Ok(start.elapsed() / trips as u32)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The other side, which is the same for both: a thread for each connection, that blocks.
fn echo() -> std::io::Result<SocketAddr> {
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
