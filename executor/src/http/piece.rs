//! `Piece`: a part of a body, which tells the connection's `Activity` how much of it the client has taken.

use std::io::IoSlice;

use hyper::body::{Buf, Bytes};

use super::activity::Unsent;

/// Hyper asks no body for more before it has sent most of what it has, and drops one that has said that it ends. So only the data itself sees how it goes.
///
/// What is below HTTP sees it as well, but not what was written: with the answer to a ping in each limit an idle client would stay for ever.
#[derive(Debug)]
pub(super) struct Piece<D> {
    data: D,
    // Until all is sent, which may be before the drop.
    unsent: Option<Unsent>,
}

impl<D> Piece<D> {
    pub(super) fn new(data: D, unsent: Option<Unsent>) -> Self {
        Self { data, unsent }
    }
}

impl<D: Buf> Piece<D> {
    fn shrunk(&mut self) {
        if !self.data.has_remaining() {
            self.unsent = None;
        } else if let Some(unsent) = &self.unsent {
            unsent.shrink();
        }
    }
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
        self.shrunk();
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        let bytes = self.data.copy_to_bytes(count);
        self.shrunk();
        bytes
    }
}
