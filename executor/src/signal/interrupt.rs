//! `cancel_on_ctrl_c`: the first Ctrl-C asks, the second does not.

use std::io;
use std::process::exit;

use super::unix::{SignalKind, signal};
use crate::task::{CancelScope, JoinHandle};

/// From now on the first Ctrl-C cancels `scope`, and the second ends the process, with status 130, as a shell reports a program that SIGINT has killed.
///
/// For a program whose main future runs in the scope. It is heard by a task of the current runtime; aborting it stops that, but SIGINT still does not end
/// the process by itself (see [`ctrl_c`](super::ctrl_c)).
///
/// # Errors
///
/// As [`ctrl_c`](super::ctrl_c).
///
/// # Panics
///
/// As [`ctrl_c`](super::ctrl_c).
///
/// ```no_run
/// use executor::signal::cancel_on_ctrl_c;
/// use executor::task::{CancelScope, FutureExt, shield};
/// use std::time::Duration;
///
/// # async fn serve() {}
/// # async fn say_goodbye() {}
/// # fn main() -> std::io::Result<()> {
/// let runtime = executor::runtime::Runtime::new()?;
/// let result = runtime.block_on(async {
///     let scope = CancelScope::new();
///     cancel_on_ctrl_c(&scope)?;
///     let result = scope.run(async {
///         if serve().or_cancelled().await.is_err() {
///             let _ = shield(Duration::from_secs(5), say_goodbye()).await;
///         }
///     });
///     std::io::Result::Ok(result.await)
/// });
/// println!("{}", runtime.shutdown(Duration::from_secs(5)));
/// # result.map(drop)
/// # }
/// ```
#[doc(alias = "SIGINT")]
#[doc(alias = "KeyboardInterrupt")]
pub fn cancel_on_ctrl_c(scope: &CancelScope) -> io::Result<JoinHandle<()>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let scope = scope.clone();
    Ok(crate::spawn(async move {
        if interrupts.recv().await.is_some() {
            scope.cancel("Ctrl-C");
        }
        if interrupts.recv().await.is_some() {
            exit(INTERRUPTED);
        }
    }))
}

/// 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;
