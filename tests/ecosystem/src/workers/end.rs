//! When a process is to end. Whoever calls one of these is not ended by the signals any more, but told of them.

use std::future::Future;
use std::io;

use executor::io::{AsyncReadExt, stdin};
use executor::signal::unix::{SignalKind, signal};

/// Until somebody asks the service to end: SIGTERM, as service managers do it, or Ctrl-C.
pub(crate) fn asked() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut ctrl_c = signal(SignalKind::interrupt())?;
    Ok(async move {
        executor::select! {
            _ = terminate.recv() => {}
            _ = ctrl_c.recv() => {}
        }
    })
}

/// Until somebody asks this child to end by SIGTERM, or until its parent wants it to, or has gone: the parent keeps the child's standard input open.
pub(crate) fn asked_or_orphaned() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    // A terminal sends it to all processes, and it is for the parent to answer.
    let ctrl_c = signal(SignalKind::interrupt())?;
    Ok(async move {
        let _ctrl_c = ctrl_c;
        let (mut input, mut nothing) = (stdin(), [0]);
        executor::select! {
            _ = terminate.recv() => {}
            _ = input.read(&mut nothing) => {}
        }
    })
}
