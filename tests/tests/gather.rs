//! `gather` and its kin: outputs in the order of the arguments, errors at once, and who goes on afterwards.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use executor::runtime::{Builder, Runtime};
use executor::spawn;
use executor::task::{
    self, CancelScope, FutureExt, JoinHandle, ReturnWhen, effective_deadline, gather,
    gather_settled, running, shield, try_gather, try_join_all, wait, yield_now,
};
use executor::time::{Duration, Instant, sleep, timeout};
use proptest::prelude::*;

use crate::support::{Drops, each_runtime, poll_once, within};

const SECOND: Duration = Duration::from_secs(1);

/// On the paused clock, on both flavours.
pub(crate) fn each_paused(test: impl Fn(Runtime)) {
    test(
        Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap(),
    );
    test(
        Builder::new_multi_thread()
            .worker_threads(2)
            .start_paused(true)
            .build()
            .unwrap(),
    );
}

/// A task that ends after so many seconds, with a value.
fn after<T: Send + 'static>(seconds: u32, value: T) -> JoinHandle<T> {
    spawn(async move {
        sleep(seconds * SECOND).await;
        value
    })
}

#[derive(Clone, Debug)]
enum End {
    Output,
    Panic,
    Abort,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![4 => Just(End::Output), 1 => Just(End::Panic), 1 => Just(End::Abort)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn outputs_have_the_order_of_the_arguments(delays in prop::collection::vec(0_u32..50, 0..40)) {
        within(30, || each_paused(|runtime| {
            runtime.block_on(async {
                let tasks = delays.iter().enumerate().map(|(n, &delay)| after(delay, n));
                let expected: Vec<_> = (0..delays.len()).collect();
                assert_eq!(gather(running(tasks)).await.unwrap(), expected);
            });
        }));
    }

    #[test]
    fn settled_results_are_what_became_of_each_task(ends in prop::collection::vec((0_u32..20, end()), 0..20)) {
        within(30, || each_paused(|runtime| {
            runtime.block_on(async {
                let tasks: Vec<_> = ends.iter().cloned().enumerate().map(|(n, (delay, end))| {
                    let task = spawn(async move {
                        sleep(delay * SECOND).await;
                        match end {
                            End::Output => n,
                            End::Panic => std::panic::panic_any(n),
                            End::Abort => pending().await,
                        }
                    });
                    if matches!(ends[n].1, End::Abort) {
                        task.abort();
                    }
                    task
                }).collect();
                let results = gather_settled(running(tasks)).await;
                assert_eq!(results.len(), ends.len());
                for (n, (result, (_, end))) in results.into_iter().zip(&ends).enumerate() {
                    match (result, end) {
                        (Ok(output), End::Output) => assert_eq!(output, n),
                        (Err(error), End::Panic) => {
                            assert_eq!(*error.into_panic().downcast::<usize>().unwrap(), n);
                        }
                        (Err(error), End::Abort) => assert!(error.is_cancelled()),
                        (result, end) => panic!("{result:?} of {end:?}"),
                    }
                }
            });
        }));
    }
}

#[test]
fn nothing_to_gather_is_ready_at_once() {
    each_runtime(|runtime| {
        runtime.block_on(async {
            assert!(
                gather(running(Vec::<JoinHandle<u8>>::new()))
                    .await
                    .unwrap()
                    .is_empty()
            );
            assert!(
                gather_settled(running(Vec::<JoinHandle<u8>>::new()))
                    .await
                    .is_empty()
            );
        });
    });
}

#[test]
fn the_first_error_comes_at_once_and_the_others_go_on() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let (send, ended) = futures::channel::oneshot::channel();
                let slow = spawn(async move {
                    sleep(10 * SECOND).await;
                    send.send(start.elapsed()).unwrap();
                    Ok(1)
                });
                let fails = after(2, Err(io::Error::other("no")));
                let later = after(3, Err(io::Error::other("later")));
                let error = try_gather(running([slow, later, fails])).await.unwrap_err();
                assert_eq!(error.to_string(), "no");
                assert_eq!(start.elapsed(), 2 * SECOND);
                assert_eq!(ended.await.unwrap(), 10 * SECOND);
            });
        });
    });
}

#[test]
fn a_panic_and_an_abort_are_errors_too() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let panics = spawn(async {
                    sleep(SECOND).await;
                    panic!("one of them");
                });
                let error = gather(running([after(5, ()), panics])).await.unwrap_err();
                assert!(error.to_string().contains("one of them"));
                let aborted = after(5, ());
                aborted.abort();
                let error = gather(running([after(9, ()), aborted])).await.unwrap_err();
                assert!(error.is_cancelled());
                let aborted = after(5, Ok(1));
                aborted.abort();
                let error: io::Error = try_gather(running([aborted])).await.unwrap_err();
                assert!(error.to_string().contains("cancelled"));
                assert_eq!(start.elapsed(), SECOND);
            });
        });
    });
}

#[test]
fn a_gather_that_is_dropped_cancels_what_has_not_ended() {
    within(30, || {
        each_paused(|runtime| {
            let drops = Drops::default();
            runtime.block_on(async {
                let value = drops.value();
                let waits = spawn(async move {
                    let _value = value;
                    pending::<()>().await;
                });
                let waiting = waits.abort_handle();
                let ended = after(1, ());
                timeout(2 * SECOND, gather(running([ended, waits])))
                    .await
                    .unwrap_err();
                while !waiting.is_finished() {
                    yield_now().await;
                }
                assert_eq!(drops.count(), 1);

                // A request, which the task hears of.
                let hears = spawn(async {
                    let heard = pending::<()>().or_cancelled().await.unwrap_err();
                    heard.reason().to_owned()
                });
                let (send, reason) = futures::channel::oneshot::channel();
                let tells = spawn(async {
                    let heard = pending::<()>().or_cancelled().await.unwrap_err();
                    send.send(heard.reason().to_owned()).unwrap();
                    String::new()
                });
                timeout(SECOND, gather(running([hears, tells])))
                    .await
                    .unwrap_err();
                assert!(reason.await.unwrap().contains("gather"));

                // Also if nobody ever polls it.
                let task = spawn(pending::<()>());
                let waiting = task.abort_handle();
                drop(gather_settled(running([task])));
                while !waiting.is_finished() {
                    yield_now().await;
                }
            });
        });
    });
}

#[test]
fn tasks_of_different_types_make_a_tuple() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let handle = after(3, "three");
                let gathered = executor::gather!(
                    async {
                        sleep(2 * SECOND).await;
                        2
                    },
                    handle,
                    std::future::ready(vec![1]),
                );
                assert_eq!(gathered.await.unwrap(), (2, "three", vec![1]));
                assert_eq!(start.elapsed(), 3 * SECOND);
                assert_eq!(executor::gather!(async { 1 }).await.unwrap(), (1,));
            });
        });
    });
}

#[test]
fn the_macro_begins_at_once_and_its_first_error_lets_the_others_go_on() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let ran = Arc::new(AtomicUsize::new(0));
                let counted = ran.clone();
                let (send, ended) = futures::channel::oneshot::channel();
                let gathered = executor::gather!(
                    async move {
                        counted.fetch_add(1, Ordering::SeqCst);
                        sleep(5 * SECOND).await;
                        send.send(()).unwrap();
                    },
                    async {
                        sleep(SECOND).await;
                        panic!("no");
                    }
                );
                sleep(SECOND / 2).await;
                assert_eq!(ran.load(Ordering::SeqCst), 1, "without being polled");
                assert!(gathered.await.unwrap_err().is_panic());
                ended.await.unwrap();

                let task = spawn(pending::<()>());
                let waiting = task.abort_handle();
                let mut gathered = Box::pin(executor::gather!(task, async { 1 }));
                assert!(poll_once(gathered.as_mut()).is_pending());
                drop(gathered);
                while !waiting.is_finished() {
                    yield_now().await;
                }
            });
        });
    });
}

#[test]
fn ten_thousand_sleeps_of_a_second_take_a_second_together() {
    within(60, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let tasks = (0..10_000).map(|n| after(1, n));
                let outputs = gather(running(tasks)).await.unwrap();
                assert_eq!(start.elapsed(), SECOND);
                assert!(outputs.into_iter().eq(0..10_000));
            });
        });
    });
}

#[test]
fn try_join_all_drops_the_others_at_the_first_error() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let drops = Drops::default();
                let start = Instant::now();
                let futures = [3_u32, 1, 2].map(|n| {
                    let value = drops.value();
                    async move {
                        let _value = value;
                        sleep(n * SECOND).await;
                        if n == 1 { Err(n) } else { Ok(n) }
                    }
                });
                assert_eq!(try_join_all(futures).await, Err(1));
                assert_eq!((start.elapsed(), drops.count()), (SECOND, 3));
            });
        });
    });
}

#[test]
fn futures_are_spawned_by_the_call_and_gathered_as_tasks() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let ran = Arc::new(AtomicUsize::new(0));
                let square = |n: u32| {
                    let counted = ran.clone();
                    async move {
                        counted.fetch_add(1, Ordering::SeqCst);
                        sleep((9 - n) * SECOND).await;
                        n * n
                    }
                };
                let gathered = gather([square(1), square(2)]);
                sleep(SECOND).await;
                assert_eq!(ran.load(Ordering::SeqCst), 2, "without being polled");
                assert_eq!(gathered.await.unwrap(), [1, 4]);
                assert_eq!(start.elapsed(), 8 * SECOND);

                // The first error at once, and the others go on.
                let (send, ended) = futures::channel::oneshot::channel();
                let mut send = Some(send);
                let futures = [5, 2].map(|seconds| {
                    let send = (seconds == 5).then(|| send.take().unwrap());
                    async move {
                        sleep(seconds * SECOND).await;
                        let Some(send) = send else {
                            return Err(io::Error::other("no"));
                        };
                        send.send(()).unwrap();
                        Ok(())
                    }
                });
                let start = Instant::now();
                assert_eq!(try_gather(futures).await.unwrap_err().to_string(), "no");
                assert_eq!(start.elapsed(), 2 * SECOND);
                ended.await.unwrap();
                assert_eq!(start.elapsed(), 5 * SECOND);

                let settled = gather_settled([true, false].map(async |panics| {
                    assert!(!panics, "one of them");
                }))
                .await;
                assert!(settled[0].as_ref().unwrap_err().is_panic() && settled[1].is_ok());
            });
        });
    });
}

#[test]
fn futures_whose_gather_is_dropped_are_cancelled() {
    within(30, || {
        each_paused(|runtime| {
            let drops = Drops::default();
            runtime.block_on(async {
                let futures = [1, 2, 3].map(|_| {
                    let value = drops.value();
                    async move {
                        let _value = value;
                        pending::<()>().await;
                    }
                });
                timeout(SECOND, gather(futures)).await.unwrap_err();
                while drops.count() < 3 {
                    yield_now().await;
                }
            });
        });
    });
}

#[test]
fn a_future_that_a_gather_spawns_was_spawned_where_the_user_called() {
    let (send, told) = std::sync::mpsc::channel();
    let send = std::sync::Mutex::new(send);
    let runtime = Builder::new_current_thread()
        .on_unobserved_failure(move |failure| {
            send.lock().unwrap().send(failure.spawned_at()).unwrap();
        })
        .build()
        .unwrap();
    let panics = async || panic!("no");
    let entered = runtime.enter();
    let line = line!() + 1;
    drop(gather_settled::<_, _, ()>([panics()]));
    drop(entered);
    runtime.block_on(async {
        while runtime.metrics().num_alive_tasks() > 0 {
            yield_now().await;
        }
    });
    let told = told.try_recv().unwrap();
    assert_eq!((told.file(), told.line()), (file!(), line));
}

#[test]
fn the_deadline_of_a_scope_ends_the_tasks_of_a_gather_in_it() {
    each_paused(|runtime| {
        runtime.block_on(async {
            let drops = Drops::default();
            let waits = |at: u32| {
                let value = drops.value();
                async move {
                    let _value = value;
                    sleep(at * SECOND).await;
                }
            };
            let begin = Instant::now();
            let scope = CancelScope::with_timeout(2 * SECOND);
            let tasks = [waits(1), waits(60), waits(60)];
            assert!(scope.run(async { gather(tasks).await }).await.is_err());
            // The same with handles that were spawned outside, and with the macro.
            let (handle, future) = (spawn(waits(60)), waits(60));
            let scope = CancelScope::with_timeout(2 * SECOND);
            let both = scope.run(async { executor::gather!(handle, future).await });
            assert!(both.await.is_err());
            while drops.count() < 5 {
                yield_now().await;
            }
            assert_eq!(begin.elapsed(), 4 * SECOND);
        });
    });
}

#[test]
fn a_task_that_gather_spawns_has_the_deadlines_around_it() {
    each_paused(|runtime| {
        runtime.block_on(async {
            let at = Instant::now() + 5 * SECOND;
            let seen = || async { effective_deadline() };
            let scope = CancelScope::with_deadline(at);
            let all = scope.run(async {
                let gathered = gather([seen()]).await.unwrap()[0];
                let (by_macro,) = executor::gather!(seen()).await.unwrap();
                // A shield around it has none; a group in it has what is around the gather.
                let shielded = shield(SECOND, async { gather([seen()]).await.unwrap()[0] });
                let nested = async {
                    task::group(async |group| {
                        let child = group.spawn(async { Ok::<_, ()>(effective_deadline()) });
                        Ok(child.await.unwrap())
                    })
                    .await
                    .unwrap()
                };
                let nested = gather([nested]).await.unwrap()[0];
                // What goes on without whoever waits for it has none.
                let (done, _) = wait([seen()], ReturnWhen::AllCompleted).await;
                let waited = *done[0].as_ref().unwrap();
                let handle = spawn(seen());
                let running = gather(running([handle])).await.unwrap()[0];
                let inside = [gathered, by_macro, nested];
                (inside, [shielded.await.unwrap(), waited, running])
            });
            assert_eq!(all.await.unwrap(), ([Some(at); 3], [None; 3]));
        });
    });
}
