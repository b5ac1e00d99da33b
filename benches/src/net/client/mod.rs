//! Who asks: one connection of the load, or one after the other. None of the runtimes is in it.

use std::io;
use std::time::Duration;

mod connect;
mod datagram;
mod stream;

pub(super) use connect::Connecting;
pub(super) use datagram::Datagrams;
pub(super) use stream::{Connection, Says};

/// Asks, and hears the answer before it asks again.
pub(super) trait Client {
    fn ask(&mut self) -> io::Result<()>;

    /// Takes what is there. True: the answer is complete.
    fn hear(&mut self) -> io::Result<bool>;

    /// There was no answer for a while. What may be lost is sent again; by default nothing may.
    fn ask_again(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// What is sent to be echoed.
const MESSAGE: [u8; 64] = *b"As many bytes as a small request has, or a price, or a position.";

/// A server that does not answer for so long has lost something.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
