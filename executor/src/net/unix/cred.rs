//! `UCred`: who is at the other end of a Unix stream.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

/// The number of a user.
#[allow(non_camel_case_types)]
pub type uid_t = u32;
/// The number of a group.
#[allow(non_camel_case_types)]
pub type gid_t = u32;
/// The number of a process.
#[allow(non_camel_case_types)]
pub type pid_t = i32;

/// The user, group and process at the other end of a stream, as they were when it was connected.
///
/// See [`UnixStream::peer_cred`](super::UnixStream::peer_cred). The process may have ended since, and its number may be another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    uid: uid_t,
    gid: gid_t,
    pid: Option<pid_t>,
}

impl UCred {
    /// The effective user.
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// The effective group.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The process, where the system says it: on Linux and Android.
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
pub(super) fn peer_cred(socket: &impl AsFd) -> io::Result<UCred> {
    let mut found = MaybeUninit::<libc::ucred>::uninit();
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the pointers are good for `length` bytes, and for the length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            found.as_mut_ptr().cast(),
            &mut length,
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has filled the structure in.
    let found = unsafe { found.assume_init() };
    Ok(UCred {
        uid: found.uid,
        gid: found.gid,
        pid: Some(found.pid),
    })
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(super) fn peer_cred(socket: &impl AsFd) -> io::Result<UCred> {
    let (mut uid, mut gid) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: the descriptor is open, and the pointers are good for one number each.
    let result = unsafe {
        libc::getpeereid(
            socket.as_fd().as_raw_fd(),
            uid.as_mut_ptr(),
            gid.as_mut_ptr(),
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has filled both in.
    let (uid, gid) = unsafe { (uid.assume_init(), gid.assume_init()) };
    Ok(UCred {
        uid,
        gid,
        pid: None,
    })
}
