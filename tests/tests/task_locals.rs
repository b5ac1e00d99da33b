//! `task_local!`: where a value is seen, and where it is not.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::task::Poll;

use executor::task;

use crate::support::{Drops, block_on, current_thread, each_runtime, poll_once, within, workers};

executor::task_local! {
    /// A number.
    pub(crate) static NUMBER: u32;

    static TEXT: RefCell<String>;
    static COUNTED: crate::support::Counted
}

executor::task_local! {}

#[test]
fn a_value_is_seen_inside_of_its_scope_only() {
    each_runtime(|runtime| {
        runtime.block_on(async {
            assert!(NUMBER.try_get().is_err());
            let inside = NUMBER.scope(1, async {
                assert_eq!(NUMBER.get(), 1);
                assert!(TEXT.try_with(|_| ()).is_err());
                task::yield_now().await;
                NUMBER.with(|number| *number)
            });
            assert_eq!(inside.await, 1);
            assert!(NUMBER.try_get().is_err());
        });
    });
}

#[test]
fn a_value_follows_its_task_to_other_threads() {
    within(60, || {
        let runtime = workers(4);
        runtime.block_on(async {
            let tasks: Vec<_> = (0..100)
                .map(|n| {
                    executor::spawn(NUMBER.scope(n, async move {
                        for _ in 0..100 {
                            task::yield_now().await;
                            assert_eq!(NUMBER.get(), n);
                        }
                    }))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

#[test]
fn the_inner_of_nested_scopes_hides_the_outer() {
    current_thread().block_on(NUMBER.scope(1, async {
        let mut inner = pin!(NUMBER.scope(2, async {
            assert_eq!(NUMBER.get(), 2);
            task::yield_now().await;
            assert_eq!(NUMBER.get(), 2);
        }));
        assert!(poll_once(inner.as_mut()).is_pending());
        assert_eq!(NUMBER.get(), 1, "while the inner one waits");
        inner.await;
        assert_eq!(NUMBER.get(), 1);
        assert_eq!(NUMBER.sync_scope(3, || NUMBER.get()), 3);
        assert_eq!(NUMBER.get(), 1);
    }));
}

#[test]
fn futures_that_are_polled_in_turn_keep_their_values() {
    let scope = |n| {
        NUMBER.scope(n, async move {
            for _ in 0..10 {
                assert_eq!(NUMBER.get(), n);
                task::yield_now().await;
            }
        })
    };
    current_thread().block_on(futures::future::join3(scope(1), scope(2), scope(3)));
}

#[test]
fn tasks_do_not_inherit_values() {
    each_runtime(|runtime| {
        runtime.block_on(NUMBER.scope(1, async {
            let spawned = executor::spawn(async { NUMBER.try_get() });
            spawned.await.unwrap().unwrap_err();
        }));
    });
}

#[test]
fn a_panic_restores_the_outer_value() {
    NUMBER.sync_scope(1, || {
        let panics = || NUMBER.sync_scope(2, || panic!("on purpose"));
        catch_unwind(panics).unwrap_err();
        assert_eq!(NUMBER.get(), 1);

        let mut panics = Box::pin(NUMBER.scope(3, async { panic!("on purpose") }));
        catch_unwind(AssertUnwindSafe(|| poll_once(panics.as_mut()))).unwrap_err();
        assert_eq!(NUMBER.get(), 1);
        assert_eq!(panics.as_mut().take_value(), Some(3));
    });
    assert!(NUMBER.try_get().is_err());
}

#[test]
fn a_value_can_be_changed_and_taken() {
    block_on(async {
        let mut scope = Box::pin(TEXT.scope(RefCell::default(), async {
            TEXT.with(|text| text.borrow_mut().push('a'));
            task::yield_now().await;
            TEXT.with(|text| text.borrow_mut().push('b'));
        }));
        scope.as_mut().await;
        let text = scope.as_mut().take_value().unwrap();
        assert_eq!(text.into_inner(), "ab");
        assert!(scope.as_mut().take_value().is_none());
    });
}

#[test]
fn a_future_whose_value_was_taken_runs_without_it() {
    let mut scope = Box::pin(NUMBER.scope(1, async {
        task::yield_now().await;
        NUMBER.try_get().unwrap_err();
    }));
    assert!(format!("{scope:?}").contains('1'));
    assert!(poll_once(scope.as_mut()).is_pending());
    assert_eq!(scope.as_mut().take_value(), Some(1));
    assert!(!format!("{scope:?}").contains('1'));
    NUMBER.sync_scope(2, || {
        assert!(poll_once(scope.as_mut()).is_ready());
        assert_eq!(NUMBER.get(), 2);
    });
}

/// Says which value its destructor sees.
struct Tell(Sender<Option<u32>>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.send(NUMBER.try_get().ok()).unwrap();
    }
}

#[test]
fn destructors_of_the_future_see_the_value() {
    let (sender, seen) = channel();
    let tell = || Tell(sender.clone());

    let value = tell();
    drop(NUMBER.scope(1, async move { drop(value) }));
    assert_eq!(seen.recv(), Ok(Some(1)), "never polled");

    let value = tell();
    let mut waits = Box::pin(NUMBER.scope(2, async move {
        let _value = value;
        std::future::pending::<()>().await;
    }));
    assert!(poll_once(waits.as_mut()).is_pending());
    NUMBER.sync_scope(9, || {
        drop(waits);
        assert_eq!(NUMBER.get(), 9);
    });
    assert_eq!(seen.recv(), Ok(Some(2)), "dropped while it waits");

    let value = tell();
    let ready = poll_fn(move |_| {
        let _keep = &value;
        Poll::Ready(())
    });
    let mut ready = Box::pin(NUMBER.scope(3, ready));
    assert!(poll_once(ready.as_mut()).is_ready());
    assert_eq!(
        seen.recv(),
        Ok(Some(3)),
        "dropped when it is done, not later"
    );

    each_runtime(|runtime| {
        let value = tell();
        let task = runtime.spawn(NUMBER.scope(4, async move {
            let _value = value;
            std::future::pending::<()>().await;
        }));
        task.abort();
        runtime.block_on(task).unwrap_err();
        assert_eq!(seen.recv(), Ok(Some(4)), "aborted");
    });
}

#[test]
fn values_are_dropped_once_with_their_scope() {
    let drops = Drops::default();
    drop(COUNTED.scope(drops.value(), async {}));
    assert_eq!(drops.count(), 1);
    block_on(COUNTED.scope(drops.value(), async {}));
    assert_eq!(drops.count(), 2);
    COUNTED.sync_scope(drops.value(), || assert_eq!(drops.count(), 2));
    assert_eq!(drops.count(), 3);
}

#[test]
fn what_cannot_be_says_what_to_do() {
    let text = |f: &dyn Fn()| {
        let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
        *payload
            .downcast::<String>()
            .unwrap_or_else(|payload| Box::new((*payload.downcast::<&str>().unwrap()).to_owned()))
    };
    let outside = text(&|| assert_eq!(NUMBER.get(), 0));
    assert!(outside.contains("scope"), "{outside}");
    let inside = NUMBER.sync_scope(1, || text(&|| NUMBER.with(|_| NUMBER.sync_scope(2, || ()))));
    assert!(inside.contains("inside of `with`"), "{inside}");
    let mut nested = Box::pin(NUMBER.scope(3, async {}));
    NUMBER.sync_scope(1, || {
        let nested = RefCell::new(nested.as_mut());
        let polled = text(&|| {
            let mut nested = nested.borrow_mut();
            NUMBER.with(|_| assert!(poll_once(nested.as_mut()).is_ready()));
        });
        assert!(polled.contains("inside of `with`"), "{polled}");
        assert_eq!(NUMBER.get(), 1);
    });
    let error = NUMBER.try_get().unwrap_err();
    assert!(error.to_string().contains("not set"));
    assert_eq!(format!("{error:?}"), "AccessError");
}

#[test]
fn a_scope_that_is_polled_again_panics_and_keeps_the_outer_value() {
    let mut scope = Box::pin(NUMBER.scope(1, async {}));
    assert!(poll_once(scope.as_mut()).is_ready());
    NUMBER.sync_scope(2, || {
        catch_unwind(AssertUnwindSafe(|| poll_once(scope.as_mut()))).unwrap_err();
        assert_eq!(NUMBER.get(), 2);
    });
}

#[test]
fn values_need_not_be_send() {
    executor::task_local! {
        static SHARED: Rc<Cell<u32>>;
    }
    let count = Rc::new(Cell::new(0));
    current_thread().block_on(SHARED.scope(count.clone(), async {
        task::yield_now().await;
        SHARED.with(|count| count.set(count.get() + 1));
    }));
    assert_eq!(count.get(), 1);
    let _: &dyn Future<Output = ()> = &SHARED.scope(count, async {});
}
