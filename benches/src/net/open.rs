//! The open loop: questions at a fixed rate, whatever the server does.
//!
//! ```text
//!   due      0      1      2      3      4      5           question i is due at i / rate, on connection i % connections
//!   asked    0      1      2            .345                the server stood still: 3 to 5 waited until their connections were free,
//!   latency  ──     ──     ─────────────────                and what they waited counts, from when they were due
//! ```
//!
//! In a closed loop a server that stands still is asked less, and so the one question under way is all that shows: the omission is
//! coordinated with the stall. Here each question counts from when it was due, whether it could be asked then or not. Also if this thread
//! itself comes late, which has a figure of its own.
//!
//! One thread, one epoll, and a timerfd for the next question that is due.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::client::{Client, SILENCE};
use super::seen::Seen;
use crate::Result;

/// Asks `rate` questions a second for so long, and hears all answers.
pub(super) fn load(
    poll: &mut Poll,
    clients: &mut [impl Client],
    length: Duration,
    rate: f64,
) -> Result<Seen> {
    let mut seen = Seen::new()?;
    let mut events = Events::with_capacity(clients.len() + 1);
    let timer = Timer::new(poll)?;
    let questions = (length.as_secs_f64() * rate) as u64;
    let mut schedule = Schedule::new(Instant::now(), rate, clients.len());
    let (mut next, mut unanswered) = (0, questions);
    while unanswered > 0 {
        while next < questions && schedule.due(next) <= Instant::now() {
            let index = (next % clients.len() as u64) as usize;
            if schedule.is_asked(index) {
                clients[index].ask()?;
                seen.late(schedule.due(next).elapsed());
            }
            next += 1;
        }
        if next < questions {
            timer.set(schedule.due(next))?;
        }
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            return Err(format!("the server did not answer for {SILENCE:?}").into());
        }
        for event in events.iter().filter(|event| event.token() != TIMER) {
            let index = event.token().0;
            if !schedule.is_under_way(index) || !clients[index].hear()? {
                continue;
            }
            let (due, asks) = schedule.answered(index);
            seen.answer(due.elapsed(), true);
            unanswered -= 1;
            if asks {
                clients[index].ask()?;
            }
        }
        if schedule.start.elapsed() > 2 * length + SILENCE {
            return Err("the server is slower than --rate, and its queue only grows".into());
        }
    }
    seen.length = schedule.start.elapsed();
    Ok(seen)
}

/// When each question is due, and how far each connection is.
struct Schedule {
    start: Instant,
    rate: f64,
    connections: Vec<Connection>,
}

#[derive(Clone, Default)]
struct Connection {
    answered: u64,
    /// How many were due, answered ones included: the first that is not answered is under way, the others wait.
    due: u64,
}

impl Schedule {
    fn new(start: Instant, rate: f64, connections: usize) -> Self {
        Self {
            start,
            rate,
            connections: vec![Connection::default(); connections],
        }
    }

    fn due(&self, question: u64) -> Instant {
        self.start + Duration::from_secs_f64(question as f64 / self.rate)
    }

    /// The next question of a connection is due. True: it can be asked now.
    fn is_asked(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        connection.due += 1;
        connection.due == connection.answered + 1
    }

    fn is_under_way(&self, index: usize) -> bool {
        self.connections[index].due > self.connections[index].answered
    }

    /// The question that is under way has an answer. Returns when it was due, and whether the next waits to be asked.
    fn answered(&mut self, index: usize) -> (Instant, bool) {
        let question = self.connections[index].answered * self.connections.len() as u64;
        let due = self.due(question + index as u64);
        self.connections[index].answered += 1;
        (due, self.is_under_way(index))
    }
}

/// Makes the epoll return at a time, to some microseconds. It is never read: setting it again forgets that it has gone off.
struct Timer {
    fd: OwnedFd,
}

impl Timer {
    fn new(poll: &Poll) -> io::Result<Self> {
        // SAFETY: the call takes two numbers.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above has just opened it, and nobody else knows of it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut source = SourceFd(&fd.as_raw_fd());
        poll.registry()
            .register(&mut source, TIMER, Interest::READABLE)?;
        Ok(Self { fd })
    }

    fn set(&self, at: Instant) -> io::Result<()> {
        // A value of zero would disarm it.
        let left = at
            .saturating_duration_since(Instant::now())
            .max(Duration::from_nanos(1));
        let value = libc::itimerspec {
            it_interval: libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: libc::timespec {
                tv_sec: left.as_secs() as libc::time_t,
                tv_nsec: left.subsec_nanos().into(),
            },
        };
        // SAFETY: the descriptor is open, the value is a live local of the type that the call reads, and null says that the old one is
        // not wanted.
        match unsafe { libc::timerfd_settime(self.fd.as_raw_fd(), 0, &value, std::ptr::null_mut()) }
        {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

const TIMER: Token = Token(usize::MAX);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;
    use crate::net::client::{Connection, Says};
    use crate::net::closed;

    const STALL: Duration = Duration::from_millis(300);
    const LENGTH: Duration = Duration::from_secs(1);

    /// A server for one connection that echoes, and stands still once, before its 50th answer.
    fn stalling_server() -> std::net::SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 64];
            for answer in 1.. {
                if stream.read_exact(&mut buffer).is_err() {
                    break;
                }
                if answer == 50 {
                    thread::sleep(STALL);
                }
                stream.write_all(&buffer).unwrap();
            }
        });
        address
    }

    fn seen(load: impl FnOnce(&mut Poll, &mut [Connection]) -> Result<Seen>) -> Seen {
        let mut poll = Poll::new().unwrap();
        let address = stalling_server();
        let client = Connection::open(address, Says::ECHO, poll.registry(), Token(0)).unwrap();
        load(&mut poll, &mut [client]).unwrap()
    }

    #[test]
    fn a_server_that_stands_still_is_seen_by_all_who_would_have_asked() {
        let open = seen(|poll, clients| load(poll, clients, LENGTH, 1000.0));
        let answers = open.line()["answers"].as_u64().unwrap();
        assert_eq!(answers, 1000, "as many as the rate says");
        // One was under way for all of the stall, and 300 more were due in it, each a millisecond later.
        assert!(open.count_above(STALL) >= 1);
        assert!(open.count_above(STALL / 2) >= 140);
        assert!(open.quantile(0.9) >= STALL / 2);
    }

    #[test]
    fn a_closed_loop_sees_the_stall_once() {
        let closed = seen(|poll, clients| closed::load(poll, clients, LENGTH));
        assert!(closed.count_above(STALL) >= 1);
        // However slow the machine: there is room for so many stalls only.
        assert!(closed.count_above(STALL / 2) <= 7);
    }

    #[test]
    fn questions_are_due_in_turn_and_wait_for_their_connection() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 10.0, 2);
        assert_eq!(schedule.due(3) - start, Duration::from_millis(300));
        assert!(schedule.is_asked(1));
        assert!(!schedule.is_asked(1), "the first is under way");
        let (due, asks) = schedule.answered(1);
        assert_eq!((due - start, asks), (Duration::from_millis(100), true));
        let (due, asks) = schedule.answered(1);
        assert_eq!((due - start, asks), (Duration::from_millis(300), false));
        assert!(!schedule.is_under_way(1));
    }
}
