//! Misuse panics at the line of whoever misused, and says what to do instead.

use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Arc, Mutex};

use executor::runtime::{Builder, EnterGuard, Handle};
use executor::task::{self, LocalSet};
use executor::time::{self, Duration};

use crate::support::{child, current_thread, workers};

executor::task_local! {
    static NUMBER: u32;
}

/// What a panic said, and where.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, String)>>>);

impl Heard {
    fn install() -> Self {
        let heard = Self::default();
        let hook = heard.clone();
        set_hook(Box::new(move |info| {
            let place = info.location().unwrap().file().to_owned();
            let text = info.to_string();
            eprintln!("{text}");
            hook.0.lock().unwrap().push((place, text));
        }));
        heard
    }

    /// `misuse` must panic here, once, with a text that names the cure.
    #[track_caller]
    fn expect(&self, cure: &str, misuse: impl FnOnce()) {
        let result = catch_unwind(AssertUnwindSafe(misuse));
        let heard = std::mem::take(&mut *self.0.lock().unwrap());
        assert!(result.is_err(), "no panic, but one that says {cure:?}");
        let [(place, text)] = &heard[..] else {
            panic!("more than one panic: {heard:?}");
        };
        assert_eq!(place, file!(), "{text}");
        assert!(text.contains(cure), "no {cure:?} in {text:?}");
    }
}

#[test]
fn panics_for_misuse_name_the_callers_line_and_the_cure() {
    child(
        "misuse::panics_for_misuse_name_the_callers_line_and_the_cure",
        || {
            let heard = Heard::install();
            heard.expect("task::try_id", || _ = task::id());
            heard.expect("LocalSet", || drop(task::spawn_local(async {})));
            heard.expect("scope", || NUMBER.with(|_| ()));
            heard.expect("scope", || _ = NUMBER.get());
            heard.expect("period", || drop(time::interval(Duration::ZERO)));
            heard.expect("#[executor::test]", || {
                // Through a closure: a function that is passed on has no caller.
                time::pause();
            });
            heard.expect("is_panic", || {
                let runtime = workers(1);
                let task = runtime.spawn(std::future::pending::<()>());
                task.abort();
                let error = runtime.block_on(task).unwrap_err();
                drop(error.into_panic());
            });
            heard.expect("spawn_blocking", || {
                current_thread().block_on(async { task::block_in_place(|| ()) });
            });
            heard.expect("time::resume", || {
                let mut builder = Builder::new_current_thread();
                let runtime = builder.start_paused(true).build().unwrap();
                runtime.block_on(async { time::pause() });
            });
            heard.expect("time::pause", || {
                current_thread().block_on(async { time::resume() });
            });
            heard.expect("numbered from 0 to 0", || {
                _ = workers(1).metrics().worker_park_count(1);
            });
            heard.expect("no else branch", || {
                current_thread().block_on(async {
                    executor::select! { _ = async {}, if false => {} }
                });
            });
            // In its set it works, and nothing is left to say.
            let set = LocalSet::new();
            set.block_on(&current_thread(), async {
                task::spawn_local(async {}).await
            })
            .unwrap();
            assert!(heard.0.lock().unwrap().is_empty());
        },
    );
}

/// Also what a thread local drops when the thread has ended.
#[test]
fn a_guard_of_the_context_that_a_task_or_closure_leaves_behind_ends_nothing() {
    thread_local! {
        static KEPT: RefCell<Vec<EnterGuard<'static>>> = const { RefCell::new(Vec::new()) };
    }
    child(
        "misuse::a_guard_of_the_context_that_a_task_or_closure_leaves_behind_ends_nothing",
        || {
            let leave = |handle: &'static Handle| {
                mem::forget(handle.enter());
                KEPT.with_borrow_mut(|kept| kept.push(handle.enter()));
            };
            let runtime = workers(2);
            let handle: &'static Handle = Box::leak(Box::new(runtime.handle().clone()));
            let task = runtime.spawn(async move { leave(handle) });
            runtime.block_on(task).unwrap();
            let closure = runtime.spawn_blocking(move || leave(handle));
            runtime.block_on(closure).unwrap();
            let report = runtime.shutdown(Duration::from_secs(60));
            assert!(report.is_complete(), "{report:?}");
        },
    );
}
