//! TCP: streams, their halves, and the listener.
//!
//! | file | concept |
//! |---|---|
//! | `stream`, `listener` | the two sockets |
//! | `connect` | how a stream comes to be |
//! | `halves` | halves that borrow, halves that share |
//! | `peek` | reading without consuming |

mod connect;
mod halves;
mod listener;
mod peek;
mod stream;

pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use listener::TcpListener;
pub use stream::TcpStream;
