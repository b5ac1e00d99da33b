//! The process's standard input: one thread reads it, on request, and nobody ever waits for that thread to end.
//!
//! ```text
//!   Stdin ──asks, unless somebody has──▶ ┌─────────┐ ──the request──▶ thread `executor-stdin`, which blocks in `read`
//!         ◀──bytes, the end, an error─── │ `INPUT` │ ◀──the answer───
//!         ┄┄leaves its waker┄┄┄┄┄┄┄┄┄┄┄▶ └─────────┘
//! ```
//! The descriptor stays as it is, blocking: others share it, who would be surprised. A thread that blocks in `read` cannot be
//! interrupted, so it must be none that a runtime waits for. An answer that nobody waits for any more stays for whoever asks next.
//!
//! At most one request is open, and only while nothing is unread, so an answer never meets another. The end and errors are each told
//! to one reader: a terminal may go on after its end.

use std::io::{self, Read};
use std::ops::Range;
use std::task::{Context, Poll, Waker};
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::coop::poll_counted;
use crate::task::wake_quietly;

/// One of those who read. Its place among those who wait is given up when it is dropped.
#[derive(Debug)]
pub(super) struct Reader {
    key: u64,
}

struct Input {
    state: Mutex<State>,
    /// There is a request.
    asked: Condvar,
}

struct State {
    bytes: Vec<u8>,
    unread: Range<usize>,
    /// The end, or an error.
    ended: Option<io::Result<()>>,
    /// How many bytes the thread is to read at most, until it has answered.
    request: Option<usize>,
    has_thread: bool,
    waiting: Vec<(u64, Waker)>,
    next_key: u64,
}

static INPUT: Input = Input {
    state: Mutex::new(State {
        bytes: Vec::new(),
        unread: 0..0,
        ended: None,
        request: None,
        has_thread: false,
        waiting: Vec::new(),
        next_key: 0,
    }),
    asked: Condvar::new(),
};

impl Reader {
    pub(super) fn new() -> Self {
        let mut state = INPUT.state.lock();
        state.next_key += 1;
        Self {
            key: state.next_key,
        }
    }

    /// Calls `take` with at least one and at most `most` bytes, and says how many; with none at the end.
    pub(super) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        most: usize,
        take: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        poll_counted(cx, |cx| {
            if most == 0 {
                return Poll::Ready(Ok(0));
            }
            // Cloned before and dropped after the lock is held: that is user code.
            let mut waker = Some(cx.waker().clone());
            let mut state = INPUT.state.lock();
            if !state.unread.is_empty() {
                let bytes = &state.bytes[state.unread.clone()];
                let count = bytes.len().min(most);
                take(&bytes[..count]);
                state.unread.start += count;
                return Poll::Ready(Ok(count));
            }
            if let Some(ended) = state.ended.take() {
                return Poll::Ready(ended.map(|()| 0));
            }
            if let Err(error) = state.ask(most) {
                return Poll::Ready(Err(error));
            }
            state.wait(self.key, &mut waker);
            Poll::Pending
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Dropped after the lock is released.
        let mut waker = None;
        INPUT.state.lock().wait(self.key, &mut waker);
    }
}

impl State {
    /// Has the thread read, unless it does already. The first time, starts it.
    fn ask(&mut self, most: usize) -> io::Result<()> {
        if self.request.is_some() {
            return Ok(());
        }
        if !self.has_thread {
            thread::Builder::new()
                .name("executor-stdin".into())
                .spawn(serve)?;
            self.has_thread = true;
        }
        self.request = Some(most.min(MOST));
        INPUT.asked.notify_one();
        Ok(())
    }

    /// Exchanges a reader's waker, which may be none.
    fn wait(&mut self, key: u64, waker: &mut Option<Waker>) {
        let place = self.waiting.iter().position(|(other, _)| *other == key);
        match (place, waker.take()) {
            (Some(place), Some(new)) => {
                *waker = Some(std::mem::replace(&mut self.waiting[place].1, new));
            }
            (Some(place), None) => *waker = Some(self.waiting.swap_remove(place).1),
            (None, Some(new)) => self.waiting.push((key, new)),
            (None, None) => {}
        }
    }
}

/// The thread's life.
fn serve() {
    let mut bytes = Vec::new();
    loop {
        let most = next_request();
        if bytes.len() < most {
            bytes.resize(most, 0);
        }
        let result = read(&mut bytes[..most]);
        let mut state = INPUT.state.lock();
        match result {
            Ok(count) if count > 0 => {
                std::mem::swap(&mut state.bytes, &mut bytes);
                state.unread = 0..count;
            }
            ended => state.ended = Some(ended.map(drop)),
        }
        state.request = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for (_, waker) in waiting {
            // A waker that panics must not take the thread along.
            wake_quietly(waker);
        }
    }
}

fn next_request() -> usize {
    let mut state = INPUT.state.lock();
    loop {
        if let Some(most) = state.request {
            return most;
        }
        INPUT.asked.wait(&mut state);
    }
}

/// Through the standard library's buffer: what it holds already is not skipped.
fn read(buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match io::stdin().lock().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// As much as a pipe holds.
const MOST: usize = 64 << 10;
