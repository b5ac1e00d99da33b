//! The floor a fourth time: the tasks of `tasks`, but with one set of sockets that all threads share, as a runtime has whose tasks may run anywhere.
//!
//! One thread at a time asks the system, as the duty of our reactor is one worker's; who finds that taken sleeps until a thread has got more events than
//! it cares to serve alone. Whoever got an event runs its task, so that a connection wanders from thread to thread. Still there is no search, no clock, no
//! timer, no budget and no guard, and a task that waits in one thread's queue is there until that thread comes to it.

use std::io::{self, ErrorKind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::thread::{self, Thread};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use super::conversation::Protocol;
use super::floor::{LISTENER, accept_all};
use super::serve::listener;
use super::tasks::{self, Socket};
use crate::Result;
use crate::cli::Options;
use crate::process::answer_usage;

/// As [`super::serve::streams`].
pub(super) fn streams<const ROOM: usize>(options: &Options, protocol: Protocol) -> Result {
    let (listener, port) = listener(options.port)?;
    let poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let mut listener = TcpListener::from_std(listener);
    registry.register(&mut listener, LISTENER, Interest::READABLE)?;
    let shared = Arc::new(Shared {
        poll: Mutex::new(poll),
        registry,
        listener,
        protocol,
        sockets: (0..MOST_SOCKETS).map(|_| OnceLock::new()).collect(),
        used: AtomicUsize::new(0),
        threads: OnceLock::new(),
    });
    let threads = (0..options.workers).map(|_| {
        let shared = shared.clone();
        let run = move || shared.run::<ROOM>().expect("the system reports events");
        Ok(thread::Builder::new()
            .name("mio".into())
            .spawn(run)?
            .thread()
            .clone())
    });
    let threads = threads.collect::<io::Result<_>>()?;
    shared.threads.set(threads).expect("set nowhere else");
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

struct Shared {
    poll: Mutex<Poll>,
    registry: Registry,
    listener: TcpListener,
    protocol: Protocol,
    /// By token. No place is used twice: a server lives for some rounds.
    sockets: Box<[OnceLock<Arc<Socket>>]>,
    used: AtomicUsize,
    threads: OnceLock<Vec<Thread>>,
}

impl Shared {
    fn run<const ROOM: usize>(&self) -> io::Result<()> {
        let mut events = Events::with_capacity(AT_ONCE);
        loop {
            match self.poll.try_lock() {
                Ok(mut poll) => match poll.poll(&mut events, None) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    result => result?,
                },
                Err(TryLockError::WouldBlock) => {
                    thread::park();
                    continue;
                }
                Err(TryLockError::Poisoned(error)) => panic!("{error}"),
            }
            if events.iter().nth(FEW).is_some() {
                self.call_others();
            }
            for event in &events {
                match event.token() {
                    LISTENER => accept_all(&self.listener, |stream| self.serve::<ROOM>(stream)),
                    Token(place) => self.deliver(place, event.is_read_closed()),
                }
            }
            tasks::run_all();
        }
    }

    fn call_others(&self) {
        let me = thread::current().id();
        let threads = self.threads.get().into_iter().flatten();
        threads
            .filter(|thread| thread.id() != me)
            .for_each(Thread::unpark);
    }

    fn deliver(&self, place: usize, closed: bool) {
        let socket = self.sockets[place].get().expect("set before it is watched");
        socket.deliver();
        if closed {
            // As in `awaited`.
            tasks::run_all();
            socket.deliver();
        }
    }

    fn serve<const ROOM: usize>(&self, mut stream: TcpStream) -> io::Result<()> {
        let place = self.used.fetch_add(1, Relaxed);
        let full = || io::Error::other("a server of this kind serves no more connections");
        let socket = self.sockets.get(place).ok_or_else(full)?;
        let socket = socket.get_or_init(Arc::default);
        self.registry
            .register(&mut stream, Token(place), Interest::READABLE)?;
        tasks::spawn::<ROOM>(stream, socket.clone(), self.protocol).detach();
        Ok(())
    }
}

/// As many events as our runtime takes.
const AT_ONCE: usize = 64;
/// A thread serves so many alone, rather than wake another.
const FEW: usize = 16;
const MOST_SOCKETS: usize = 1 << 20;
