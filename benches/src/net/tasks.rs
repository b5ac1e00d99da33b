//! The floor a third time, with what makes a task of a future, and nothing else: what each runtime has whose tasks may be woken and taken by others.
//!
//! Each connection is a task of `async-task`, whose socket has a word of readiness and keeps its reader's waker in an `AtomicWaker`; an event wakes the
//! task, which goes through the queue of crossbeam-deque and is polled from there. So others could wake it and take it, but nobody does, or looks for any:
//! there is no search, no clock, no timer, no budget, no guard, no count of who is awake, and each loop has sockets of its own. Nor
//! does a task wait while others of the same events are woken, so that the cache still has what the event has touched.

use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::{Context, Poll};

use async_task::{Runnable, Task};
use crossbeam_deque::Worker;
use futures::task::AtomicWaker;
use mio::net::TcpStream;
use tokio::io::{AsyncRead, ReadBuf};

use super::awaited::{Bytes, converse};
use super::conversation::Protocol;
use super::floor::{self, Served};
use crate::Result;
use crate::cli::Options;

/// As [`super::serve::streams`].
pub(super) fn streams<const ROOM: usize>(options: &Options, protocol: Protocol) -> Result {
    floor::serve::<Connection<ROOM>>(options, protocol)
}

struct Connection<const ROOM: usize> {
    socket: Arc<Socket>,
    task: Task<io::Result<()>>,
}

/// What the loop and a task's stream share.
#[derive(Default)]
pub(super) struct Socket {
    ready: AtomicBool,
    reader: AtomicWaker,
}

impl Socket {
    pub(super) fn deliver(&self) {
        // Pairs with the loads in `is_ready`; which of the two comes last is told by the lock in `AtomicWaker`.
        self.ready.store(true, Release);
        self.reader.wake();
    }

    fn is_ready(&self, context: &Context<'_>) -> bool {
        self.ready.load(Acquire) || {
            self.reader.register(context.waker());
            self.ready.load(Acquire)
        }
    }

    /// An event that comes at this moment is lost with it, if another thread delivers: not where the peer waits for an answer to each request.
    fn clear(&self) {
        self.ready.store(false, Relaxed);
    }
}

impl<const ROOM: usize> Served for Connection<ROOM> {
    fn new(stream: TcpStream, protocol: Protocol) -> Self {
        let socket = Arc::<Socket>::default();
        let task = spawn::<ROOM>(stream, socket.clone(), protocol);
        Self { socket, task }
    }

    fn serve(&mut self, closed: bool) -> io::Result<bool> {
        // As in `awaited`.
        for _ in 0..1 + usize::from(closed) {
            self.socket.deliver();
            run_all();
        }
        Ok(!self.task.is_finished())
    }
}

/// A task that serves a connection, in this thread's queue.
pub(super) fn spawn<const ROOM: usize>(
    stream: TcpStream,
    socket: Arc<Socket>,
    protocol: Protocol,
) -> Task<io::Result<()>> {
    let bytes = Bytes {
        stream,
        readiness: socket,
    };
    let (runnable, task) = async_task::spawn(converse::<ROOM, _>(bytes, protocol), push);
    runnable.schedule();
    task
}

thread_local! {
    /// The loop's.
    static QUEUE: Worker<Runnable> = Worker::new_fifo();
}

fn push(runnable: Runnable) {
    QUEUE.with(|queue| queue.push(runnable));
}

pub(super) fn run_all() {
    while let Some(runnable) = QUEUE.with(Worker::pop) {
        runnable.run();
    }
}

impl AsyncRead for Bytes<Arc<Socket>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.readiness.is_ready(context) {
                return Poll::Pending;
            }
            let room = buffer.initialize_unfilled();
            let size = room.len();
            match self.stream.read(room) {
                Ok(read) => {
                    if 0 < read && read < size {
                        self.readiness.clear();
                    }
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readiness.clear(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
