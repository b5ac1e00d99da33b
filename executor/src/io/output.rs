//! The process's standard output and standard error: what all handles write, in the order in which they wrote it.
//!
//! ```text
//!   Stdout a ──chunk──▶ ┌───────┐ ──▶ a job of the pool, under the stream's lock: writes chunks until its own is written
//!   Stdout b ──chunk──▶ │ QUEUE │ ──▶ another job: finds that its own is written, or goes on
//! ```
//! Each chunk brings one job along. Which job writes which chunk does not matter: chunks leave the queue, and are answered, under the
//! stream's lock only. So a job that holds the lock and finds no answer to its own chunk finds that chunk in the queue.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;

use crate::coop::poll_counted;
use crate::task::JoinHandle;
use crate::task_api::{not_carried_out, spawn_mandatory};

/// A stream of the process.
pub(super) trait Stream: 'static {
    fn queue() -> &'static Queue;
    fn lock() -> impl Write;
}

#[derive(Debug)]
pub(super) struct ToStdout;

#[derive(Debug)]
pub(super) struct ToStderr;

pub(super) type Queue = Mutex<VecDeque<Chunk>>;

pub(super) struct Chunk {
    bytes: Vec<u8>,
    answer: Answer,
}

type Answer = Arc<Mutex<Option<io::Result<()>>>>;

/// One of those who write. At most one of its chunks is under way.
pub(super) struct Writer<S> {
    pending: Option<(JoinHandle<()>, Answer)>,
    _stream: PhantomData<fn() -> S>,
}

// A panic leaves nothing half-done in an answer: it is stored in one step.
impl<S> UnwindSafe for Writer<S> {}
impl<S> RefUnwindSafe for Writer<S> {}

impl<S: Stream> Writer<S> {
    pub(super) const fn new() -> Self {
        Self {
            pending: None,
            _stream: PhantomData,
        }
    }

    /// Copies bytes and begins to write them. The error is that of the write before.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll_counted(cx, |cx| self.poll_write_uncounted(cx, bytes))
    }

    /// Waits until what this one wrote is written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_counted(cx, |cx| self.poll_flush_uncounted(cx))
    }

    fn poll_write_uncounted(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush_uncounted(cx))?;
        let bytes = &bytes[..bytes.len().min(MOST)];
        if !bytes.is_empty() {
            let answer = Answer::default();
            S::queue().lock().push_back(Chunk {
                bytes: bytes.to_vec(),
                answer: answer.clone(),
            });
            let own = answer.clone();
            let job = spawn_mandatory(move || write_until_answered::<S>(&own));
            self.pending = Some((job, answer));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush_uncounted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((job, answer)) = &mut self.pending else {
            return Poll::Ready(Ok(()));
        };
        let ended = ready!(job.poll_output(cx.waker()));
        if ended.is_err() {
            // The job never ran. The chunk is left to nobody, unless another job was faster.
            let own = |chunk: &Chunk| Arc::ptr_eq(&chunk.answer, answer);
            S::queue().lock().retain(|chunk| !own(chunk));
        }
        let answer = answer.lock().take();
        self.pending = None;
        Poll::Ready(match (answer, ended) {
            (Some(answer), _) => answer,
            (None, Err(error)) => Err(not_carried_out(error)),
            (None, Ok(())) => unreachable!("a job ends when its chunk is answered"),
        })
    }
}

fn write_until_answered<S: Stream>(own: &Answer) {
    let mut stream = S::lock();
    while own.lock().is_none() {
        let chunk = S::queue().lock().pop_front();
        let chunk = chunk.expect("a chunk without an answer is in the queue");
        // The standard library has a buffer for lines; what is written here shall not stay in it.
        let result = stream.write_all(&chunk.bytes).and_then(|()| stream.flush());
        *chunk.answer.lock() = Some(result);
    }
}

impl Stream for ToStdout {
    fn queue() -> &'static Queue {
        static QUEUE: Queue = Mutex::new(VecDeque::new());
        &QUEUE
    }

    fn lock() -> impl Write {
        io::stdout().lock()
    }
}

impl Stream for ToStderr {
    fn queue() -> &'static Queue {
        static QUEUE: Queue = Mutex::new(VecDeque::new());
        &QUEUE
    }

    fn lock() -> impl Write {
        io::stderr().lock()
    }
}

/// How much is copied in one go.
const MOST: usize = 2 << 20;
