//! TCP: streams, their halves, and the listener.
//!
//! | file | concept |
//! |---|---|
//! | `stream`, `listener` | the two sockets |
//! | `socket` | options that are set before |
//! | `eyeballs` | several addresses at once |
//! | `halves` | halves that borrow, halves that share |
//! | `peek` | reading without consuming |

mod eyeballs;
mod halves;
mod listener;
mod peek;
mod socket;
mod stream;

pub use eyeballs::ConnectError;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use listener::TcpListener;
pub use socket::TcpSocket;
pub use stream::TcpStream;
