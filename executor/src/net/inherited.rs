//! Listeners that whoever started this process has opened, and passed on: systemd's protocol.
//!
//! ```text
//!   LISTEN_FDS=2                    descriptors 3 and 4 are passed
//!   LISTEN_PID=number of a process  for this one only, if the variable is there
//! ```
//! The variables stay in the environment, and so reach the children of this process; the descriptors do not. A child is told apart by the
//! number, or, where there is none, because its descriptors are not what this says. A descriptor that came through `exec` is not
//! close-on-exec, and all that a Rust program opens itself are: so nothing is taken that is somebody's here.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::process;

use parking_lot::Mutex;
use socket2::{SockRef, Type};

use super::{TcpListener, UnixListener};

/// A listener that was passed to this process, from [`inherited_listeners`].
#[derive(Debug)]
#[non_exhaustive]
pub enum InheritedListener {
    /// One for TCP.
    Tcp(TcpListener),
    /// One for streams of Unix sockets.
    Unix(UnixListener),
}

impl InheritedListener {
    /// The listener, if it is one for TCP.
    pub fn into_tcp(self) -> Option<TcpListener> {
        match self {
            Self::Tcp(listener) => Some(listener),
            Self::Unix(_) => None,
        }
    }

    /// The listener, if it is one for Unix sockets.
    pub fn into_unix(self) -> Option<UnixListener> {
        match self {
            Self::Unix(listener) => Some(listener),
            Self::Tcp(_) => None,
        }
    }
}

/// Takes the listeners that were passed to this process: by systemd's socket activation, or by a process of this library with
/// [`Command::pass_listeners`](crate::process::Command::pass_listeners). Empty if none were.
///
/// They come in the order in which they were passed, in that of the unit's file for systemd. They are taken once: a second call finds none. Programs that this process
/// starts do not inherit them.
///
/// Call it early in `main`. The variables `LISTEN_FDS` and, if it is there, `LISTEN_PID` say what was passed, and to whom; other parts of systemd's protocol are not
/// looked at.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use executor::net::{self, InheritedListener, TcpListener};
///
/// let passed = net::inherited_listeners()?.into_iter().find_map(InheritedListener::into_tcp);
/// let listener = match passed {
///     Some(listener) => listener,
///     None => TcpListener::bind("127.0.0.1:8080").await?,
/// };
/// net::serve(listener, |_stream, _peer| async {}).serve_forever().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if `LISTEN_FDS` is no number, or if what `LISTEN_PID` says is for this process is not all listeners for streams; nothing
/// is taken then. Without `LISTEN_PID` that means that nothing was passed. What the system says when it refuses to watch a listener, or that the runtime has shut down: they are all closed then.
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
#[doc(alias = "sd_listen_fds")]
pub fn inherited_listeners() -> io::Result<Vec<InheritedListener>> {
    take()?.into_iter().map(into_listener).collect()
}

/// What a descriptor is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Tcp,
    Unix,
}

/// What the variables say about this process.
#[derive(Debug)]
struct Passed {
    descriptors: std::ops::Range<RawFd>,
    /// Who has set them knew our number.
    to_us: bool,
}

/// Whether descriptors were taken. Whoever holds the lock may take them.
static TAKEN: Mutex<bool> = Mutex::new(false);

fn take() -> io::Result<Vec<(Kind, OwnedFd)>> {
    let mut taken = TAKEN.lock();
    if *taken {
        return Ok(Vec::new());
    }
    let Some(passed) = passed()? else {
        return Ok(Vec::new());
    };
    let mut kinds = Vec::new();
    for descriptor in passed.descriptors.clone() {
        match inherited_kind(descriptor) {
            Some(kind) => kinds.push(kind),
            None if passed.to_us => {
                return Err(invalid(format!(
                    "descriptor {descriptor}, which LISTEN_FDS says was passed, is no listener for streams"
                )));
            }
            None => return Ok(Vec::new()),
        }
    }
    *taken = true;
    let owned = passed.descriptors.map(|descriptor| {
        // SAFETY: it is open, as was just seen, and nobody's: it came through `exec`, and is taken once, under the lock.
        unsafe { OwnedFd::from_raw_fd(descriptor) }
    });
    Ok(kinds.into_iter().zip(owned).collect())
}

/// `None`: nothing was passed to this process.
fn passed() -> io::Result<Option<Passed>> {
    let Some(count) = env::var_os("LISTEN_FDS") else {
        return Ok(None);
    };
    let to_us = match env::var_os("LISTEN_PID") {
        None => false,
        Some(number) if parsed(&number) == Some(process::id()) => true,
        Some(_) => return Ok(None),
    };
    let count = parsed(&count).and_then(|count: u16| FIRST.checked_add(count.into()));
    let end = count.ok_or_else(|| invalid("LISTEN_FDS is not the number of descriptors"))?;
    Ok(Some(Passed {
        descriptors: FIRST..end,
        to_us,
    }))
}

/// What a descriptor is, if it is a listener that came through `exec`.
fn inherited_kind(descriptor: RawFd) -> Option<Kind> {
    // SAFETY: the call takes numbers only.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
    if flags < 0 || flags & libc::FD_CLOEXEC != 0 {
        return None;
    }
    // SAFETY: it is open, and is not used beyond this function.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let socket = SockRef::from(&descriptor);
    if socket.r#type().ok()? != Type::STREAM || !is_listener(&socket) {
        return None;
    }
    match socket.local_addr().ok()? {
        address if address.is_ipv4() || address.is_ipv6() => Some(Kind::Tcp),
        address if address.is_unix() => Some(Kind::Unix),
        _ => None,
    }
}

#[cfg(any(target_os = "android", target_os = "freebsd", target_os = "linux"))]
fn is_listener(socket: &SockRef<'_>) -> bool {
    socket.is_listener().unwrap_or(false)
}

/// Elsewhere the first `accept` tells.
#[cfg(not(any(target_os = "android", target_os = "freebsd", target_os = "linux")))]
fn is_listener(_: &SockRef<'_>) -> bool {
    true
}

fn into_listener((kind, descriptor): (Kind, OwnedFd)) -> io::Result<InheritedListener> {
    SockRef::from(&descriptor).set_cloexec(true)?;
    match kind {
        Kind::Tcp => TcpListener::from_std(descriptor.into()).map(InheritedListener::Tcp),
        Kind::Unix => UnixListener::from_std(descriptor.into()).map(InheritedListener::Unix),
    }
}

fn parsed<T: std::str::FromStr>(variable: &OsStr) -> Option<T> {
    variable.to_str()?.parse().ok()
}

fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.into())
}

/// The first that is passed: those of the standard streams are before it.
const FIRST: RawFd = 3;
