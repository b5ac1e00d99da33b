//! A runtime in a process of its own, which times programs when it is told to.
//!
//! ```text
//! standard input     fib 4          the program, and how often
//! standard output    81234567       nanoseconds
//! ```

use std::io;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Result;
use crate::contestants::Live;
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
        let taken = runtime.time(Program::named(program)?, repeats.parse()?)?;
        println!("{}", taken.as_nanos());
    }
    Ok(())
}
