//! Keeps SIGPIPE away from a program that writes where nobody reads, and does not ignore it.
//!
//! Rust's `main` ignores SIGPIPE, but a program may have changed that, or have been started by C. Sockets have a flag to
//! send without it; a pipe has none, nor have `sendfile` and `splice`, so the signal is blocked for this thread while it writes. It is sent to the thread that
//! writes, which is how the one that this write has caused is told from others.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Runs `op`, which writes. If nobody reads, that is an error, and no signal.
pub(super) fn without_sigpipe<R>(op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    // One that is pending already is blocked, and a second one would be the same.
    if is_ignored() || is_pending() {
        return op();
    }
    let only = only_sigpipe();
    let mut before = MaybeUninit::uninit();
    // SAFETY: both pointers are good for a set; the call fails for a wrong first argument only.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &only, before.as_mut_ptr()) };
    let result = op();
    // Whatever the result: a call that moves much does so in steps, and if nobody reads any more when it comes to the second, it succeeds
    // with what the first has moved.
    if is_pending() {
        let mut taken = 0;
        // SAFETY: the pointers are good for a set and a number. It does not wait, because one is pending.
        unsafe { libc::sigwait(&only, &mut taken) };
    }
    // SAFETY: the call above has filled the set in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    result
}

fn is_ignored() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call changes nothing, and fills in the present one, unless it fails.
    unsafe {
        libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

fn is_pending() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: the first call fills the set in, unless it fails.
    unsafe {
        libc::sigpending(pending.as_mut_ptr()) == 0
            && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1
    }
}

fn only_sigpipe() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initializes the set; neither call can fail for an existing signal.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        set.assume_init()
    }
}
