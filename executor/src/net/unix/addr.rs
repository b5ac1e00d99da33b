//! `SocketAddr`: the address of a Unix socket.

use std::ffi::OsStr;
use std::fmt;
use std::io;
#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net;
use std::path::Path;

use socket2::SockAddr;

/// The address of a Unix socket: a path, an abstract name (on Linux), or nothing.
///
/// It is the standard library's, into which it converts, and from which it is made.
#[derive(Clone)]
pub struct SocketAddr(pub(super) net::SocketAddr);

impl SocketAddr {
    /// True if the socket has no address: one that connected without binding, or one of a pair.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// The path, if it has one.
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }

    /// The name outside of the file system, if it has one: without the zero byte that such names begin with.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        self.0.as_abstract_name()
    }

    /// What a path stands for: on Linux, one that begins with a zero byte is an abstract name.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some((0, name)) = path.as_os_str().as_bytes().split_first() {
            return Ok(Self(net::SocketAddr::from_abstract_name(name)?));
        }
        // Refuses a path that holds a zero byte, or is too long.
        Ok(Self(net::SocketAddr::from_pathname(path)?))
    }

    /// The same for calls that the standard library lacks.
    pub(super) fn to_socket2(&self) -> io::Result<SockAddr> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(name) = self.as_abstract_name() {
            return SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()));
        }
        match self.as_pathname() {
            Some(path) => SockAddr::unix(path),
            None => SockAddr::unix(OsStr::new("")),
        }
    }

    /// The way back. For a sender that has no address the system gives nothing at all, not even its family.
    ///
    /// By hand, since `SockAddr::as_unix` knows paths only.
    #[cfg(feature = "io")]
    pub(crate) fn of_socket2(address: &SockAddr) -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(name) = address.as_abstract_namespace() {
            return Ok(Self(net::SocketAddr::from_abstract_name(name)?));
        }
        let path = address.as_pathname().unwrap_or(Path::new(""));
        Ok(Self(net::SocketAddr::from_pathname(path)?))
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<net::SocketAddr> for SocketAddr {
    fn from(address: net::SocketAddr) -> Self {
        Self(address)
    }
}

impl From<SocketAddr> for net::SocketAddr {
    fn from(address: SocketAddr) -> Self {
        address.0
    }
}

/// For the texts of errors.
pub(super) struct Shown<'a>(pub(super) &'a SocketAddr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(name) = self.0.as_abstract_name() {
            return write!(f, "@{}", name.escape_ascii());
        }
        match self.0.as_pathname() {
            Some(path) => path.display().fmt(f),
            None => f.write_str("a socket without an address"),
        }
    }
}
