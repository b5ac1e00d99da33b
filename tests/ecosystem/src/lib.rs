//! How crates of other people are brought to run on this library: a file for each, to be read and copied.

pub mod mysql;
pub mod pool;
pub mod postgres;
pub mod quinn;
pub mod redis;
pub mod websocket;

/// The code in the chapter on databases compiles.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../docs/book/src/databases.md")]
    mod databases {}
}
