//! What the system is asked for: more files, the CPU time, and a signal.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// What all threads of this process together have used.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl CpuTime {
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// The CPU time until now.
pub(crate) fn cpu_time() -> io::Result<CpuTime> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to a live local of the type that the call fills.
    check(unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it has filled all of it.
    let usage = unsafe { usage.assume_init() };
    Ok(CpuTime {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
    })
}

/// Lets this process open as many files as it may, and returns how many. The usual limit is 1024, and a socket is a file.
pub(crate) fn raise_file_limit() -> io::Result<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the pointer is to a live local of the type that the call fills.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it has filled all of it.
    let mut limit = unsafe { limit.assume_init() };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a live, initialized local, which the call reads.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(limit.rlim_cur)
}

/// What Ctrl-C does, for this process alone.
pub(crate) fn interrupt_myself() -> io::Result<()> {
    // SAFETY: the call uses no memory of ours, and the process catches the signal.
    check(unsafe { libc::kill(libc::getpid(), libc::SIGINT) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_micros(time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64)
}
