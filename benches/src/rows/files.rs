//! A file that is in memory, sent over a connection of this machine: by `net::sendfile`, and by copies through the program. Ours only.
//!
//! Who receives is in the process that runs the rounds, and says how much has come.

use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::mem;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use executor::io::{self, AsyncReadExt, AsyncWriteExt, BufReader};
use executor::net::{TcpStream, sendfile};

use super::Row;
use crate::Result;
use crate::cli::Options;
use crate::peers::{Executor, Runtime};
use crate::process::Usage;

pub(super) fn rows<R: Runtime>() -> Vec<Row> {
    if R::NAME != Executor::NAME {
        return Vec::new();
    }
    let title = "a file of so many MiB to a socket: by sendfile, by io::copy, and by io::copy_buf with a buffer of 256 KiB";
    let row = |mib| {
        let measure = move |options: &Options| times(options, mib);
        Row::new("file", title, &METRICS, measure).with("MiB", mib)
    };
    vec![row(64), row(1024).rounds_at_most(5)]
}

const METRICS: [&str; 8] = [
    "sendfile ms",
    "copy ms",
    "copy_buf ms",
    "copy/sendfile",
    "copy_buf/sendfile",
    "sendfile CPU ms",
    "copy CPU ms",
    "copy_buf CPU ms",
];

#[derive(Clone, Copy)]
enum Way {
    Sendfile,
    Copy,
    CopyBuf,
}

/// Wall time, and processor time of this process.
type Cost = [Duration; 2];

/// Each way twice, in an order that favours none.
fn times(options: &Options, mib: usize) -> Result<Vec<f64>> {
    let len = if options.smoke { 1 } else { mib as u64 } << 20;
    let file = file(len)?;
    let runtime = Executor::start(options.workers)?;
    let mut costs = [[Duration::ZERO; 2]; 3];
    let order = [Way::Sendfile, Way::Copy, Way::CopyBuf];
    for way in order.into_iter().chain(order.into_iter().rev()) {
        let (file, port) = (file.try_clone()?, options.port);
        let sent =
            runtime.block_on(async move { Executor::spawn(send(file, len, way, port)).await })?;
        for (sum, cost) in costs[way as usize].iter_mut().zip(sent) {
            *sum += cost / 2;
        }
    }
    mem::forget(runtime);
    let [
        [sendfile, sendfile_cpu],
        [copy, copy_cpu],
        [copy_buf, copy_buf_cpu],
    ] = costs.map(|cost| cost.map(|time| time.as_secs_f64() * 1000.0));
    Ok(vec![
        sendfile,
        copy,
        copy_buf,
        copy / sendfile,
        copy_buf / sendfile,
        sendfile_cpu,
        copy_cpu,
        copy_buf_cpu,
    ])
}

async fn send(file: File, len: u64, way: Way, port: u16) -> Result<Cost> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (start, before) = (Instant::now(), Usage::of_this_process()?);
    match way {
        Way::Sendfile => sendfile(&file, &mut (0..len), &mut socket).await?,
        Way::Copy => io::copy(&mut from_its_start(file).await?, &mut socket).await?,
        Way::CopyBuf => {
            let file = from_its_start(file).await?;
            io::copy_buf(&mut BufReader::with_capacity(BUFFER, file), &mut socket).await?
        }
    };
    socket.shutdown().await?;
    if socket.read_u64().await? != len {
        return Err("not all of it has come".into());
    }
    let used = Usage::of_this_process()?.since(before);
    Ok([start.elapsed(), used.user + used.system])
}

/// Copies of a descriptor share the place.
async fn from_its_start(file: File) -> Result<executor::fs::File> {
    use executor::io::AsyncSeekExt;

    let mut file = executor::fs::File::from_std(file);
    file.rewind().await?;
    Ok(file)
}

/// Written, so that it is in memory, and without a name.
fn file(len: u64) -> Result<File> {
    let path = env::temp_dir().join(format!("executor-benches-{}", std::process::id()));
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(path)?;
    let block = vec![b'x'; 1 << 20];
    for _ in 0..len >> 20 {
        file.write_all(&block)?;
    }
    Ok(file)
}

/// Receives what comes over each connection to a port, which it returns, until the process ends.
pub(super) fn receive() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        for stream in listener.incoming() {
            let mut stream = stream.expect("one connection at a time");
            let mut received = 0_u64;
            loop {
                match stream.read(&mut buffer).expect("the sender is well") {
                    0 => break,
                    n => received += n as u64,
                }
            }
            // A sender that is gone sees no answer.
            let _ = stream.write_all(&received.to_be_bytes());
        }
    });
    Ok(port)
}

const BUFFER: usize = 256 << 10;
