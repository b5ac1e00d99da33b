//! A server that may open 64 descriptors, and accepts in a loop that tries again at once, under more connections than that.
//!
//! The parent opens connections until the server has no descriptor left and many wait to be accepted: from then on each accept fails,
//! and the listener stays readable. For a while it looks at the server's CPU time, and at an old connection. Then it closes ten
//! connections and waits until the next ten in the queue are served.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::milliseconds;
use crate::Result;
use crate::peers::{Sockets, echo};
use crate::process::{Child, answer_usage};

/// The child process: prints its port and answers for its usage.
pub(super) fn serve<R: Sockets>(workers: usize) -> Result {
    limit_descriptors()?;
    let runtime = R::start(workers)?;
    let address = runtime.block_on(echo::serve::<R>())?;
    println!("{}", address.port());
    answer_usage()
}

/// The figures of one server, flooded for `length`.
pub(super) fn flood(mut server: Child, length: Duration) -> Result<Vec<f64>> {
    let port: u16 = server.line()?.parse()?;
    let mut old = connect(port)?;
    round_trip(&mut old)?;
    let mut queue = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = connect(port)?;
        stream.write_all(b"?")?;
        queue.push(stream);
    }
    thread::sleep(SETTLE);
    let mut served = Vec::new();
    // They are accepted in the order in which they came.
    while let Some(true) = queue.first_mut().map(has_answer).transpose()? {
        served.push(queue.remove(0));
    }
    if queue.len() < FREED || served.len() < FREED {
        return Err(format!("{} of {CONNECTIONS} are served", served.len()).into());
    }

    let (before, start) = (server.usage()?, Instant::now());
    let mut worst = Duration::ZERO;
    while start.elapsed() < length {
        let sent = Instant::now();
        round_trip(&mut old)?;
        worst = worst.max(sent.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    let used = server.usage()?.since(before);
    let share = (used.user + used.system).as_secs_f64() / start.elapsed().as_secs_f64();

    let accepted = served.len() + 1;
    let freed = Instant::now();
    served.truncate(served.len() - FREED);
    let mut answered = Vec::new();
    for stream in &mut queue[..FREED] {
        answered.push(match stream.read_exact(&mut [0]) {
            Ok(()) => milliseconds(freed.elapsed()),
            Err(error) if is_timeout(&error) => f64::INFINITY,
            Err(error) => return Err(error.into()),
        });
    }
    Ok(vec![
        accepted as f64,
        share * 100.0,
        milliseconds(worst),
        answered[0],
        answered[FREED - 1],
    ])
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn round_trip(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])
}

/// Whether the answer to the first byte has come by now.
fn has_answer(stream: &mut TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let read = stream.read_exact(&mut [0]);
    stream.set_nonblocking(false)?;
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a socket says when its time is up.
fn is_timeout(error: &io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
}

fn limit_descriptors() -> io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: DESCRIPTORS,
        rlim_max: DESCRIPTORS,
    };
    // SAFETY: the pointer is to a live local of the type that the call reads.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const DESCRIPTORS: libc::rlim_t = 64;
/// All of them fit into the queue of a listener.
const CONNECTIONS: usize = 120;
const FREED: usize = 10;
/// Long enough to accept what can be accepted.
const SETTLE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);
