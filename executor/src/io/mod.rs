//! Readiness of sockets and other descriptors, and, with the feature `io`, tokio's I/O traits and the tools for them.
//!
//! [`Interest`] says what to wait for, [`Ready`] what has come. The sockets of [`net`](crate::net) use both, and so does
//! [`AsyncFd`](unix::AsyncFd) for whatever else has a descriptor.
//!
//! With the feature `io`, extension traits, buffers, `copy` and in-memory pipes are re-exported from the crate `tokio`, of which only
//! this part is compiled: it contains no runtime, and works on any. Its documentation is therefore tokio's, and libraries that speak
//! tokio's traits work with our sockets.
//!
#![cfg_attr(not(feature = "io"), doc = "```ignore")]
#![cfg_attr(feature = "io", doc = "```")]
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

mod input;
mod interest;
mod output;
pub(crate) mod readiness;
mod ready;
mod stdio;
#[cfg(feature = "io")]
mod tools;
pub mod unix;

pub use interest::Interest;
pub use ready::Ready;
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
#[cfg(feature = "io")]
pub use tools::*;

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
