//! What a server says to the bytes it gets. No I/O: all servers without hyper share it, so that they differ in the runtime only.

use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Plain text over HTTP/1.1 with keep-alive: one fixed answer to each head of a request. Bodies are not expected.
    Http,
    /// The same bytes back.
    Echo,
}

/// One connection's side of it, with room for so many bytes.
pub(super) struct Conversation<const ROOM: usize> {
    protocol: Protocol,
    buffer: [u8; ROOM],
    /// The bytes of a request that is not complete.
    filled: usize,
    /// For several answers at once.
    answers: Vec<u8>,
}

impl<const ROOM: usize> Conversation<ROOM> {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            buffer: [0; ROOM],
            filled: 0,
            answers: Vec::new(),
        }
    }

    /// Where the next bytes belong: never empty.
    pub(super) fn room(&mut self) -> io::Result<&mut [u8]> {
        match &mut self.buffer[self.filled..] {
            [] => Err(io::Error::other("a request does not fit into the buffer")),
            room => Ok(room),
        }
    }

    /// As many bytes have come into the room. Returns what is to be sent now, if anything.
    pub(super) fn answer(&mut self, read: usize) -> &[u8] {
        match self.protocol {
            Protocol::Http => self.answer_http(read),
            Protocol::Echo => &self.buffer[..read],
        }
    }

    fn answer_http(&mut self, read: usize) -> &[u8] {
        // The end of a head may have begun in what was there before.
        let mut from = self.filled.saturating_sub(END.len() - 1);
        self.filled += read;
        let (mut heads, mut done) = (0, 0);
        while let Some(end) = find(&self.buffer[from..self.filled]) {
            heads += 1;
            from += end;
            done = from;
        }
        self.buffer.copy_within(done..self.filled, 0);
        self.filled -= done;
        match heads {
            0 => &[],
            1 => ANSWER,
            _ => {
                self.answers.clear();
                (0..heads).for_each(|_| self.answers.extend_from_slice(ANSWER));
                &self.answers
            }
        }
    }
}

/// Where the first head ends.
fn find(bytes: &[u8]) -> Option<usize> {
    let position = bytes.windows(END.len()).position(|window| window == END)?;
    Some(position + END.len())
}

const END: &[u8] = b"\r\n\r\n";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// The number of answers after each piece.
    fn answers(pieces: &[&[u8]]) -> Vec<usize> {
        let mut conversation = Conversation::<64>::new(Protocol::Http);
        let mut counts = Vec::new();
        for piece in pieces {
            conversation.room().unwrap()[..piece.len()].copy_from_slice(piece);
            counts.push(conversation.answer(piece.len()).len() / ANSWER.len());
        }
        counts
    }

    #[test]
    fn each_request_has_one_answer_however_it_is_cut() {
        assert_eq!(answers(&[REQUEST, REQUEST]), [1, 1]);
        for cut in 1..REQUEST.len() {
            let (head, tail) = REQUEST.split_at(cut);
            assert_eq!(answers(&[head, tail, REQUEST]), [0, 1, 1], "cut at {cut}");
        }
    }

    #[test]
    fn requests_that_come_together_are_all_answered() {
        let two = [REQUEST, REQUEST].concat();
        assert_eq!(answers(&[&two, REQUEST]), [2, 1]);
        assert_eq!(answers(&[&two[..two.len() - 1], b"\n"]), [1, 1]);
    }

    #[test]
    fn a_head_without_end_is_an_error() {
        let mut conversation = Conversation::<64>::new(Protocol::Http);
        conversation.room().unwrap().fill(b'x');
        assert!(conversation.answer(64).is_empty());
        assert!(conversation.room().is_err());
    }
}
