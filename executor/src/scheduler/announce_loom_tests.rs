//! Models of what a worker tells the others before a poll that blocks: one of them runs what waits meanwhile.
//!
//! Shipped and not shipped is the same as in the models of sleeping and waking, whose workers these are.

use loom::sync::Arc;
use loom::thread;

use super::idle_loom_tests::Pool;
use super::parker::Parker;
use crate::queue::Injector;

/// A worker that does not search moves a task to its own queue, and its next poll blocks until another worker has run that task.
#[test]
fn loom_a_task_that_was_in_a_workers_hand_is_seen() {
    loom::model(|| {
        let (parkers, blocked) = ([Parker::new(), Parker::new()], Parker::new());
        let unblock = blocked.unparker();
        let pool = Pool::new(&parkers, 1);
        let own = Arc::new(Injector::new());
        pool.injector.push(1);
        let (pool2, own2) = (pool.clone(), own.clone());
        let [_, parker] = parkers;
        let other = thread::spawn(move || {
            while pool2.injector.steal().or_else(|| own2.steal()).is_none() {
                pool2.idle.sleep(1, false);
                if pool2.injector.is_empty() && own2.is_empty() {
                    parker.park();
                } else {
                    thread::yield_now();
                }
                let _ = pool2.idle.leave(1);
            }
            let _ = unblock.unpark();
        });
        if let Some(task) = pool.injector.steal() {
            own.push(task);
            // `announce_taken`: without it the other one may sleep for ever.
            pool.wake_for_work();
        }
        blocked.park();
        other.join().unwrap();
    });
}

/// What is pushed while a worker searches is announced to nobody. The worker finds something else, whose poll blocks until another worker has run
/// what was pushed.
#[test]
fn loom_what_came_during_a_search_is_announced_when_it_ends() {
    loom::model(|| search_while_somebody_pushes(Pool::end_search));
}

/// The same, but the searcher is a spare worker that retires, and another one blocks.
#[test]
fn loom_what_came_during_a_search_is_announced_by_a_spare_worker_that_retires() {
    loom::model(|| {
        search_while_somebody_pushes(|pool| {
            pool.idle.enroll();
            pool.retire(true);
        });
    });
}

/// Of two workers the first searches, until `end`, and then blocks until the second has run what was pushed.
fn search_while_somebody_pushes(end: impl Fn(&Pool)) {
    let (parkers, blocked) = ([Parker::new(), Parker::new()], Parker::new());
    let unblock = blocked.unparker();
    let pool = Pool::new(&parkers, 1);
    assert!(pool.idle.start_searching());
    let (pool2, pool3) = (pool.clone(), pool.clone());
    let [_, parker] = parkers;
    let other = thread::spawn(move || {
        while pool2.injector.steal().is_none() {
            pool2.idle.sleep(1, false);
            if pool2.injector.is_empty() {
                parker.park();
            } else {
                thread::yield_now();
            }
            let _ = pool2.idle.leave(1);
        }
        let _ = unblock.unpark();
    });
    let pushing = thread::spawn(move || pool3.push(1));
    end(&pool);
    blocked.park();
    other.join().unwrap();
    pushing.join().unwrap();
}
