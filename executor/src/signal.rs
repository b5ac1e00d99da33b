//! Signals from the terminal or from other processes, as futures.
//!
//! ```text
//!   SIGINT ──▶ handler: one byte into each waiter's socket pair ──▶ reactor ──▶ the waiter's task
//! ```
//! A handler may do next to nothing: it interrupts arbitrary code, which may hold any lock. Sending a byte is allowed. The
//! socket keeps the byte until it is read, so no signal is lost between the handler and the task.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use signal_hook_registry::SigId;

use crate::driver::{Direction, Interest};
use crate::net::{NO_SIGNAL, watch};

/// Waits for the next SIGINT, which Ctrl-C in a terminal sends.
///
/// Any number of tasks may wait; each gets the signal. Once this has been polled, SIGINT does not end the process any more, not
/// even when nobody waits: a program that wants to be ended by a second Ctrl-C waits for it a second time. Only signals that
/// come after the first poll count.
///
/// # Errors
///
/// What the system says when it refuses two descriptors or the handler; that the runtime has shut down.
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
///
/// # Cancel safety
///
/// Cancel safe, but a signal that comes after the future was dropped, and before the next was polled, goes unseen. Keep one
/// future in a loop rather than making a new one each time round.
///
/// ```no_run
/// # async fn serve() {}
/// # async fn example() -> std::io::Result<()> {
/// executor::spawn(serve());
/// executor::signal::ctrl_c().await?;
/// println!("shutting down");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SIGINT")]
#[doc(alias = "KeyboardInterrupt")]
#[doc(alias = "open_signal_receiver")]
#[doc(alias = "add_signal_handler")]
pub async fn ctrl_c() -> io::Result<()> {
    let (receiver, sender) = UnixStream::pair()?;
    receiver.set_nonblocking(true)?;
    let receiver = watch(receiver, Interest::READABLE)?;
    let _registration = Registration::new(libc::SIGINT, sender)?;
    receiver
        .async_io(Direction::Read, |mut receiver| receiver.read(&mut [0]))
        .await
        .map(drop)
}

/// Ends the handler's part when dropped. The process-wide handler itself stays.
struct Registration(SigId);

impl Registration {
    fn new(signal: i32, sender: UnixStream) -> io::Result<Self> {
        let process = std::process::id();
        let action = move || {
            // A forked child has the handler and the socket, too, and its signals are none of ours.
            if std::process::id() == process {
                send_byte(sender.as_raw_fd());
            }
        };
        // SAFETY: the action makes two system calls that are allowed in handlers; it allocates nothing, takes no lock and
        // cannot panic.
        let id = unsafe { signal_hook_registry::register(signal, action) }?;
        Ok(Self(id))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        signal_hook_registry::unregister(self.0);
    }
}

/// Sends without waiting and without raising SIGPIPE. If the socket is full the waiter has enough to wake up for.
fn send_byte(socket: RawFd) {
    let byte = 0_u8;
    // SAFETY: the pointer is good for one byte.
    unsafe {
        libc::send(
            socket,
            (&raw const byte).cast(),
            1,
            libc::MSG_DONTWAIT | NO_SIGNAL,
        )
    };
}
