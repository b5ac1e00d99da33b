//! A file behind the pool: one call at a time, and buffers between it and those who poll.
//!
//! ```text
//!   poll_fill ──▶ Idle ── read into `input` ──▶ Busy ──▶ Idle, bytes in `input` ──consume──▶ the reader
//!   poll_write ─▶ Idle ── copy to `output`, write it ──▶ Busy ┄┄ whoever polls next collects the answer
//!   poll_seek ──▶ Idle ── seek ──▶ Busy ──▶ Idle, the new position
//! ```
//! Whoever finds a call under way waits for it first, so calls happen in the order in which they were begun. A future that is
//! dropped loses nothing: what was read for it stays in `input`, what it wrote goes on being written.
//!
//! The file's own position is past what lies in `input`. Every call for which the position matters first moves it back.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::coop;
use crate::task::{JoinHandle, spawn_blocking};
use crate::task_api::{not_carried_out, spawn_mandatory};

/// The side of a file that is polled. By `&mut`: one at a time.
pub(super) struct Engine {
    file: Arc<File>,
    state: State,
    /// Of a write whose answer somebody else collected.
    write_error: Option<io::Error>,
    /// Where the last seek led.
    position: u64,
}

enum State {
    Idle(Buffers),
    Busy(Call, JoinHandle<(io::Result<u64>, Buffers)>),
}

/// What a call is for, as far as those must know who did not begin it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Seek(SeekFrom),
    Other,
}

/// They go along with each call, and come back with its answer.
#[derive(Default)]
struct Buffers {
    input: Input,
    output: Vec<u8>,
}

/// What was read and not consumed. The bytes beyond it are initialized and mean nothing.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    unread: Range<usize>,
}

impl Engine {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self {
            file,
            state: State::Idle(Buffers::default()),
            write_error: None,
            position: 0,
        }
    }

    /// At least one byte of input unless the file ends here, and at most `most`, of which [`consume`](Self::consume) takes some.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<&[u8]>> {
        let answer = ready!(self.poll_call(cx));
        if self.buffers().input.unread.is_empty() {
            match answer {
                Some((Call::Read, Ok(0))) => return Poll::Ready(Ok(&[])),
                Some((Call::Read, Err(error))) => return Poll::Ready(Err(error)),
                _ => {}
            }
            self.begin(Call::Read, move |file, buffers| {
                buffers.input.fill(file, most)
            });
            if let Some((_, Err(error))) = ready!(self.poll_call(cx)) {
                return Poll::Ready(Err(error));
            }
        }
        let input = &self.buffers().input;
        let unread = &input.bytes[input.unread.clone()];
        Poll::Ready(Ok(&unread[..unread.len().min(most)]))
    }

    /// Takes so many bytes out of what was filled.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.buffers().input.unread.start += bytes;
    }

    /// Copies up to `most` bytes and begins to write them. The error is that of the write before.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        most: usize,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let output = &mut self.buffers().output;
        for slice in slices {
            let room = most - output.len();
            output.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        let bytes = output.len();
        if bytes > 0 {
            self.begin(Call::Write, |file, buffers| {
                let result = give_back(file, &mut buffers.input)
                    .and_then(|()| (&*file).write_all(&buffers.output));
                buffers.output.clear();
                result.map(|()| 0)
            });
        }
        Poll::Ready(Ok(bytes))
    }

    /// Waits until nothing is under way. The error is that of the last write.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_call(cx));
        Poll::Ready(self.write_error.take().map_or(Ok(()), Err))
    }

    /// Begins to seek, if nothing is under way.
    pub(super) fn start_seek(&mut self, to: SeekFrom) -> io::Result<()> {
        if let State::Busy(..) = self.state {
            return Err(io::Error::other(
                "another call for this file is under way: wait with `poll_complete` before `start_seek`",
            ));
        }
        self.begin(Call::Seek(to), move |file, buffers| {
            let unread = buffers.input.unread.len() as i64;
            let to = match to {
                SeekFrom::Current(by) => by.checked_sub(unread).map(SeekFrom::Current),
                to => Some(to),
            };
            let to = to.ok_or(io::ErrorKind::InvalidInput)?;
            let position = (&*file).seek(to)?;
            // Only now: a seek that fails leaves everything as it is.
            buffers.input.unread = 0..0;
            Ok(position)
        });
        Ok(())
    }

    #[cfg_attr(not(feature = "io"), allow(dead_code, reason = "tokio's trait asks"))]
    /// Waits for the seek that was started, if one was. Then the position to which the last one led.
    pub(super) fn poll_position(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        match ready!(self.poll_call(cx)) {
            Some((Call::Seek(_), result)) => Poll::Ready(result),
            _ => Poll::Ready(Ok(self.position)),
        }
    }

    /// Begins to seek, and waits for it.
    pub(super) fn poll_seek(
        &mut self,
        cx: &mut Context<'_>,
        to: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        loop {
            match ready!(self.poll_call(cx)) {
                Some((Call::Seek(begun), result)) if begun == to => return Poll::Ready(result),
                _ => self.start_seek(to)?,
            }
        }
    }

    /// Makes a call of another kind, after what is under way.
    pub(super) async fn call<F>(&mut self, f: F) -> io::Result<()>
    where
        F: FnOnce(&File) -> io::Result<()> + Send + 'static,
    {
        self.idle().await;
        self.begin(Call::Other, |file, buffers| {
            give_back(file, &mut buffers.input)?;
            f(file).map(|()| 0)
        });
        let answer = poll_fn(|cx| self.poll_call(cx)).await;
        answer.map_or(Ok(()), |(_, result)| result.map(drop))
    }

    /// Waits until nothing is under way.
    pub(super) async fn idle(&mut self) {
        poll_fn(|cx| self.poll_call(cx).map(drop)).await;
    }

    /// Moves the file's position back to before what nobody has consumed. Blocks next to nothing.
    ///
    /// False if that cannot be: a call is under way, or the file has no position.
    pub(super) fn settle(&mut self) -> bool {
        match &mut self.state {
            State::Busy(..) => false,
            State::Idle(buffers) => {
                let given_back = give_back(&self.file, &mut buffers.input);
                given_back.is_ok() && buffers.input.unread.is_empty()
            }
        }
    }

    /// Collects the answer of the call that is under way, if there is one. It counts in the task's budget either way.
    fn poll_call(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Call, io::Result<u64>)>> {
        let State::Busy(call, handle) = &mut self.state else {
            return coop::poll_counted(cx, |_| Poll::Ready(None));
        };
        let call = *call;
        let (mut result, buffers) = match ready!(Pin::new(handle).poll(cx)) {
            Ok(answer) => answer,
            Err(error) => (Err(not_carried_out(error)), Buffers::default()),
        };
        self.state = State::Idle(buffers);
        match (call, &mut result) {
            (Call::Write, Err(_)) => {
                let error = std::mem::replace(&mut result, Ok(0)).err();
                self.write_error = self.write_error.take().or(error);
            }
            (Call::Seek(_), Ok(position)) => self.position = *position,
            _ => {}
        }
        Poll::Ready(Some((call, result)))
    }

    /// Hands a call to the pool. Nothing may be under way.
    fn begin<F>(&mut self, call: Call, f: F)
    where
        F: FnOnce(&File, &mut Buffers) -> io::Result<u64> + Send + 'static,
    {
        let mut buffers = std::mem::take(self.buffers());
        let file = self.file.clone();
        let job = move || {
            let result = f(&file, &mut buffers);
            (result, buffers)
        };
        let handle = match call {
            // Its user was told that it is as good as written.
            Call::Write => spawn_mandatory(job),
            _ => spawn_blocking(job),
        };
        self.state = State::Busy(call, handle);
    }

    fn buffers(&mut self) -> &mut Buffers {
        match &mut self.state {
            State::Idle(buffers) => buffers,
            State::Busy(..) => unreachable!("whoever needs the buffers has waited for the call"),
        }
    }
}

impl Input {
    /// One read of at most `most` bytes. Nothing unread may be left.
    fn fill(&mut self, mut file: &File, most: usize) -> io::Result<u64> {
        if self.bytes.len() < most {
            self.bytes.resize(most, 0);
        }
        loop {
            match file.read(&mut self.bytes[..most]) {
                Ok(bytes) => {
                    self.unread = 0..bytes;
                    return Ok(bytes as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Moves the file's position back to before what nobody has consumed, and forgets it. What has no position, as a terminal, keeps it.
fn give_back(mut file: &File, input: &mut Input) -> io::Result<()> {
    if input.unread.is_empty() {
        return Ok(());
    }
    match file.seek(SeekFrom::Current(-(input.unread.len() as i64))) {
        Ok(_) => {
            input.unread = 0..0;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotSeekable => Ok(()),
        Err(error) => Err(error),
    }
}
