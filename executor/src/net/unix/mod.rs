//! What is of Unix alone: its sockets, and pipes.
//!
//! | file | concept |
//! |---|---|
//! | `stream`, `listener`, `datagram` | the sockets |
//! | `socket` | a socket that is bound before it connects |
//! | `addr` | addresses: paths, and Linux' abstract names |
//! | `cred` | who the peer is |
//! | `halves` | halves that borrow, halves that share |
//! | `pipe` | pipes |

mod addr;
mod cred;
mod datagram;
mod halves;
mod listener;
pub mod pipe;
mod socket;
mod stream;

pub use addr::SocketAddr;
pub use cred::{UCred, gid_t, pid_t, uid_t};
pub use datagram::UnixDatagram;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use listener::UnixListener;
pub use socket::UnixSocket;
pub use stream::UnixStream;
