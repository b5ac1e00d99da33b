//! `with_resource`: what was acquired is released once, on every way out. Values that are inherited, or not.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use executor::sync::Event;
use executor::task::{self, JoinSet};
use executor::time::timeout;
use futures::FutureExt;

use crate::support::{Drops, block_on, current_thread, each_runtime, within, workers};

executor::context_local! {
    /// The request.
    static REQUEST: u32;
    pub(crate) static USER: Arc<str>;
}

struct Resource(&'static str);

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Uses a resource whose releasing waits, and notes each step.
async fn logged(
    log: &Log,
    acquired: Result<(), &'static str>,
    body: impl AsyncFnOnce() -> Result<u32, &'static str>,
) -> Result<u32, &'static str> {
    let notes = log.clone();
    task::with_resource(
        async { acquired.map(|()| Resource("resource")) },
        async |resource: &mut Resource| {
            log.lock().unwrap().push(resource.0);
            resource.0 = "used";
            body().await
        },
        async move |resource: Resource| {
            task::yield_now().await;
            assert_eq!(resource.0, "used");
            notes.lock().unwrap().push("released");
        },
    )
    .await
}

#[test]
fn it_is_released_before_the_result_is_there() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                for end in [Ok(7), Err("no")] {
                    let log = Log::default();
                    assert_eq!(logged(&log, Ok(()), async || end).await, end);
                    assert_eq!(*log.lock().unwrap(), ["resource", "released"]);
                }
                let log = Log::default();
                let refused = logged(&log, Err("none there"), async || Ok(7)).await;
                assert_eq!((refused, log.lock().unwrap().len()), (Err("none there"), 0));
            });
        });
    });
}

#[test]
fn it_is_released_before_a_panic_goes_on() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let log = Log::default();
                let panics = logged(&log, Ok(()), async || panic!("in the body"));
                let panic = AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
                assert_eq!(panic.downcast_ref(), Some(&"in the body"));
                assert_eq!(*log.lock().unwrap(), ["resource", "released"]);
            });
        });
    });
}

#[test]
fn it_is_released_if_its_user_is_aborted_or_times_out() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let (began, released) = (Arc::new(Event::new()), Arc::new(Event::new()));
                let waits = {
                    let (began, released) = (began.clone(), released.clone());
                    move || {
                        let (began, released) = (began.clone(), released.clone());
                        task::with_resource(
                            async { Ok::<_, ()>(()) },
                            async move |(): &mut ()| {
                                began.set();
                                std::future::pending::<Result<(), ()>>().await
                            },
                            async move |()| {
                                task::yield_now().await;
                                released.set();
                            },
                        )
                    }
                };
                let task = executor::spawn(waits());
                began.wait().await;
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
                released.wait().await;

                released.clear();
                timeout(Duration::from_millis(1), waits())
                    .await
                    .unwrap_err();
                released.wait().await;
            });
        });
    });
}

#[test]
fn a_release_that_has_begun_goes_on_without_who_waits_for_it() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let (begun, go_on) = (Arc::new(Event::new()), Arc::new(Event::new()));
                let done = Arc::new(Event::new());
                let task = executor::spawn({
                    let (begun, go_on, done) = (begun.clone(), go_on.clone(), done.clone());
                    task::with_resource(
                        async { Ok::<_, ()>(()) },
                        async |(): &mut ()| Ok(()),
                        async move |()| {
                            begun.set();
                            go_on.wait().await;
                            done.set();
                        },
                    )
                });
                begun.wait().await;
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
                go_on.set();
                done.wait().await;
            });
        });
    });
}

#[test]
fn a_shutdown_and_a_cancel_wait_for_the_release_where_they_drop_its_user() {
    within(60, || {
        each_runtime(|runtime| {
            let (log, began) = (Log::default(), Arc::new(Event::new()));
            let wait = |log: Log| {
                let began = began.clone();
                async move {
                    let body = async move || {
                        began.set();
                        std::future::pending().await
                    };
                    logged(&log, Ok(()), body).await
                }
            };
            let cancelled = Log::default();
            runtime.block_on(async {
                let task = executor::spawn(wait(cancelled.clone()));
                began.wait().await;
                task.cancel("enough");
                task.await.unwrap_err();
                while cancelled.lock().unwrap().len() < 2 {
                    task::yield_now().await;
                }
                began.clear();
                executor::spawn(wait(log.clone()));
                began.wait().await;
            });
            let report = runtime.shutdown(Duration::from_secs(20));
            assert!(report.is_complete(), "{report}");
            assert_eq!(*log.lock().unwrap(), ["resource", "released"]);
        });
    });
}

#[test]
fn what_cannot_be_released_any_more_is_dropped() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let (value, (began, begin)) = (drops.value(), mpsc::channel());
            runtime.spawn(task::with_resource(
                async { Ok::<_, ()>(value) },
                async move |_: &mut _| {
                    began.send(()).unwrap();
                    std::future::pending::<Result<(), ()>>().await
                },
                async |_| task::yield_now().await,
            ));
            runtime.block_on(async {
                while begin.try_recv().is_err() {
                    task::yield_now().await;
                }
            });
            drop(runtime);
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn a_panic_of_the_release_is_that_of_the_call() {
    let runtime = workers(2);
    let task = runtime.spawn(task::with_resource(
        async { Ok::<_, ()>(()) },
        async |(): &mut ()| Ok(()),
        async |()| panic!("in the release"),
    ));
    let error = block_on(task).unwrap_err();
    assert!(error.to_string().contains("in the release"), "{error}");
}

#[test]
fn values_are_inherited_by_those_who_are_asked_to() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(REQUEST.scope(
                1,
                USER.scope("anna".into(), async {
                    let both = || (REQUEST.try_get().ok(), USER.try_get().ok());
                    let (inherited, alone) = ((Some(1), Some("anna".into())), (None, None));
                    assert_eq!(both(), inherited);

                    assert_eq!(executor::spawn(async move { both() }).await.unwrap(), alone);
                    let task = task::spawn_inheriting(async move {
                        task::yield_now().await;
                        task::spawn_inheriting(async move { both() }).await.unwrap()
                    });
                    assert_eq!(task.await.unwrap(), inherited);

                    let builder = task::Builder::new().inherit().name("heir");
                    let task = builder.spawn(async move { both() }).unwrap();
                    assert!(format!("{task:?}").contains("heir"));
                    assert_eq!(task.await.unwrap(), inherited);
                    let closure = builder.spawn_blocking(both).unwrap();
                    assert_eq!(closure.await.unwrap(), inherited);
                    assert_eq!(task::spawn_blocking(both).await.unwrap(), alone);

                    let mut set = JoinSet::new();
                    set.spawn(task::inherit(async move { both() }));
                    set.build_task()
                        .inherit()
                        .spawn(async move { both() })
                        .unwrap();
                    while let Some(seen) = set.join_next().await {
                        assert_eq!(seen.unwrap(), inherited);
                    }
                    let thread = std::thread::spawn(task::inherit_fn(both));
                    assert_eq!(thread.join().unwrap(), inherited);
                }),
            ));
        });
    });
}

#[test]
fn an_inner_scope_hides_the_outer_and_leaves_the_others() {
    current_thread().block_on(REQUEST.scope(1, async {
        USER.scope(
            "bert".into(),
            REQUEST.scope(2, async {
                assert_eq!(REQUEST.get(), 2);
                assert_eq!(&*USER.get(), "bert");
                // The value is not borrowed while the closure runs.
                REQUEST
                    .with(|outer| REQUEST.sync_scope(outer + 1, || assert_eq!(REQUEST.get(), 3)));
            }),
        )
        .await;
        assert_eq!(REQUEST.get(), 1);
        assert!(USER.try_with(|_| ()).is_err());
    }));
    assert!(REQUEST.try_get().is_err());
}

#[test]
#[should_panic(expected = "REQUEST is not set")]
fn a_value_that_is_not_set_is_named() {
    REQUEST.get();
}
