//! Child processes: start them, talk to them, wait for them, end them.
//!
//! Names and signatures are tokio's, and a [`Command`] is the standard library's, whose children are waited for without a thread.
//!
//! ```text
//!   Command::spawn ─▶ Child ── wait ──▶ exit: pidfd (or SIGCHLD) ─▶ reactor ─▶ the task that waits ─▶ waitpid
//!                       └── dropped before the end ──▶ orphan: a task of the default runtime ────────▶ waitpid
//! ```
//!
//! No child is left a zombie. One that is dropped before it has ended goes on, unless [`Command::kill_on_drop`] says otherwise, and is
//! waited for in the background, also when its runtime has ended: by the default runtime (see
//! [`Handle::current`](crate::runtime::Handle::current)), which this starts.
//!
//! On Linux a descriptor tells that a child has ended. Where the system has none, or refuses it, SIGCHLD does, so that signal gets a
//! handler there. Descriptors of the runtime do not leak into children, who start with default handlers and no blocked signals.
//!
//! | file | concept |
//! |---|---|
//! | `command` | what to start |
//! | `child` | what was started |
//! | `running` | the process itself: killed if asked to, and reaped in any case |
//! | `exit` | how its end is heard of |
//! | `orphan` | who reaps what nobody waits for |
//! | `stdio` | the pipes to it |
//! | `passed` | listeners that it inherits |
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::process::Command;
//!
//! let output = Command::new("echo").arg("hello").output().await?;
//! assert!(output.status.success());
//! assert_eq!(output.stdout, b"hello\n");
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

mod child;
mod command;
mod exit;
mod orphan;
mod passed;
mod running;
mod stdio;

pub use child::Child;
pub use command::Command;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};
