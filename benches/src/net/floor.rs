//! The floor: the same servers as loops over mio, one a thread, without a runtime. Nothing that has one can do with less.
//!
//! There are two. In one a connection is a struct with a function that serves it; in the other the future of the servers on runtimes (`awaited`),
//! so that their difference is what `await` costs before there are wakers, queues and other threads.
//!
//! The first loop accepts, and hands connections out round-robin. A connection belongs to one loop for good: no tasks, no wakers, no
//! stealing, and no help if one loop has more to do than another. Tokens are descriptors, which are unique while they are open.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{net, thread};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};

use super::conversation::{Conversation, Protocol};
use super::serve::{ROOM, listener, socket};
use crate::Result;
use crate::cli::Options;
use crate::process::answer_usage;

/// As [`super::serve::streams`].
pub(super) fn streams<const ROOM: usize>(options: &Options, protocol: Protocol) -> Result {
    serve::<Connection<ROOM>>(options, protocol)
}

/// A connection in a loop.
pub(super) trait Served: Send + 'static {
    fn new(stream: TcpStream, protocol: Protocol) -> Self;

    /// Answers what is there. False: the peer has closed the connection.
    fn serve(&mut self, closed: bool) -> io::Result<bool>;
}

pub(super) fn serve<C: Served>(options: &Options, protocol: Protocol) -> Result {
    let (listener, port) = listener(options.port)?;
    let mut loops = Vec::new();
    let mut others = Vec::new();
    for _ in 0..options.workers {
        let (sender, inbox) = mpsc::channel();
        let poll = Poll::new()?;
        others.push((poll.registry().try_clone()?, sender));
        loops.push(Loop::<C> {
            poll,
            inbox,
            connections: Vec::new(),
            protocol,
            acceptor: None,
        });
    }
    let first = loops.first_mut().ok_or("--workers 0: nobody would serve")?;
    first.acceptor = Some(Acceptor::new(listener, &first.poll, others)?);
    for each in loops {
        thread::Builder::new().name("mio".into()).spawn(|| {
            each.run().expect("the system reports events");
        })?;
    }
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

/// One loop: one socket is one queue. As [`super::serve::datagrams`].
pub(super) fn datagrams(options: &Options) -> Result {
    let mut socket = UdpSocket::from_std(socket(options.port)?);
    let port = socket.local_addr()?.port();
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut socket, LISTENER, Interest::READABLE)?;
    thread::Builder::new().name("mio".into()).spawn(move || {
        let mut events = Events::with_capacity(1);
        let mut buffer = [0; ROOM];
        loop {
            poll.poll(&mut events, None)
                .expect("the system reports events");
            while let Ok((read, from)) = socket.recv_from(&mut buffer) {
                // One that is lost is sent again.
                let _ = socket.send_to(&buffer[..read], from);
            }
        }
    })?;
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

struct Loop<C> {
    poll: Poll,
    /// Connections that the acceptor has registered here.
    inbox: Receiver<TcpStream>,
    /// By descriptor.
    connections: Vec<Option<Box<C>>>,
    protocol: Protocol,
    acceptor: Option<Acceptor>,
}

impl<C: Served> Loop<C> {
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.acceptor.iter_mut().for_each(Acceptor::accept);
                } else {
                    self.serve(event);
                }
            }
        }
    }

    fn serve(&mut self, event: &Event) {
        let descriptor = event.token().0;
        while self.connections.get(descriptor).is_none_or(Option::is_none) {
            let stream = self
                .inbox
                .recv()
                .expect("an event is for a connection that was sent here before");
            let place = stream.as_raw_fd() as usize;
            if self.connections.len() <= place {
                self.connections.resize_with(place + 1, || None);
            }
            self.connections[place] = Some(Box::new(C::new(stream, self.protocol)));
        }
        let place = &mut self.connections[descriptor];
        let connection = place.as_mut().expect("looked at above");
        if !connection
            .serve(event.is_read_closed())
            .is_ok_and(|open| open)
        {
            *place = None;
        }
    }
}

struct Connection<const ROOM: usize> {
    stream: TcpStream,
    conversation: Conversation<ROOM>,
}

impl<const ROOM: usize> Served for Connection<ROOM> {
    fn new(stream: TcpStream, protocol: Protocol) -> Self {
        Self {
            stream,
            conversation: Conversation::new(protocol),
        }
    }

    fn serve(&mut self, closed: bool) -> io::Result<bool> {
        loop {
            let room = self.conversation.room()?;
            let size = room.len();
            let read = match self.stream.read(room) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let answer = self.conversation.answer(read);
            // The load reads all answers, so there is room for this one in the socket.
            self.stream.write_all(answer)?;
            // As both runtimes take it: a short read has read everything but the end of the stream.
            if read < size && !closed {
                return Ok(true);
            }
        }
    }
}

struct Acceptor {
    listener: TcpListener,
    loops: Vec<(Registry, Sender<TcpStream>)>,
    next: usize,
}

impl Acceptor {
    fn new(
        listener: net::TcpListener,
        poll: &Poll,
        loops: Vec<(Registry, Sender<TcpStream>)>,
    ) -> io::Result<Self> {
        let mut listener = TcpListener::from_std(listener);
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            listener,
            loops,
            next: 0,
        })
    }

    fn accept(&mut self) {
        let Self {
            listener,
            loops,
            next,
        } = self;
        accept_all(listener, |stream| {
            let (registry, loop_) = &loops[*next];
            *next = (*next + 1) % loops.len();
            hand_out(stream, registry, loop_)
        });
    }
}

fn hand_out(stream: TcpStream, registry: &Registry, loop_: &Sender<TcpStream>) -> io::Result<()> {
    let descriptor = stream.as_raw_fd();
    // Sent before it is registered, so that an event finds it. The loop does not touch it without an event.
    loop_
        .send(stream)
        .expect("a loop runs until the process ends");
    registry.register(
        &mut SourceFd(&descriptor),
        Token(descriptor as usize),
        Interest::READABLE,
    )
}

/// Accepts whoever is there, and calls `serve` with each.
pub(super) fn accept_all(
    listener: &TcpListener,
    mut serve: impl FnMut(TcpStream) -> io::Result<()>,
) {
    loop {
        let accepted = match listener.accept() {
            Ok((stream, _)) => stream.set_nodelay(true).and_then(|()| serve(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => return eprintln!("accept: {error}"),
        };
        if let Err(error) = accepted {
            eprintln!("accept: {error}");
        }
    }
}

pub(super) const LISTENER: Token = Token(usize::MAX);
