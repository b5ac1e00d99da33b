//! A `block_on` that Ctrl-C cancels: its future runs in a scope of its own, and the second Ctrl-C ends the process.
//!
//! ```text
//!   1st SIGINT ─▶ the driver ─▶ the scope is cancelled ─▶ the future ends, or is dropped ─▶ the tasks are asked to end ─▶ output, or exit
//!   2nd SIGINT ─▶ the handler: exit
//! ```
//! The second one is the handler's own matter, so that it works whatever the threads of the program are busy with.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use signal_hook_registry::{SigId, register, unregister};

use super::block_on::{RootFuture, root, run};
use super::wind_down::wind_down;
use crate::context::State;
use crate::rt_sync::whole::atomic::AtomicUsize;
use crate::rt_sync::whole::atomic::Ordering::Relaxed;
use crate::task::{self, CancelScope, Cancelled};

/// As `block_on::run`, if the runtime's builder says so, and nothing outside of the call is cancelled with it.
#[track_caller]
pub(super) fn run_root(state: &Arc<State>, future: RootFuture<'_>) {
    if !state.threads.options().cancel_on_ctrl_c || task::is_inside() {
        return run(state, future);
    }
    if let Err(error) = interruptible(state, future) {
        panic!("`block_on` could not listen to Ctrl-C, as the runtime's builder asks: {error}")
    }
}

fn interruptible(state: &Arc<State>, future: RootFuture<'_>) -> io::Result<()> {
    let mut interrupts = state.scheduler.driver().listen(libc::SIGINT)?;
    let _second = Second::exits()?;
    let scope = CancelScope::new();
    let mut result = None;
    {
        let mut future = pin!(scope.run(future));
        let listening = poll_fn(|cx| {
            // After the first one it need not hear any more.
            if !scope.is_cancelled() && interrupts.poll_recv(cx).is_ready() {
                scope.cancel(REASON);
            }
            future.as_mut().poll(cx)
        });
        run(state, root(listening, &mut result));
    }
    if let Some(request) = scope.cancelled() {
        wind_down(state, &request, GRACE);
    }
    if let Some(Err(Cancelled { .. })) = result {
        process::exit(INTERRUPTED);
    }
    Ok(())
}

/// While it lives, the second SIGINT from its beginning ends the process.
struct Second(SigId);

impl Second {
    fn exits() -> io::Result<Self> {
        let (count, process) = (AtomicUsize::new(0), process::id());
        let action = move || {
            // Relaxed: a count. A forked child is another program.
            if process::id() == process && count.fetch_add(1, Relaxed) > 0 {
                // SAFETY: it ends the process without running any more of it, which is allowed in handlers.
                unsafe { libc::_exit(INTERRUPTED) };
            }
        };
        // SAFETY: the action adds to an atomic, and makes system calls that are allowed in handlers; it allocates nothing, takes no lock, and
        // cannot panic.
        unsafe { register(libc::SIGINT, action) }.map(Self)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        unregister(self.0);
    }
}

const REASON: &str = "Ctrl-C";

/// 128 and the number of SIGINT, as a shell reports a program that it has killed.
const INTERRUPTED: i32 = 130;

/// Of which tasks have half, see `wind_down`.
const GRACE: Duration = Duration::from_secs(10);
