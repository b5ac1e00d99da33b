//! strace, as a tool of `child_under` that makes system calls of a process fail, or take long. What else it says goes nowhere.

/// `failing!("accept4", "EMFILE", "1+2")`: the call fails with this error at these times, as strace writes them; here the first time, and each second time after it.
/// Without times: always.
macro_rules! failing {
    ($call:literal, $error:literal) => {
        failing!($call, $error, "1+")
    };
    ($call:literal, $error:literal, $when:literal) => {
        $crate::support::injecting!($call, concat!("error=", $error, ":when=", $when))
    };
}

/// `injecting!("fchmod", "delay_enter=2000000")`: this happens to the call, in strace's words.
macro_rules! injecting {
    ($call:literal, $what:expr) => {
        &[
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            concat!("trace=", $call),
            "-e",
            concat!("inject=", $call, ":", $what),
        ]
    };
}

pub(crate) use {failing, injecting};
