//! The pool, over connections that only count themselves.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use ecosystem::pool::{AcquireError, Connect, Pool, Status};
use executor::task::{TaskTracker, yield_now};

use crate::run;

/// Opens connections, one after the other has been counted.
#[derive(Clone, Debug, Default)]
struct Counted {
    opened: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    refuses: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
    mute: Arc<AtomicBool>,
}

struct Connection {
    number: usize,
    open: Arc<AtomicUsize>,
}

impl Connect for Counted {
    type Connection = Connection;
    type Error = io::Error;

    async fn connect(&self, _: &TaskTracker) -> io::Result<Connection> {
        yield_now().await;
        yield_now().await;
        if self.refuses.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Connection {
            number: self.opened.fetch_add(1, Ordering::SeqCst),
            open: self.open.clone(),
        })
    }

    async fn check(&self, _: &mut Connection) -> io::Result<()> {
        yield_now().await;
        yield_now().await;
        if self.mute.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        match self.broken.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Polls a future so often at most, then drops it.
async fn begin<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

#[test]
fn acquires_that_are_dropped_at_any_point_lose_no_place() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::builder(counted.clone()).max_size(2).build();
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let (pool, counted) = (pool.clone(), counted.clone());
                executor::spawn(async move {
                    for round in 0..500 {
                        let held = begin(pool.acquire(), (task + round) % 9).await;
                        assert!(counted.open.load(Ordering::SeqCst) <= 2);
                        yield_now().await;
                        drop(held);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let (one, other) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        assert_ne!(one.number, other.number);
        assert_eq!(pool.status().size, 2);
        assert_eq!(pool.status().waiting, 0);
    });
}

#[test]
fn a_connection_that_is_no_good_any_more_is_replaced() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::builder(counted.clone()).max_size(1).build();
        let first = pool.acquire().await.unwrap().number;
        assert_eq!(pool.acquire().await.unwrap().number, first);
        counted.broken.store(true, Ordering::SeqCst);
        assert_eq!(pool.acquire().await.unwrap().number, first + 1);
        assert_eq!(counted.open.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn so_is_one_that_does_not_answer() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::builder(counted.clone())
            .max_size(1)
            .check_timeout(Duration::from_millis(10))
            .build();
        let first = pool.acquire().await.unwrap().number;
        counted.mute.store(true, Ordering::SeqCst);
        assert_eq!(pool.acquire().await.unwrap().number, first + 1);
    });
}

#[test]
fn who_waits_for_a_connection_gets_the_next_or_hears_that_it_took_too_long() {
    run(async {
        let pool = Pool::builder(Counted::default())
            .max_size(1)
            .acquire_timeout(Some(Duration::from_millis(10)))
            .build();
        let held = pool.acquire().await.unwrap();
        let waited = pool.acquire().await;
        assert!(matches!(waited, Err(AcquireError::Timeout)), "{waited:?}");
        drop(held);
        pool.acquire().await.unwrap();

        let pool = Pool::builder(Counted::default()).max_size(1).build();
        let held = pool.acquire().await.unwrap();
        let waiting = executor::spawn({
            let pool = pool.clone();
            async move { pool.acquire().await.map(|connection| connection.number) }
        });
        while pool.status().waiting == 0 {
            yield_now().await;
        }
        let number = held.number;
        drop(held);
        assert_eq!(waiting.await.unwrap().unwrap(), number);
    });
}

#[test]
fn a_connection_that_cannot_be_opened_is_the_drivers_error_and_costs_no_place() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::builder(counted.clone()).max_size(1).build();
        counted.refuses.store(true, Ordering::SeqCst);
        for _ in 0..3 {
            match pool.acquire().await {
                Err(AcquireError::Connect(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
                }
                other => panic!("{other:?}"),
            }
        }
        counted.refuses.store(false, Ordering::SeqCst);
        pool.acquire().await.unwrap();
    });
}

#[test]
fn a_pool_that_closes_gives_nothing_out_and_waits_for_what_is_out() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::builder(counted.clone()).max_size(2).build();
        let (idle, held) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(idle);
        let nobody_else = pool.acquire().await.unwrap();
        let waiting = executor::spawn({
            let pool = pool.clone();
            async move { pool.acquire().await }
        });
        while pool.status().waiting == 0 {
            yield_now().await;
        }
        drop(nobody_else);
        let served = waiting.await.unwrap().unwrap();
        let waiting = executor::spawn({
            let pool = pool.clone();
            async move { pool.acquire().await }
        });
        while pool.status().waiting == 0 {
            yield_now().await;
        }
        pool.close();
        let told = waiting.await.unwrap();
        assert!(matches!(told, Err(AcquireError::Closed)), "{told:?}");
        drop(served);
        assert_eq!(counted.open.load(Ordering::SeqCst), 1, "it is not kept");
        assert!(
            begin(pool.wait_closed(), 3).await.is_none(),
            "one is still out"
        );
        let closed = executor::spawn({
            let pool = pool.clone();
            async move { pool.wait_closed().await }
        });
        drop(held);
        closed.await.unwrap();
        assert_eq!(counted.open.load(Ordering::SeqCst), 0);
        assert!(pool.is_closed());
        assert!(matches!(pool.acquire().await, Err(AcquireError::Closed)));
        let nothing = Status {
            max_size: 0,
            size: 0,
            idle: 0,
            waiting: 0,
        };
        assert_eq!(pool.status(), nothing);
    });
}

#[test]
fn a_pool_that_closes_waits_for_a_connection_that_is_being_opened() {
    run(async {
        let counted = Counted::default();
        let pool = Pool::new(counted.clone());
        let mut opening = Box::pin(pool.acquire());
        let begun = poll_fn(|cx| Poll::Ready(opening.as_mut().poll(cx).is_pending())).await;
        assert!(begun);
        pool.close();
        assert!(
            begin(pool.wait_closed(), 3).await.is_none(),
            "one is being opened"
        );
        // Who has waited so long is given it.
        drop(opening.await.unwrap());
        pool.wait_closed().await;
        assert_eq!(counted.open.load(Ordering::SeqCst), 0);
    });
}
