//! What the other clients of our HTTP server notice of clients whose heads never end.
//!
//! Each round is two: alone, and beside clients that have begun a head and send a byte of it each second; the order turns from round to round. A round is shorter than the
//! 30 seconds after which the server cuts them off.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Result;
use crate::cli::Options;
use crate::net::{Server, Service};
use crate::process::more_descriptors;

/// A server by `executor::http::serve`.
pub(super) struct Besieged {
    server: Server,
    beside_first: bool,
}

impl Besieged {
    /// Nothing if ours does not take part.
    pub(super) fn start(options: &Options) -> Result<Option<Self>> {
        let mut contestants = options.contestants().into_iter();
        let takes_part = contestants.any(|each| each.name == OURS && each.with_sockets.is_some());
        if !takes_part {
            return Ok(None);
        }
        more_descriptors()?;
        let options = with_limits(options);
        let mut server = Server::start(OURS, &options)?;
        // The warm-up.
        server.round(options.connections[0], &options)?;
        Ok(Some(Self {
            server,
            beside_first: false,
        }))
    }

    pub(super) fn round(&mut self, options: &Options) -> Result<Vec<f64>> {
        self.beside_first = !self.beside_first;
        let (alone, beside) = if self.beside_first {
            let beside = self.half(options, true)?;
            (self.half(options, false)?, beside)
        } else {
            (self.half(options, false)?, self.half(options, true)?)
        };
        Ok(vec![
            alone.p99,
            beside.p99,
            beside.p99 / alone.p99,
            alone.per_second,
            beside.per_second,
        ])
    }

    fn half(&mut self, options: &Options, beside: bool) -> Result<Half> {
        let heads = if options.smoke { FEW_HEADS } else { HEADS };
        let port = self.server.port()?;
        let heads = beside.then(|| SlowHeads::open(port, heads)).transpose()?;
        let options = with_limits(options);
        let round = self.server.round(options.connections[0], &options)?;
        if let Some(heads) = heads {
            heads.close()?;
        }
        Ok(Half {
            p99: round.seen("p99 us")?,
            per_second: round.requests_per_second,
        })
    }
}

struct Half {
    p99: f64,
    per_second: f64,
}

fn with_limits(options: &Options) -> Options {
    Options {
        service: Service::Limited,
        ..options.clone()
    }
}

/// Clients, and the thread that speaks for them.
struct SlowHeads {
    ends: Arc<AtomicBool>,
    speaker: JoinHandle<io::Result<()>>,
}

impl SlowHeads {
    fn open(port: u16, heads: usize) -> Result<Self> {
        let connect = |_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.write_all(b"GET / HTTP/1.1\r\nx: ")?;
            Ok(stream)
        };
        let streams = (0..heads).map(connect).collect::<io::Result<Vec<_>>>()?;
        let ends = Arc::new(AtomicBool::new(false));
        let speaker = thread::spawn({
            let ends = ends.clone();
            move || drip(streams, &ends)
        });
        Ok(Self { ends, speaker })
    }

    /// An error if the server has cut one off: then the round was not what it is said to be.
    fn close(self) -> Result {
        // Relaxed: nothing else is said by it.
        self.ends.store(true, Relaxed);
        Ok(self.speaker.join().expect("the speaker does not panic")?)
    }
}

/// A byte of each in turn, all within a second.
fn drip(mut streams: Vec<TcpStream>, ends: &AtomicBool) -> io::Result<()> {
    let (start, mut spoken) = (Instant::now(), 0);
    let each = SECOND / streams.len() as u32;
    while !ends.load(Relaxed) {
        thread::sleep(SECOND / 100);
        while each * spoken < start.elapsed() {
            let next = spoken as usize % streams.len();
            streams[next].write_all(b"x")?;
            spoken += 1;
        }
    }
    Ok(())
}

const OURS: &str = "executor";
const HEADS: usize = 2000;
const FEW_HEADS: usize = 200;
const SECOND: Duration = Duration::from_secs(1);
