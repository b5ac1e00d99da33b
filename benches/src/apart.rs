//! A runtime in a process of its own, which times programs when it is told to, and sleeps in between.
//!
//! ```text
//! standard input     fib 4          the program, and how often
//! standard output    81234567       nanoseconds
//! ```

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Result;
use crate::contestants::Live;
use crate::go;
use crate::patience::within_limit;
use crate::process::Child;
use crate::programs::Program;

/// The process, from outside.
pub(crate) struct Apart(Mutex<Child>);

impl Apart {
    /// `command` starts a process that speaks as above.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(Mutex::new(Child::of(command)?)))
    }
}

/// A process for the runtime of this name, which is one of this program, or that of `go`.
pub(crate) fn start(runtime: &str, workers: usize, go: Option<&Path>) -> Result<Apart> {
    match go {
        Some(program) if runtime == go::NAME => go::start(program, workers),
        _ => several(runtime, workers, 1),
    }
}

/// A process for so many runtimes of this name, side by side.
pub(crate) fn several(runtime: &str, workers: usize, copies: usize) -> Result<Apart> {
    let [workers, copies] = [workers, copies].map(|number| number.to_string());
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["programs-child", "--only", runtime]);
    Apart::start(command.args(["--workers", &workers, "--copies", &copies]))
}

impl Live for Apart {
    fn time(&self, program: Program, repeats: u32) -> Result<Duration> {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        child.tell(&format!("{} {repeats}", program.name()))?;
        Ok(Duration::from_nanos(child.line()?.parse()?))
    }
}

/// The process, from inside: until its standard input ends.
pub(crate) fn serve(runtime: &dyn Live) -> Result {
    for line in io::stdin().lines() {
        let line = line?;
        let (program, repeats) = line.split_once(' ').ok_or("a program, and how often")?;
        let (program, repeats) = (Program::named(program)?, repeats.parse()?);
        // The parent waits no longer, and would leave a process that hangs.
        let taken = within_limit(program.name(), || runtime.time(program, repeats))?;
        println!("{}", taken.as_nanos());
    }
    Ok(())
}
