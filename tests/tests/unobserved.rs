//! Panics that nobody asks for are told of, once each; those that somebody has seen are not.

use std::fs;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, LocalOptions, Runtime};
use executor::sync::oneshot;
use executor::task::{
    self, ChildTask, GroupPolicy, JoinSet, LocalSet, ReturnWhen, TaskGroup, UnobservedFailure,
    first_ok, gather, gather_settled, group_with, running, spawn_local, wait, yield_now,
};
use futures::{FutureExt, poll};

use crate::support::{
    Directory, assert_usable, block_on, is_child, spawn_child_as, until, within, workers,
};

/// What a runtime was told of.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<UnobservedFailure>>>);

impl Told {
    fn builder(&self, mut builder: Builder) -> Builder {
        let told = self.clone();
        builder.on_unobserved_failure(move |failure| told.0.lock().unwrap().push(failure.clone()));
        builder
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    #[track_caller]
    fn is(&self, expected: usize) {
        until(|| self.count() >= expected);
        assert_eq!(self.count(), expected);
    }
}

fn each(mut test: impl FnMut(Runtime, Told)) {
    let mut two = Builder::new_multi_thread();
    two.worker_threads(2);
    for builder in [two, Builder::new_current_thread()] {
        let told = Told::default();
        test(told.builder(builder).build().unwrap(), told);
    }
}

/// Drives the runtime until it was told of so many.
fn drive(runtime: &Runtime, told: &Told, count: usize) {
    runtime.block_on(async {
        while told.count() < count {
            yield_now().await;
        }
    });
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("the destructor");
    }
}

#[test]
fn a_detached_task_that_panics_is_told_of_with_its_name_place_and_message() {
    within(60, || {
        each(|runtime, told| {
            let named = task::Builder::new()
                .name("clerk")
                .spawn_on(async { panic!("boom {}", 7) }, runtime.handle());
            let id = named.as_ref().unwrap().id();
            drop(named);
            drive(&runtime, &told, 1);
            let failure = told.0.lock().unwrap()[0].clone();
            assert_eq!(failure.task_id(), id);
            assert_eq!(failure.task_name(), Some("clerk"));
            assert_eq!(failure.message(), Some("boom 7"));
            assert_eq!(failure.spawned_at().file(), file!());
            let text = failure.to_string();
            let begin = format!("task {id} \"clerk\", spawned at {}:", file!());
            assert!(text.starts_with(&begin), "{text}");
            assert!(text.ends_with("panicked with message \"boom 7\""), "{text}");
            assert_usable(&runtime);
            told.is(1);
        });
    });
}

#[test]
fn a_payload_that_is_no_text_has_no_message() {
    within(60, || {
        each(|runtime, told| {
            drop(runtime.spawn(async { std::panic::panic_any(7) }));
            drive(&runtime, &told, 1);
            let failure = told.0.lock().unwrap()[0].clone();
            assert_eq!(failure.message(), None);
            assert!(failure.to_string().ends_with(" panicked"), "{failure}");
        });
    });
}

#[test]
fn a_handle_that_is_dropped_after_the_panic_tells_of_it() {
    within(60, || {
        each(|runtime, told| {
            let task = runtime.spawn(async {
                yield_now().await;
                panic!("late");
            });
            runtime.block_on(async {
                while !task.is_finished() {
                    yield_now().await;
                }
            });
            assert_eq!(told.count(), 0, "there is a handle");
            // Also when the runtime is gone, and elsewhere.
            drop(runtime);
            thread::spawn(move || drop(task)).join().unwrap();
            told.is(1);
        });
    });
}

#[test]
fn a_panic_that_the_handle_gave_out_is_not_told_of() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                let error = executor::spawn(async { panic!("seen") }).await.unwrap_err();
                assert!(error.is_panic());
                drop(error);
                let mut set = JoinSet::new();
                drop(set.spawn(async { panic!("seen, too") }));
                assert!(set.join_next().await.unwrap().is_err());
                assert!(
                    task::spawn_blocking(|| panic!("seen as well"))
                        .await
                        .is_err()
                );
            });
            drop(runtime);
            assert_eq!(told.count(), 0);
        });
    });
}

#[test]
fn a_join_set_that_is_dropped_tells_of_what_it_never_gave_out() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                (0..10).for_each(|n| drop(set.spawn(async move { panic!("{n}") })));
                drop(set.spawn(pending()));
                drop(set.join_next().await);
                while runtime.metrics().num_alive_tasks() > 1 {
                    yield_now().await;
                }
                assert_eq!(told.count(), 0);
                drop(set);
            });
            told.is(9);
        });
    });
}

#[test]
fn aborted_tasks_and_those_that_the_end_drops_have_not_failed() {
    within(60, || {
        each(|runtime, told| {
            let waiting = runtime.spawn(pending::<()>());
            runtime.block_on(yield_now());
            waiting.abort();
            drop(waiting);
            drop(runtime.spawn(pending::<()>()));
            drop(runtime.spawn_blocking(|| ()));
            drop(runtime);
            assert_eq!(told.count(), 0);
        });
    });
}

/// A task that was never polled is linked nowhere, and one that another thread pushes after the end is dropped there: all find their
/// runtime.
#[test]
fn destructors_that_panic_while_the_runtime_ends_are_told_of() {
    within(60, || {
        each(|runtime, told| {
            let handle = runtime.handle().clone();
            let spawn = || {
                let value = PanicsWhenDropped;
                drop(handle.spawn(async move {
                    let _value = value;
                    pending::<()>().await;
                }));
            };
            (0..5).for_each(|_| spawn());
            runtime.block_on(yield_now());
            (0..5).for_each(|_| spawn());
            drop(runtime);
            told.is(10);
            spawn();
            told.is(11);
            thread::scope(|scope| drop(scope.spawn(spawn)));
            told.is(12);
        });
    });
}

#[test]
fn a_panic_of_future_and_destructor_is_one_failure() {
    within(60, || {
        each(|runtime, told| {
            drop(runtime.spawn(async {
                let value = PanicsWhenDropped;
                std::mem::forget(value);
                panic!("the future");
            }));
            let future = Box::pin(futures::future::poll_fn({
                let value = PanicsWhenDropped;
                move |_| -> Poll<()> {
                    let _ = &value;
                    panic!("the future")
                }
            }));
            drop(runtime.spawn(future));
            drive(&runtime, &told, 2);
            drop(runtime);
            told.is(2);
            for failure in &*told.0.lock().unwrap() {
                assert_eq!(failure.message(), Some("the future"));
            }
        });
    });
}

#[test]
fn closures_that_panic_are_told_of() {
    within(60, || {
        each(|runtime, told| {
            drop(runtime.spawn_blocking(|| panic!("in the pool")));
            told.is(1);
            let failure = told.0.lock().unwrap()[0].clone();
            assert_eq!(failure.message(), Some("in the pool"));
            assert_eq!(failure.spawned_at().file(), file!());
        });
    });
}

#[test]
fn local_tasks_are_told_of_to_the_runtime_that_polls_them() {
    within(60, || {
        each(|runtime, told| {
            let set = LocalSet::new();
            drop(set.spawn_local(async { panic!("in a set") }));
            set.block_on(&runtime, async {
                drop(spawn_local(async { panic!("in a set") }));
                while told.count() < 2 {
                    yield_now().await;
                }
            });
            told.is(2);
        });
        let told = Told::default();
        let runtime = told
            .builder(Builder::new_current_thread())
            .build_local(LocalOptions::default())
            .unwrap();
        drop(runtime.spawn_local(async { panic!("in a local runtime") }));
        runtime.block_on(async {
            yield_now().await;
            yield_now().await;
            let value = PanicsWhenDropped;
            drop(spawn_local(async move {
                let _value = value;
                pending::<()>().await;
            }));
        });
        told.is(1);
        drop(runtime);
        told.is(2);
    });
}

#[test]
fn each_runtime_is_told_of_its_own() {
    within(60, || {
        each(|first, told_first| {
            each(|second, told_second| {
                let handle = second.handle().clone();
                first.block_on(async {
                    executor::spawn(async move {
                        // Panics on its own runtime, wherever the handle is dropped; ends below, inside a task of the other.
                        drop(handle.spawn(async { panic!("of the second") }));
                        let value = PanicsWhenDropped;
                        drop(handle.spawn(async move {
                            let _value = value;
                            pending::<()>().await;
                        }));
                        drop(second);
                    })
                    .await
                    .unwrap();
                });
                // The first of them may have been dropped before it panicked.
                until(|| told_second.count() >= 1);
                assert!(told_second.count() <= 2);
            });
            drop(first);
            assert_eq!(told_first.count(), 0);
        });
    });
}

#[test]
fn a_hook_that_panics_spawns_and_locks_does_no_harm() {
    within(60, || {
        for mut builder in [Builder::new_multi_thread(), Builder::new_current_thread()] {
            let (told, spawned) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
            let runtime = builder
                .worker_threads(2)
                .on_unobserved_failure({
                    let (told, spawned) = (told.clone(), spawned.clone());
                    move |failure| {
                        assert_eq!(task::id(), failure.task_id(), "it runs as the task");
                        spawned.lock().unwrap().push(executor::spawn(async { 1 }));
                        *told.lock().unwrap() += 1;
                        panic!("the hook");
                    }
                })
                .build()
                .unwrap();
            (0..50).for_each(|_| drop(runtime.spawn(async { panic!("told") })));
            runtime.block_on(async {
                while *told.lock().unwrap() < 50 {
                    yield_now().await;
                }
                let spawned = std::mem::take(&mut *spawned.lock().unwrap());
                for task in spawned {
                    assert_eq!(task.await.unwrap(), 1);
                }
            });
            assert_usable(&runtime);
            // Told of while this thread panics itself.
            let task = runtime.spawn(async { panic!("told at last") });
            runtime.block_on(async {
                while !task.is_finished() {
                    yield_now().await;
                }
            });
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _entered = runtime.enter();
                let _task = task;
                panic!("this thread");
            }));
            assert!(caught.is_err());
            assert_eq!(*told.lock().unwrap(), 51);
        }
    });
}

#[test]
fn a_finalizer_that_panics_is_not_polled_again() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                for waits in [false, true] {
                    let clean_up = async move {
                        if waits {
                            yield_now().await;
                        }
                        panic!("clean-up");
                    };
                    let run = task::finalizer(Duration::from_secs(60), clean_up).run();
                    assert!(AssertUnwindSafe(run).catch_unwind().await.is_err());
                }
            });
            // Waits for what was spawned.
            drop(runtime.shutdown(Duration::from_secs(60)));
            assert_eq!(told.count(), 0);
        });
    });
}

/// Polls until `done`.
async fn poll_until<F: Future + Unpin>(future: &mut F, done: impl Fn() -> bool) {
    while !done() {
        assert!(poll!(&mut *future).is_pending());
        yield_now().await;
    }
    // It has what came before.
    assert!(poll!(&mut *future).is_pending());
}

async fn panics() -> Result<u8, &'static str> {
    panic!("before the others")
}

#[test]
fn what_waits_for_several_and_is_dropped_tells_of_panics_that_it_has_taken() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                let handles = || {
                    let tasks = [executor::spawn(panics()), executor::spawn(pending())];
                    let first = tasks[0].abort_handle();
                    (running(tasks), move || first.is_finished())
                };
                let (tasks, done) = handles();
                let mut gather = gather_settled(tasks);
                poll_until(&mut gather, done).await;
                drop(gather);
                assert_eq!(told.count(), 1);

                let (tasks, done) = handles();
                let mut wait = wait(tasks, ReturnWhen::AllCompleted);
                poll_until(&mut wait, done).await;
                drop(wait);
                assert_eq!(told.count(), 2);

                let first: OnceLock<ChildTask<u8>> = OnceLock::new();
                let body = async |group: TaskGroup<&'static str>| {
                    let _ = first.set(group.spawn(panics()));
                    group.spawn(pending::<Result<(), _>>());
                    Ok(())
                };
                let mut group = Box::pin(group_with(GroupPolicy::FirstOk, body));
                let done = || first.get().is_some_and(ChildTask::is_finished);
                poll_until(&mut group, done).await;
                drop(group);
                assert_eq!(told.count(), 3);
            });
        });
    });
}

#[test]
fn what_waits_for_several_and_gives_the_panics_out_does_not_tell_of_them() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                assert!(gather_settled([panics()]).await[0].is_err());
                assert!(gather([panics()]).await.is_err());
                let (done, _) = wait([panics()], ReturnWhen::FirstError).await;
                assert!(done[0].is_err());
                let errors = first_ok([panics(), panics()]).await.unwrap_err();
                assert_eq!(errors.len(), 2);
                let mut set: JoinSet<_> = [panics()].into_iter().collect();
                while set.try_join_next().is_none() {
                    yield_now().await;
                }
                let mut task = executor::spawn(panics());
                while task.try_result().is_none() {
                    yield_now().await;
                }
            });
            drop(runtime);
            assert_eq!(told.count(), 0);
        });
    });
}

#[test]
fn panics_before_the_first_success_are_told_of() {
    within(60, || {
        each(|runtime, told| {
            let metrics = runtime.metrics();
            let succeeds = async move {
                // Alone, but for one: it has ended.
                while metrics.num_alive_tasks() > 1 {
                    yield_now().await;
                }
                Ok(7)
            };
            let output = runtime.block_on(first_ok([panics().boxed(), succeeds.boxed()]));
            assert_eq!(output.unwrap(), 7);
            told.is(1);
        });
    });
}

#[test]
fn a_join_set_that_is_shut_down_tells_of_its_panics() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                let mut set: JoinSet<_> = [panics()].into_iter().collect();
                while runtime.metrics().num_alive_tasks() > 0 {
                    yield_now().await;
                }
                assert_eq!(told.count(), 0);
                set.shutdown().await;
            });
            told.is(1);
        });
    });
}

#[test]
fn a_callback_has_seen_a_panic_and_one_that_was_removed_has_not() {
    within(60, || {
        each(|runtime, told| {
            runtime.block_on(async {
                let (send, seen) = oneshot::channel();
                let called = executor::spawn(panics()).on_complete(|_| ());
                drop(called.on_complete(move |result| send.send(result.is_err()).unwrap()));
                assert!(seen.await.unwrap());

                // Its function is removed before it can end.
                let without_function = || {
                    let (send, removed) = oneshot::channel::<()>();
                    let task = executor::spawn(async {
                        removed.await.unwrap();
                        panics().await
                    });
                    let task = task.on_complete(|_| unreachable!());
                    assert!(task.remove());
                    send.send(()).unwrap();
                    task
                };
                assert!(without_function().await.is_err());
                let removed = without_function();
                while !removed.is_finished() {
                    yield_now().await;
                }
                assert_eq!(told.count(), 0);
                drop(removed);
            });
            told.is(1);
        });
    });
}

/// Handles are dropped while their tasks panic on other threads: never twice, never not at all.
#[test]
fn each_failure_is_told_of_once() {
    within(120, || {
        let told = Told::default();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        let runtime = told.builder(builder).build().unwrap();
        let (mut seen, count) = (0, 20_000);
        for n in 0..count {
            let task = runtime.spawn(async move {
                std::panic::resume_unwind(Box::new(n));
            });
            (0..n % 300).for_each(|_| std::hint::spin_loop());
            if n % 3 == 0 {
                let error: task::JoinError = block_on(task).unwrap_err();
                assert_eq!(*error.into_panic().downcast::<usize>().unwrap(), n);
                seen += 1;
            }
        }
        told.is(count - seen);
        drop(runtime);
        let mut ids: Vec<_> = told
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|f| f.task_id().to_string())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count - seen);
    });
}

#[test]
fn by_default_a_line_on_standard_error_says_it() {
    const TEST: &str = "unobserved::by_default_a_line_on_standard_error_says_it";
    if is_child(TEST) {
        let runtime = workers(1);
        let (send, ended) = channel::<()>();
        drop(task::Builder::new().name("clerk").spawn_on(
            async move {
                let _send = send;
                panic!("out of paper");
            },
            runtime.handle(),
        ));
        ended.recv().unwrap_err();
        return drop(runtime);
    }
    let directory = Directory::new();
    let file = directory.file("stderr");
    spawn_child_as(TEST, |command| {
        command.stderr(fs::File::create(&file).unwrap())
    })
    .finish();
    let text = fs::read_to_string(&file).unwrap();
    // The guard may say, too, that the task takes long to panic.
    let line = text.lines().find(|line| line.contains("panicked with"));
    let line = line.unwrap_or_else(|| panic!("no such line: {text}"));
    assert!(line.starts_with("executor: task "), "{line}");
    assert!(line.contains("\"clerk\", spawned at "), "{line}");
    assert!(line.contains("unobserved.rs:"), "{line}");
    assert!(
        line.ends_with("panicked with message \"out of paper\", and nobody asks for its output"),
        "{line}"
    );
}
