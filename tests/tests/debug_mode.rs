//! Debug mode: what it tells of, to whom, and who turns it on.

use std::cell::RefCell;
use std::fs;
use std::future::pending;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, DebugEvent, LocalOptions, LocalRuntime, Runtime};
use executor::task::{self, JoinHandle};

use crate::support::{Directory, block_on, child_with, in_time, is_child, spawn_child_as, within};

/// A builder of each flavour.
fn each_builder(test: impl Fn(Builder)) {
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    test(multi);
    test(Builder::new_current_thread());
}

fn listening(builder: &mut Builder) -> (Runtime, Receiver<DebugEvent>) {
    let (send, events) = channel();
    let runtime = builder
        .debug(true)
        .slow_poll_threshold(SLOW)
        .on_debug(move |event| send.send(event.clone()).unwrap())
        .build()
        .unwrap();
    (runtime, events)
}

#[test]
fn a_slow_poll_is_told_of_when_it_is_over() {
    within(60, || {
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            let task = task::Builder::new().name("sleeper").spawn_on(
                async {
                    task::yield_now().await;
                    thread::sleep(SLOW);
                    task::yield_now().await;
                },
                runtime.handle(),
            );
            let task = task.unwrap();
            let id = task.id();
            runtime.block_on(task).unwrap();
            let DebugEvent::SlowPoll(poll) = events.recv().unwrap() else {
                panic!("another event");
            };
            assert_eq!(poll.task_id(), Some(id));
            assert_eq!(poll.task_name(), Some("sleeper"));
            assert_eq!(poll.spawned_at().unwrap().file(), file!());
            assert!(poll.elapsed() >= SLOW);
            let line = poll.to_string();
            assert!(
                line.starts_with(&format!("a poll of task {id} \"sleeper\", spawned at ")),
                "{line}"
            );
        });
    });
}

#[test]
fn a_slow_root_is_told_of_and_says_so() {
    within(60, || {
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            runtime.block_on(async { thread::sleep(SLOW) });
            let DebugEvent::SlowPoll(poll) = events.recv().unwrap() else {
                panic!("another event");
            };
            assert_eq!((poll.task_id(), poll.spawned_at()), (None, None));
            assert!(poll.to_string().contains("the future given to `block_on`"));
        });
    });
}

#[test]
fn who_blocks_in_place_has_held_nobody_up() {
    within(60, || {
        let mut builder = Builder::new_multi_thread();
        let (runtime, events) = listening(builder.worker_threads(1));
        let blocks = runtime.spawn(async {
            // The other can be done only if its worker goes on.
            let (send, receive) = channel();
            let other = executor::spawn(async move { send.send(()).unwrap() });
            task::block_in_place(|| {
                receive.recv().unwrap();
                thread::sleep(SLOW);
            });
            other.await.unwrap();
        });
        block_on(blocks).unwrap();
        drop(runtime);
        assert!(
            !events
                .try_iter()
                .any(|event| matches!(event, DebugEvent::SlowPoll(_)))
        );
    });
}

#[test]
fn failures_go_where_the_other_events_go_unless_they_have_a_function() {
    within(60, || {
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            drop(runtime.spawn(async { panic!("out of paper") }));
            runtime.block_on(async { task::yield_now().await });
            let failure = events.iter().find_map(|event| match event {
                DebugEvent::UnobservedFailure(failure) => Some(failure),
                _ => None,
            });
            assert_eq!(failure.unwrap().message(), Some("out of paper"));

            let (send, failures) = channel();
            builder.on_unobserved_failure(move |failure| send.send(failure.clone()).unwrap());
            let (runtime, events) = listening(&mut builder);
            drop(runtime.spawn(async { panic!("out of ink") }));
            runtime.block_on(async { task::yield_now().await });
            assert_eq!(failures.recv().unwrap().message(), Some("out of ink"));
            drop(runtime);
            let failed = |event: DebugEvent| matches!(event, DebugEvent::UnobservedFailure(_));
            assert!(!events.try_iter().any(failed));
        });
    });
}

#[test]
fn the_end_lists_the_tasks_it_has_dropped() {
    within(60, || {
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            spawn_named(&runtime, ["idle", "other"]);
            runtime.block_on(async {
                task::yield_now().await;
                // Done by the end.
                executor::spawn(async {}).await.unwrap();
            });
            drop(runtime);
            let event = events.recv().unwrap();
            assert_eq!(dropped_names(&event), ["idle", "other"]);
            let text = event.to_string();
            assert!(
                text.contains("2 tasks") && text.contains("\"idle\""),
                "{text}"
            );
            assert!(text.contains("debug_mode.rs:"), "{text}");
            assert!(events.try_recv().is_err(), "told of once");
        });
    });
}

#[test]
fn the_report_has_them_too() {
    let (runtime, _events) = listening(&mut Builder::new_current_thread());
    // Nobody drives: they have not begun.
    spawn_named(&runtime, ["first", "second"]);
    let report = runtime.shutdown(Duration::ZERO);
    let names = report.dropped_tasks().iter().map(|task| task.task_name());
    assert_eq!(names.collect::<Vec<_>>(), [Some("first"), Some("second")]);
    assert_eq!(report.dropped_tasks()[0].spawned_at().file(), file!());
}

#[test]
fn a_task_that_is_polled_while_its_runtime_ends_is_listed_when_it_is_dropped() {
    within(60, || {
        let mut builder = Builder::new_multi_thread();
        let (runtime, events) = listening(builder.worker_threads(1));
        let ((began, begin), (end, wait)) = (channel(), channel::<()>());
        let busy = task::Builder::new().name("busy").spawn_on(
            async move {
                began.send(()).unwrap();
                wait.recv().unwrap();
                pending::<()>().await;
            },
            runtime.handle(),
        );
        drop(busy);
        begin.recv().unwrap();
        let closer = thread::spawn(move || drop(runtime));
        end.send(()).unwrap();
        closer.join().unwrap();
        let mut dropped = events
            .try_iter()
            .filter(|event| matches!(event, DebugEvent::TasksDropped(_)));
        assert_eq!(dropped_names(&dropped.next().unwrap()), ["busy"]);
    });
}

#[test]
fn of_those_that_a_shutdown_asks_the_ones_that_go_are_not_listed() {
    within(60, || {
        each_builder(|mut builder| {
            let (runtime, _events) = listening(&mut builder);
            let long = Duration::from_secs(3600);
            for (name, grace) in [("goes", Duration::ZERO), ("stays", long)] {
                let task = task::Builder::new().name(name);
                let shielded = async move { task::shield(grace, pending::<()>()).await };
                drop(task.spawn_on(shielded, runtime.handle()));
            }
            runtime.block_on(async { task::yield_now().await });
            let report = runtime.shutdown(Duration::from_secs(1));
            let names = report.dropped_tasks().iter().map(|task| task.task_name());
            assert_eq!(names.collect::<Vec<_>>(), [Some("stays")]);
        });
    });
}

#[test]
fn who_is_told_of_a_slow_poll_may_drop_the_runtime_of_the_task() {
    thread_local! {
        static DROPPED_BY_HOOK: RefCell<Option<LocalRuntime>> = const { RefCell::new(None) };
    }
    within(60, || {
        for waits in [true, false] {
            let mut builder = Builder::new_current_thread();
            builder.debug(true).slow_poll_threshold(Duration::ZERO);
            builder.on_debug(|event| match event {
                DebugEvent::SlowPoll(poll) if poll.task_id().is_some() => {
                    drop(DROPPED_BY_HOOK.take());
                }
                _ => {}
            });
            let runtime = builder.build_local(LocalOptions::default()).unwrap();
            let handle = runtime.handle().clone();
            let task: JoinHandle<()> = runtime.spawn_local(async move {
                loop {
                    if waits {
                        pending::<()>().await;
                    }
                    task::yield_now().await;
                }
            });
            DROPPED_BY_HOOK.set(Some(runtime));
            handle.block_on(task::yield_now());
            assert!(DROPPED_BY_HOOK.take().is_none());
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn slow_polls_of_local_tasks_are_told_of_and_those_of_whoever_polls_the_set_are_not() {
    within(60, || {
        let slow = || async {
            task::yield_now().await;
            thread::sleep(SLOW);
        };
        let assert_one = |events: Receiver<DebugEvent>| {
            let polls = events.try_iter().filter_map(|event| match event {
                DebugEvent::SlowPoll(poll) => Some(poll.task_name().map(str::to_owned)),
                _ => None,
            });
            assert_eq!(polls.collect::<Vec<_>>(), [Some("local".to_owned())]);
        };
        let named = || task::Builder::new().name("local");
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            let set = task::LocalSet::new();
            let task = named().spawn_local_on(slow(), &set).unwrap();
            set.block_on(&runtime, task).unwrap();
            drop((set, runtime));
            assert_one(events);
        });
        let (send, events) = channel();
        let mut builder = Builder::new_current_thread();
        builder.debug(true).slow_poll_threshold(SLOW);
        builder.on_debug(move |event| send.send(event.clone()).unwrap());
        let runtime = builder.build_local(LocalOptions::default()).unwrap();
        runtime.block_on(async { named().spawn_local(slow()).unwrap().await.unwrap() });
        drop(runtime);
        assert_one(events);
    });
}

#[test]
fn local_tasks_are_told_of_that_are_dropped_with_their_set_or_their_runtime() {
    within(60, || {
        let spawn_local = |name: &'static str| {
            let task = task::Builder::new().name(name);
            drop(task.spawn_local(pending::<()>()).unwrap());
        };
        each_builder(|mut builder| {
            let (runtime, events) = listening(&mut builder);
            let set = task::LocalSet::new();
            set.block_on(&runtime, async {
                spawn_local("waits");
                task::yield_now().await;
                spawn_local("has not begun");
                task::spawn_local(async {}).await.unwrap();
            });
            // In either order.
            drop(runtime);
            drop(set);
            let events: Vec<_> = events.try_iter().collect();
            let [DebugEvent::LocalTasksDropped(tasks)] = &events[..] else {
                panic!("other events: {events:?}");
            };
            let mut names: Vec<_> = tasks.iter().map(|task| task.task_name().unwrap()).collect();
            names.sort_unstable();
            assert_eq!(names, ["has not begun", "waits"]);
            let text = events[0].to_string();
            assert!(
                text.contains("`LocalSet`") && text.contains("2 tasks"),
                "{text}"
            );
        });
        // True: with a grace, what hears of the end did so within it.
        let dropped = |grace: Option<Duration>| {
            let (send, events) = channel();
            let mut builder = Builder::new_current_thread();
            builder.debug(true);
            builder.on_debug(move |event| send.send(event.clone()).unwrap());
            let runtime = builder.build_local(LocalOptions::default()).unwrap();
            runtime.block_on(async {
                spawn_local("waits");
                task::yield_now().await;
                // Asked to end, it stays.
                let stays = task::Builder::new().name("stays");
                let long = Duration::from_secs(3600);
                let stays = stays.spawn_local(task::shield(long, pending::<()>()));
                drop(stays.unwrap());
                task::yield_now().await;
            });
            let expected: &[_] = match grace {
                None => &["stays", "waits"],
                Some(_) => &["stays"],
            };
            match grace {
                None => drop(runtime),
                Some(grace) => {
                    let report = runtime.shutdown(grace);
                    let names = report.dropped_tasks().iter().map(|task| task.task_name());
                    if names.collect::<Vec<_>>() != [Some("stays")] {
                        return false;
                    }
                }
            }
            assert_eq!(dropped_names(&events.try_recv().unwrap()), expected);
            assert!(events.try_recv().is_err());
            true
        };
        assert!(dropped(None));
        in_time(|grace| dropped(Some(grace)));
    });
}

fn spawn_named(runtime: &Runtime, names: [&str; 2]) {
    for name in names {
        let task = task::Builder::new().name(name);
        drop(task.spawn_on(pending::<()>(), runtime.handle()));
    }
}

fn dropped_names(event: &DebugEvent) -> Vec<&str> {
    let DebugEvent::TasksDropped(tasks) = event else {
        panic!("another event: {event}");
    };
    let mut names: Vec<_> = tasks.iter().map(|task| task.task_name().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn without_debug_mode_nothing_is_told() {
    within(60, || {
        let (send, events) = channel();
        let runtime = Builder::new_current_thread()
            .slow_poll_threshold(Duration::ZERO)
            .on_debug(move |event| send.send(event.clone()).unwrap())
            .build()
            .unwrap();
        drop(runtime.spawn(pending::<()>()));
        runtime.block_on(async { task::yield_now().await });
        let report = runtime.shutdown(Duration::ZERO);
        assert_eq!(
            (report.tasks_dropped(), report.dropped_tasks().len()),
            (1, 0)
        );
        assert!(events.recv().is_err());
    });
}

#[test]
fn the_environment_turns_it_on_unless_the_builder_says_no() {
    child_with(
        "debug_mode::the_environment_turns_it_on_unless_the_builder_says_no",
        &[("EXECUTOR_DEBUG", "1")],
        || {
            for (debug, told) in [(None, true), (Some(false), false), (Some(true), true)] {
                let (send, events) = channel();
                let mut builder = Builder::new_current_thread();
                builder
                    .slow_poll_threshold(Duration::ZERO)
                    .on_debug(move |event| send.send(event.clone()).unwrap());
                if let Some(debug) = debug {
                    builder.debug(debug);
                }
                builder.build().unwrap().block_on(async {});
                assert_eq!(events.try_iter().count() > 0, told, "{debug:?}");
            }
        },
    );
}

#[test]
fn an_environment_that_says_something_else_is_an_error() {
    child_with(
        "debug_mode::an_environment_that_says_something_else_is_an_error",
        &[("EXECUTOR_DEBUG", "yes")],
        || {
            let error = Builder::new_current_thread().build().unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("EXECUTOR_DEBUG"), "{error}");
            // Who says it itself does not ask.
            Builder::new_current_thread().debug(false).build().unwrap();
        },
    );
}

#[test]
fn without_a_function_lines_go_to_standard_error() {
    const NAME: &str = "debug_mode::without_a_function_lines_go_to_standard_error";
    if is_child(NAME) {
        return within(60, || {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .debug(true)
                .stall_threshold(Duration::MAX)
                .slow_poll_threshold(SLOW)
                .build()
                .unwrap();
            let sleeper = task::Builder::new().name("sleeper");
            let sleeper = sleeper.spawn_on(async { thread::sleep(SLOW) }, runtime.handle());
            runtime.block_on(sleeper.unwrap()).unwrap();
            let monitor = task::Builder::new().name("monitor");
            drop(monitor.spawn_on(pending::<()>(), runtime.handle()));
        });
    }
    let directory = Directory::new();
    let file = directory.file("stderr");
    let child = spawn_child_as(NAME, |command| {
        command.stderr(fs::File::create(&file).unwrap())
    });
    child.finish();
    let text = fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    let slow = lines.next().unwrap();
    assert!(slow.starts_with("executor: a poll of task "), "{text}");
    assert!(
        slow.contains("\"sleeper\", spawned at ") && slow.contains(" ms; "),
        "{text}"
    );
    let dropped = lines.next().unwrap();
    assert_eq!(
        dropped,
        "executor: the runtime has ended, and has dropped 1 task that had not:"
    );
    assert!(lines.next().unwrap().contains("\"monitor\""), "{text}");
    assert_eq!(lines.next(), None, "{text}");
}

#[test]
fn with_a_subscriber_events_go_to_tracing() {
    child_with(
        "debug_mode::with_a_subscriber_events_go_to_tracing",
        &[("EXECUTOR_DEBUG", "1")],
        || {
            let (send, events) = channel();
            tracing::subscriber::set_global_default(Collect(send)).unwrap();
            let runtime = Builder::new_current_thread()
                .slow_poll_threshold(SLOW)
                .build()
                .unwrap();
            let sleeper = task::Builder::new().name("sleeper");
            let sleeper = sleeper.spawn_on(async { thread::sleep(SLOW) }, runtime.handle());
            runtime.block_on(sleeper.unwrap()).unwrap();
            drop(runtime.spawn(pending::<()>()));
            drop(runtime);
            let slow = events.recv().unwrap();
            assert!(slow.contains("message=a poll of task "), "{slow}");
            assert!(
                slow.contains("task.name=\"sleeper\"") && slow.contains("poll.millis="),
                "{slow}"
            );
            let dropped = events.recv().unwrap();
            assert!(dropped.contains("message=dropped by the end"), "{dropped}");
            assert!(
                dropped.contains("task.id=") && dropped.contains("debug_mode.rs:"),
                "{dropped}"
            );
        },
    );
}

/// A subscriber that sends the fields of the library's events.
struct Collect(std::sync::mpsc::Sender<String>);

impl tracing::Subscriber for Collect {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "executor" && *metadata.level() == tracing::Level::WARN
    }

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{field}={value:?} ");
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.send(fields.0).unwrap();
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Long for a poll, and what a busy machine does not do to the others by itself often.
const SLOW: Duration = Duration::from_millis(100);
