//! tokio's I/O traits and the tools for them: extension traits, buffers, `copy`, in-memory pipes.
//!
//! Everything here is re-exported from the crate `tokio`, of which only this part is compiled: it contains no runtime, and
//! works on any. Its documentation is therefore tokio's, and libraries that speak tokio's traits work with our sockets.
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};
//!
//! let (mut ours, theirs) = duplex(64);
//! ours.write_all(b"one\ntwo\n").await?;
//! drop(ours);
//! let mut lines = BufReader::new(theirs).lines();
//! assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
//! assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
//! assert_eq!(lines.next_line().await?, None);
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

#[doc(no_inline)]
pub use tokio::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
#[doc(no_inline)]
pub use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
#[doc(no_inline)]
pub use tokio::io::{
    BufReader, BufStream, BufWriter, Chain, DuplexStream, Empty, Join, Lines, ReadHalf, Repeat,
    SimplexStream, Sink, Split, Take, WriteHalf,
};
#[doc(no_inline)]
pub use tokio::io::{
    copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf, duplex, empty, join, repeat,
    simplex, sink, split,
};

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
