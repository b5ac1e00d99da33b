//! The builder: what it refuses, what it accepts, and that its settings arrive.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::runtime::{Builder, Runtime, RuntimeFlavor};
use executor::task::JoinSet;

use crate::panics::quiet;
use crate::support::{
    assert_usable, block_on, child, child_with, current_thread, pair, pair_with_std, thread_names,
    threads, until, within, workers,
};

fn invalid(builder: &mut Builder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.to_string()
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for workers in [0, 1025, usize::MAX] {
        assert!(
            invalid(Builder::new_multi_thread().worker_threads(workers)).contains("worker threads")
        );
    }
    assert!(
        invalid(Builder::new_multi_thread().max_blocking_threads(0))
            .contains("max_blocking_threads")
    );
    assert!(
        invalid(Builder::new_current_thread().max_blocking_threads(0))
            .contains("max_blocking_threads")
    );
    assert!(invalid(Builder::new_multi_thread().thread_name("a\0b")).contains("NUL"));
    assert!(invalid(Builder::new_multi_thread().event_interval(0)).contains("event_interval"));
    assert!(
        invalid(Builder::new_current_thread().global_queue_interval(0))
            .contains("global_queue_interval")
    );
    assert!(
        invalid(Builder::new_multi_thread().max_io_events_per_tick(0))
            .contains("max_io_events_per_tick")
    );
    assert!(
        invalid(Builder::new_multi_thread().max_io_events_per_busy_tick(0))
            .contains("max_io_events_per_busy_tick")
    );
    for name in ["", "  "] {
        assert!(invalid(Builder::new_multi_thread().name(name)).contains("name is empty"));
    }
}

#[test]
fn a_builder_goes_on_after_a_refusal() {
    let mut builder = Builder::new_multi_thread();
    invalid(builder.worker_threads(0));
    assert_usable(&builder.worker_threads(1).build().unwrap());
    assert_usable(&builder.worker_threads(2).build().unwrap());
}

#[test]
fn the_current_thread_flavour_ignores_the_number_of_workers() {
    for workers in [0, 5, usize::MAX] {
        let runtime = Builder::new_current_thread()
            .worker_threads(workers)
            .build()
            .unwrap();
        assert_eq!(
            runtime.handle().runtime_flavor(),
            RuntimeFlavor::CurrentThread
        );
        assert_usable(&runtime);
    }
}

#[test]
fn enabling_drivers_has_no_effect() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .enable_io()
        .enable_time()
        .build()
        .unwrap();
    assert_eq!(
        runtime.handle().runtime_flavor(),
        RuntimeFlavor::MultiThread
    );
    assert_usable(&runtime);
}

/// The threads whose names begin so.
fn named(name: &str) -> usize {
    thread_names()
        .iter()
        .filter(|found| found.starts_with(name))
        .count()
}

#[test]
fn the_environment_says_how_many_workers() {
    const TEST: &str = "builder::the_environment_says_how_many_workers";
    child_with(TEST, &[("EXECUTOR_WORKERS", " 3 ")], || {
        let runtime = Runtime::new().unwrap();
        until(|| named("executor-worker") == 3 && named("executor-guard") == 1);
        assert_usable(&runtime);
        drop(runtime);
        let _runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        until(|| named("executor-worker") == 1 && named("executor-guard") == 1);
    });
}

#[test]
fn an_environment_that_is_wrong_is_refused() {
    const TEST: &str = "builder::an_environment_that_is_wrong_is_refused";
    if crate::support::is_child(TEST) {
        return within(60, || {
            assert!(!invalid(&mut Builder::new_multi_thread()).is_empty());
            assert_eq!(Runtime::new().unwrap_err().kind(), ErrorKind::InvalidInput);
            // Who says it in the program is not asked by the environment.
            assert_usable(
                &Builder::new_multi_thread()
                    .worker_threads(1)
                    .build()
                    .unwrap(),
            );
            assert_usable(&Builder::new_current_thread().build().unwrap());
        });
    }
    for value in [
        "",
        "0",
        "garbage",
        "-1",
        "1.5",
        "1025",
        "99999999999999999999",
    ] {
        crate::support::spawn_child(TEST, &[("EXECUTOR_WORKERS", value)]).finish();
    }
}

#[test]
fn names_show_in_the_system() {
    child("builder::names_show_in_the_system", || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("my-server")
            .build()
            .unwrap();
        until(|| named("my-server") == 3);
        block_on(
            runtime.spawn_blocking(|| assert_eq!(thread::current().name(), Some("my-server"))),
        )
        .unwrap();
        until(|| named("my-server") == 4);
        drop(runtime);
        until(|| named("my-server") == 0);
        let count = AtomicUsize::new(0);
        let _runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name_fn(move || format!("nr-{}", count.fetch_add(1, SeqCst)))
            .build()
            .unwrap();
        until(|| named("nr-") == 3);
        let names = thread_names();
        let mut numbers: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with("nr-"))
            .collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 3, "{names:?}");
    });
}

/// A function that gives good names at first.
fn names_until(last: usize, then: fn() -> String) -> impl Fn() -> String + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move || {
        if count.fetch_add(1, SeqCst) < last {
            "good".into()
        } else {
            then()
        }
    }
}

#[test]
fn a_name_that_turns_bad_later_is_an_error_too() {
    quiet();
    child(
        "builder::a_name_that_turns_bad_later_is_an_error_too",
        || {
            quiet();
            let base = threads();
            for then in [|| String::from("a\0b"), || panic!("expected: no name")] {
                for good in 1..4 {
                    let built = Builder::new_multi_thread()
                        .worker_threads(3)
                        .thread_name_fn(names_until(good, then))
                        .build();
                    assert!(built.is_err());
                    until(|| threads() == base);
                }
                let runtime = Builder::new_current_thread()
                    .thread_name_fn(names_until(1, then))
                    .build()
                    .unwrap();
                let job = runtime.spawn_blocking(|| ());
                assert!(block_on(job).unwrap_err().is_cancelled());
            }
        },
    );
}

#[test]
fn hooks_are_called_on_every_thread_once() {
    within(60, || {
        let log = Arc::new(Mutex::new(Vec::new()));
        let [start, stop] = [true, false].map(|started| {
            let log = log.clone();
            move || log.lock().unwrap().push((thread::current().id(), started))
        });
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_start(start)
            .on_thread_stop(stop)
            .build()
            .unwrap();
        let blocking = block_on(runtime.spawn_blocking(|| thread::current().id())).unwrap();
        assert!(
            log.lock().unwrap().contains(&(blocking, true)),
            "the hook comes first"
        );
        drop(runtime);
        let log = log.lock().unwrap();
        let of = |started| {
            log.iter()
                .filter(|entry| entry.1 == started)
                .map(|entry| entry.0)
                .collect::<std::collections::HashSet<_>>()
        };
        assert_eq!(log.len(), 8);
        assert_eq!((of(true).len(), &of(true)), (4, &of(false)));
    });
}

#[test]
fn hooks_that_panic_are_harmless() {
    quiet();
    within(60, || {
        let count = Arc::new(AtomicUsize::new(0));
        let panics = |count: Arc<AtomicUsize>| {
            move || {
                count.fetch_add(1, SeqCst);
                panic!("expected: in a hook");
            }
        };
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            let runtime = builder()
                .worker_threads(2)
                .on_thread_start(panics(count.clone()))
                .on_thread_stop(panics(count.clone()))
                .build()
                .unwrap();
            assert_usable(&runtime);
        }
        assert!(count.load(SeqCst) >= 8);
    });
}

#[test]
fn hooks_may_use_the_runtime() {
    within(60, || {
        let hook = || {
            drop(executor::spawn(async {}));
            drop(executor::task::spawn_blocking(|| ()));
            drop(executor::time::sleep(Duration::from_secs(1)));
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(4)
            .on_thread_start(hook)
            .on_thread_stop(hook)
            .build()
            .unwrap();
        assert_usable(&runtime);
    });
}

#[test]
fn intervals_and_batches_of_any_size_work() {
    within(60, || {
        for (polls, events) in [(1, 1), (7, 2), (u32::MAX, usize::MAX)] {
            for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
                let runtime = builder()
                    .worker_threads(2)
                    .event_interval(polls)
                    .global_queue_interval(polls)
                    .max_io_events_per_tick(events)
                    .max_io_events_per_busy_tick(events)
                    .build()
                    .unwrap();
                assert_usable(&runtime);
                runtime.block_on(pair());
            }
        }
    });
}

/// One event at a look is slow, but none is forgotten.
#[test]
fn busy_workers_that_take_one_event_at_a_time_get_all() {
    within(60, || {
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            let runtime = builder()
                .worker_threads(1)
                .max_io_events_per_busy_tick(1)
                .build()
                .unwrap();
            let busy = runtime.spawn(async {
                loop {
                    executor::task::yield_now().await;
                }
            });
            runtime.block_on(async {
                let (mut readers, mut writers) = (JoinSet::new(), Vec::new());
                for _ in 0..20 {
                    let (mut reader, writer) = pair().await;
                    readers.spawn(async move { reader.read_u8().await.unwrap() });
                    writers.push(writer);
                }
                for (n, writer) in (0..).zip(&mut writers) {
                    writer.write_u8(n).await.unwrap();
                }
                let mut read = readers.join_all().await;
                read.sort_unstable();
                assert!(read.into_iter().eq(0..20));
            });
            busy.abort();
        }
    });
}

/// With one poll between two looks, a task from outside runs between two polls of one that never rests.
#[test]
fn the_interval_bounds_how_long_a_task_from_outside_waits() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .global_queue_interval(1)
            .event_interval(1000)
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let polls = runtime.block_on(async move {
            executor::spawn(async move {
                executor::task::yield_now().await;
                let foreign = thread::spawn(move || handle.spawn(async {}))
                    .join()
                    .unwrap();
                let mut polls = 0;
                while !foreign.is_finished() {
                    polls += 1;
                    executor::task::yield_now().await;
                }
                polls
            })
            .await
            .unwrap()
        });
        assert!(polls <= 3, "{polls}");
    });
}

#[test]
fn runtimes_have_ids_and_perhaps_names() {
    let (a, b) = (workers(1), current_thread());
    assert_ne!(a.handle().id(), b.handle().id());
    assert_eq!(a.handle().id(), a.handle().clone().id());
    assert!(!a.handle().id().to_string().is_empty());
    assert_eq!(a.handle().name(), None);
    let named = Builder::new_current_thread().name("mine").build().unwrap();
    assert_eq!(named.handle().name(), Some("mine"));
    named.block_on(async {
        assert_eq!(executor::runtime::Handle::current().name(), Some("mine"));
    });
}

/// What a hook does right before its thread sleeps is not slept over.
#[test]
fn work_that_the_park_hook_makes_is_done() {
    within(60, || {
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            for workers in [1, 2] {
                let (ask, asked) = futures::channel::oneshot::channel::<()>();
                let ask = Mutex::new(Some(ask));
                let (send, mut sent) = futures::channel::mpsc::unbounded();
                let spawned = AtomicUsize::new(0);
                let runtime = builder()
                    .worker_threads(workers)
                    .on_thread_park(move || {
                        if spawned.fetch_add(1, SeqCst) < 100 {
                            let send = send.clone();
                            drop(executor::spawn(async move {
                                let _ = send.unbounded_send(());
                            }));
                        } else if let Some(ask) = ask.lock().unwrap().take() {
                            // On the current-thread flavour this wakes the future given to `block_on`, on its own thread.
                            let _ = ask.send(());
                        }
                    })
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    for _ in 0..100 {
                        futures::StreamExt::next(&mut sent).await.unwrap();
                    }
                    asked.await.unwrap();
                });
            }
        }
    });
}

/// Such a worker never sleeps, and so never waits for events.
#[test]
fn a_park_hook_that_always_makes_work_keeps_no_event_and_no_timer_away() {
    within(60, || {
        for mut builder in [Builder::new_multi_thread(), Builder::new_current_thread()] {
            let runtime = builder
                .worker_threads(1)
                .on_thread_park(|| drop(executor::spawn(async {})))
                .build()
                .unwrap();
            runtime.block_on(async {
                let task = executor::spawn(async {
                    for _ in 0..20 {
                        executor::time::sleep(Duration::from_millis(1)).await;
                    }
                    let (mut ours, mut peer) = pair_with_std().await;
                    std::io::Write::write_all(&mut peer, b"x").unwrap();
                    assert_eq!(ours.read_u8().await.unwrap(), b'x');
                });
                task.await.unwrap();
            });
        }
    });
}

#[test]
fn park_hooks_come_in_pairs_on_the_workers_threads() {
    within(60, || {
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            let log = Arc::new(Mutex::new(Vec::new()));
            let [park, unpark] = [1, -1].map(|step| {
                let log = log.clone();
                move || log.lock().unwrap().push((thread::current().id(), step))
            });
            // A spare worker, which comes if the system holds another for some milliseconds, has a thread that is not asked for below.
            let runtime = builder()
                .worker_threads(2)
                .max_spare_workers(0)
                .on_thread_park(park)
                .on_thread_unpark(unpark)
                .build()
                .unwrap();
            assert_usable(&runtime);
            // On a busy machine nobody may have slept so far.
            let (send, told) = futures::channel::oneshot::channel();
            let telling = thread::spawn({
                let log = log.clone();
                move || {
                    until(|| !log.lock().unwrap().is_empty());
                    send.send(()).unwrap();
                }
            });
            runtime.block_on(told).unwrap();
            telling.join().unwrap();
            let metrics = runtime.metrics();
            // The other worker may not have begun.
            let thread = |worker| metrics.worker_thread_id(worker);
            until(|| (0..metrics.num_workers()).all(|worker| thread(worker).is_some()));
            let threads: Vec<_> = (0..metrics.num_workers()).filter_map(thread).collect();
            drop(runtime);
            let mut depth = std::collections::HashMap::new();
            for (thread, step) in log.lock().unwrap().drain(..) {
                assert!(threads.contains(&thread));
                let depth = depth.entry(thread).or_insert(0);
                *depth += step;
                assert!((0..=1).contains(depth), "one after the other");
            }
            assert!(!depth.is_empty());
            assert!(depth.values().all(|&depth| depth == 0));
        }
    });
}

#[test]
fn park_hooks_that_panic_are_harmless() {
    quiet();
    within(60, || {
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            let runtime = builder()
                .worker_threads(2)
                .on_thread_park(|| panic!("expected: in a hook"))
                .on_thread_unpark(|| panic!("expected: in a hook"))
                .build()
                .unwrap();
            assert_usable(&runtime);
        }
    });
}

type Setting = Box<dyn FnOnce(&mut Builder)>;

#[test]
fn the_order_of_the_settings_does_not_matter() {
    child("builder::the_order_of_the_settings_does_not_matter", || {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..30 {
            let starts = Arc::new(AtomicUsize::new(0));
            let count = starts.clone();
            let mut settings: Vec<Setting> = vec![
                Box::new(|builder| {
                    builder.worker_threads(3);
                }),
                Box::new(|builder| {
                    builder.thread_name("ordered");
                }),
                Box::new(|builder| {
                    builder.max_blocking_threads(2);
                }),
                // One would be counted below.
                Box::new(|builder| {
                    builder.max_spare_workers(0);
                }),
                Box::new(|builder| {
                    builder.thread_keep_alive(Duration::from_secs(60));
                }),
                Box::new(|builder| {
                    builder.thread_stack_size(1 << 20);
                }),
                Box::new(|builder| {
                    builder.enable_all();
                }),
                Box::new(move |builder| {
                    builder.on_thread_start(move || {
                        count.fetch_add(1, SeqCst);
                    });
                }),
            ];
            let mut builder = Builder::new_multi_thread();
            while !settings.is_empty() {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let next = seed as usize % settings.len();
                settings.swap_remove(next)(&mut builder);
            }
            let runtime = builder.build().unwrap();
            let jobs: Vec<_> = (0..20)
                .map(|_| runtime.spawn_blocking(thread::yield_now))
                .collect();
            jobs.into_iter().for_each(|job| block_on(job).unwrap());
            // Three workers, the guard, and one or two for the closures.
            until(|| matches!(named("ordered"), 5 | 6) && named("ordered") == starts.load(SeqCst));
            drop(runtime);
            until(|| named("ordered") == 0);
        }
    });
}

#[test]
fn any_combination_of_settings_is_a_runtime_or_an_error() {
    // Of each setting the edges. Small sizes are made large enough, others are refused by the system.
    let workers = [0, 1, 3, 1024 + 1, usize::MAX];
    let threads = [0, 1, usize::MAX];
    let times = [Duration::ZERO, Duration::from_millis(1), Duration::MAX];
    let names = [
        "",
        "a",
        "a name longer than the fifteen bytes that Linux keeps",
        "nul\0",
    ];
    let intervals = [0, 1, u32::MAX];
    let stacks = [0, 1, 1 << 20, usize::MAX];
    within(60, || {
        let mut built = 0;
        for case in 0..400_usize {
            // Steps without a common factor with any length, so that all pairs of edges meet.
            let pick = |step: usize, length: usize| (case * step + case / 7) % length;
            let mut builder = match pick(3, 2) {
                0 => Builder::new_multi_thread(),
                _ => Builder::new_current_thread(),
            };
            builder
                .worker_threads(workers[pick(11, workers.len())])
                .max_blocking_threads(threads[pick(13, threads.len())])
                .thread_keep_alive(times[pick(17, times.len())])
                .thread_name(names[pick(19, names.len())])
                .event_interval(intervals[pick(23, intervals.len())])
                .global_queue_interval(intervals[pick(29, intervals.len())])
                .thread_stack_size(stacks[pick(31, stacks.len())]);
            match builder.build() {
                Ok(runtime) => {
                    assert_eq!(runtime.block_on(async { case }), case);
                    built += 1;
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        assert!(built > 0);
    });
}
