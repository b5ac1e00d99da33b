//! The numbers of signals, by name.

use std::os::raw::c_int;

/// Which signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// The signal with a number, for those that have no function here, such as the real-time signals.
    ///
    /// Whether the system has it shows when it is [waited for](crate::signal::unix::signal).
    pub const fn from_raw(signum: c_int) -> Self {
        Self(signum)
    }

    /// The number.
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }

    /// SIGALRM: a timer of `alarm` or `setitimer` is over. Ends the process by default.
    pub const fn alarm() -> Self {
        Self(libc::SIGALRM)
    }

    /// SIGCHLD: a child has ended, stopped or gone on. Ignored by default.
    ///
    /// [`Child::wait`](crate::process::Child::wait) is the better way to wait for one.
    pub const fn child() -> Self {
        Self(libc::SIGCHLD)
    }

    /// SIGHUP: the terminal is gone; to daemons, by custom, "read the configuration again". Ends the process by default.
    pub const fn hangup() -> Self {
        Self(libc::SIGHUP)
    }

    /// SIGINFO: somebody asks for the status, with Ctrl-T. Ignored by default.
    #[cfg(any(
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "macos",
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    pub const fn info() -> Self {
        Self(libc::SIGINFO)
    }

    /// SIGINT: Ctrl-C. Ends the process by default.
    pub const fn interrupt() -> Self {
        Self(libc::SIGINT)
    }

    /// SIGIO: a descriptor that was told to signal has become ready. Ends the process by default on Linux, is ignored elsewhere.
    pub const fn io() -> Self {
        Self(libc::SIGIO)
    }

    /// SIGPIPE: a write to a pipe or socket that nobody can read. Rust programs ignore it.
    pub const fn pipe() -> Self {
        Self(libc::SIGPIPE)
    }

    /// SIGQUIT: Ctrl-\\. Ends the process with a core dump by default.
    pub const fn quit() -> Self {
        Self(libc::SIGQUIT)
    }

    /// SIGTERM: the polite request to end, which `kill` and service managers send. Ends the process by default.
    pub const fn terminate() -> Self {
        Self(libc::SIGTERM)
    }

    /// SIGUSR1: means what the program says. Ends the process by default.
    pub const fn user_defined1() -> Self {
        Self(libc::SIGUSR1)
    }

    /// SIGUSR2: means what the program says. Ends the process by default.
    pub const fn user_defined2() -> Self {
        Self(libc::SIGUSR2)
    }

    /// SIGWINCH: the terminal's size has changed. Ignored by default.
    pub const fn window_change() -> Self {
        Self(libc::SIGWINCH)
    }
}

impl From<c_int> for SignalKind {
    fn from(signum: c_int) -> Self {
        Self::from_raw(signum)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> Self {
        kind.as_raw_value()
    }
}
