//! A perf that watches another process for as long as somebody wants.
//!
//! ```text
//!   perf .. -p <process> .. -- cat
//!        watches while `cat` runs, which answers a line as soon as everything is there, and ends with its input
//! ```

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use crate::Result;

pub(super) struct Perf {
    process: Child,
    /// Of the command that says how long.
    input: ChildStdin,
}

impl Perf {
    /// Watches from before this returns. `arguments` say what and whom.
    pub(super) fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut command = Command::new("perf");
        command.args(arguments).args(["--", "cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|_| "there is no perf")?;
        let mut input = process.stdin.take().expect("it is a pipe");
        let output = process.stdout.take().expect("it is a pipe");
        // If it is refused, it ends without reading, and says why on its standard error.
        let written = writeln!(input);
        let mut line = String::new();
        if written.is_err() || BufReader::new(output).read_line(&mut line)? == 0 {
            drop(input);
            let message = String::from_utf8_lossy(&process.wait_with_output()?.stderr).into_owned();
            let first = message.lines().find(|line| !line.trim().is_empty());
            return Err(format!("perf is refused: {}", first.unwrap_or_default()).into());
        }
        Ok(Self { process, input })
    }

    /// Watches no longer. Returns what it said.
    pub(super) fn finish(self) -> Result<Output> {
        drop(self.input);
        Ok(self.process.wait_with_output()?)
    }
}
