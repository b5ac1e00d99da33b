//! TCP: streams, their halves, and the listener.
//!
//! | file | concept |
//! |---|---|
//! | `stream`, `listener` | the two sockets |
//! | `connect` | how a stream comes to be |
//! | `io` | the one place that reads and writes |
//! | `futures_io`, `tokio_io` | the two families of traits in front of it |
//! | `split`, `split_owned` | halves that borrow, halves that share |

mod connect;
mod futures_io;
mod io;
mod listener;
mod split;
mod split_owned;
mod stream;
#[cfg(feature = "io")]
mod tokio_io;

pub use listener::TcpListener;
pub use split::{ReadHalf, WriteHalf};
pub use split_owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use stream::TcpStream;
