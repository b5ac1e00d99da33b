//! strace, as a tool of `child_under` that makes system calls of a process fail. What else it says goes nowhere.

/// `failing!("accept4", "EMFILE", "1+2")`: the call fails with this error at these times, as strace writes them; here the first time, and each second time after it.
/// Without times: always.
macro_rules! failing {
    ($call:literal, $error:literal) => {
        failing!($call, $error, "1+")
    };
    ($call:literal, $error:literal, $when:literal) => {
        &[
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            concat!("trace=", $call),
            "-e",
            concat!("inject=", $call, ":error=", $error, ":when=", $when),
        ]
    };
}

pub(crate) use failing;
