//! The operating system's threads of one runtime: how they are started, named, counted and waited for.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

use super::{Options, State, enter};
use crate::rt_sync::whole::{Condvar, Mutex, thread, thread_local, wait, wait_until};
use crate::scheduler::Hook;
use crate::task::drop_quietly;

/// Starts threads and knows which of them live.
#[derive(Debug)]
pub(crate) struct Threads {
    options: Options,
    living: Arc<Living>,
}

/// Apart from the runtime's state, which a thread lets go before it counts as ended.
#[derive(Debug, Default)]
struct Living {
    inner: Mutex<Inner>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    count: usize,
    handles: Vec<thread::JoinHandle<()>>,
}

impl Threads {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            living: Arc::default(),
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Starts a thread that is in the runtime and runs `main`.
    pub(crate) fn start(
        &self,
        state: &Arc<State>,
        main: impl FnOnce(&Arc<State>) + Send + 'static,
    ) -> io::Result<()> {
        self.start_named(self.name()?, state, main)
    }

    /// As `start`, for the guard, whose name says what it is.
    pub(super) fn start_guard(
        &self,
        state: &Arc<State>,
        main: impl FnOnce(&Arc<State>) + Send + 'static,
    ) -> io::Result<()> {
        let name = self.name()?;
        let name = name.strip_suffix("-worker").unwrap_or(&name);
        self.start_named(format!("{name}-guard"), state, main)
    }

    fn start_named(
        &self,
        name: String,
        state: &Arc<State>,
        main: impl FnOnce(&Arc<State>) + Send + 'static,
    ) -> io::Result<()> {
        let mut builder = thread::Builder::new().name(name);
        if let Some(size) = self.options.stack_size {
            builder = builder.stack_size(size);
        }
        let (state, living) = (state.clone(), self.living.clone());
        let mut inner = self.living.inner.lock();
        let handle = builder.spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| live(&state, main))).is_err() {
                // No user code panics through here: a broken invariant. Going on would leave tasks waiting for ever.
                eprintln!(
                    "executor: a runtime thread panicked outside of any task; please report this"
                );
                std::process::abort();
            }
            // Perhaps the last: then the user's hooks are dropped here.
            drop_quietly(state);
            living.inner.lock().count -= 1;
            living.ended.notify_all();
        })?;
        inner.count += 1;
        inner.handles.retain(|handle| !handle.is_finished());
        inner.handles.push(handle);
        Ok(())
    }

    /// What the user's function calls the next thread. Its panic, and a name that the system has no way to write, are errors: a
    /// half-started runtime must be able to clean up.
    fn name(&self) -> io::Result<String> {
        match catch_unwind(AssertUnwindSafe(|| (self.options.thread_name)())) {
            Ok(name) if name.contains('\0') => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a thread name contains a NUL byte",
            )),
            Ok(name) => Ok(name),
            Err(payload) => {
                drop_quietly(payload);
                Err(io::Error::other("the function that names threads panicked"))
            }
        }
    }

    /// Waits until all threads have ended, or until `deadline`. False: some have not, and are left to themselves.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut inner = self.living.inner.lock();
        while inner.count > 0 {
            let Some(deadline) = deadline else {
                inner = wait(&self.living.ended, inner);
                continue;
            };
            let timed_out;
            (inner, timed_out) = wait_until(&self.living.ended, inner, deadline);
            if timed_out {
                break;
            }
        }
        let all = inner.count == 0;
        let handles = std::mem::take(&mut inner.handles);
        drop(inner);
        if all {
            // They are past their last step; joining them means that the system's threads are gone, too.
            handles
                .into_iter()
                .for_each(|handle| drop_quietly(handle.join()));
        }
        all
    }
}

impl Threads {
    /// How many have not ended.
    pub(crate) fn living(&self) -> usize {
        self.living.inner.lock().count
    }
}

/// True on a thread of this runtime: waiting for it would be waiting for itself.
pub(crate) fn is_own_thread(state: &Arc<State>) -> bool {
    ptr::eq(RUNTIME.get(), Arc::as_ptr(state))
}

fn live(state: &Arc<State>, main: impl FnOnce(&Arc<State>)) {
    RUNTIME.set(Arc::as_ptr(state));
    let entered = enter(state);
    state.threads.options.on_start.iter().for_each(Hook::call);
    main(state);
    state.threads.options.on_stop.iter().for_each(Hook::call);
    entered.end_thread();
}

thread_local! {
    /// The runtime whose thread this is. Compared, never followed.
    static RUNTIME: Cell<*const State> = const { Cell::new(ptr::null()) };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::context::start;

    /// Nothing of the user panics outside of what catches it, so the mistake is made here. In a process of its own, which it ends.
    #[test]
    fn a_thread_that_breaks_ends_the_process_with_a_message() {
        const NAME: &str =
            "context::threads::tests::a_thread_that_breaks_ends_the_process_with_a_message";
        const MARK: &str = "EXECUTOR_TEST_CHILD";
        if std::env::var_os(MARK).is_some() {
            let state = start(&Options::default()).unwrap();
            let broken = |_: &Arc<State>| panic!("a broken invariant");
            state.threads.start(&state, broken).unwrap();
            // It never comes to this.
            return std::thread::sleep(Duration::from_secs(60));
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([NAME, "--exact", "--nocapture"]).env(MARK, "");
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{text}");
        assert!(text.contains("please report this"), "{text}");
    }
}
