//! The budget of a poll: what uses it up, what fills it up, and what has none. Which operations count is in `fairness`.

use std::future::{Future, poll_fn, ready};
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use executor::net::TcpListener;
use executor::task::coop::{
    consume_budget, cooperative, has_budget_remaining, poll_proceed, unconstrained,
};
use executor::time::{sleep, timeout};
use futures::StreamExt;

use crate::support::{
    block_on, counting_waker, current_thread, each_runtime, pair_with_std, poll_once, within,
    workers,
};

/// A task that only says that it ran.
struct Sibling(Arc<AtomicBool>);

impl Sibling {
    fn spawn() -> Self {
        let ran = Arc::new(AtomicBool::new(false));
        let flag = ran.clone();
        executor::spawn(async move { flag.store(true, Ordering::Relaxed) });
        Self(ran)
    }

    fn has_run(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `operation`, which is always ready, in a task of a runtime with one thread until another task had its turn.
fn yields_to_a_sibling<F: Future<Output = ()> + Send + 'static>(
    mut operation: impl FnMut() -> F + Send + 'static,
) {
    within(30, || {
        current_thread().block_on(async {
            let greedy = async move {
                let sibling = Sibling::spawn();
                while !sibling.has_run() {
                    operation().await;
                }
            };
            executor::spawn(greedy).await.unwrap();
        });
    });
}

#[test]
fn an_endless_chain_of_ready_handles_yields() {
    let other = workers(1);
    yields_to_a_sibling(move || {
        let finished = other.spawn(async {});
        while !finished.is_finished() {
            std::thread::yield_now();
        }
        async { finished.await.unwrap() }
    });
}

#[test]
fn an_acceptor_with_many_connections_in_its_backlog_yields() {
    within(30, || {
        current_thread().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let peers: Vec<_> = (0..300)
                .map(|_| std::net::TcpStream::connect(address).unwrap())
                .collect();
            let sibling = Sibling::spawn();
            let mut accepted = 0;
            while !sibling.has_run() {
                listener.accept().await.unwrap();
                accepted += 1;
            }
            assert!(accepted < peers.len(), "the last one had nothing to accept");
        });
    });
}

#[test]
fn operations_that_only_try_are_not_refused() {
    within(30, || {
        current_thread().block_on(async {
            let (ours, mut peer) = pair_with_std().await;
            peer.write_all(b"x").unwrap();
            ours.readable().await.unwrap();
            while has_budget_remaining() {
                consume_budget().await;
            }
            assert_eq!(ours.try_read(&mut [0]).unwrap(), 1);
            assert_eq!(ours.try_write(b"x").unwrap(), 1);
            assert!(!has_budget_remaining());
        });
    });
}

#[test]
fn a_channel_that_is_never_empty_yields_if_it_is_made_cooperative() {
    let (sender, mut receiver) = futures::channel::mpsc::unbounded();
    within(30, || {
        current_thread().block_on(async {
            let sibling = Sibling::spawn();
            while !sibling.has_run() {
                sender.unbounded_send(()).unwrap();
                cooperative(receiver.next()).await.unwrap();
            }
        });
    });
}

#[test]
fn computing_tasks_yield_where_they_consume_budget() {
    yields_to_a_sibling(consume_budget);
    yields_to_a_sibling(executor::task::consume_budget);
}

#[test]
fn a_future_given_to_block_on_lets_other_tasks_run() {
    within(30, || {
        current_thread().block_on(async {
            let sibling = Sibling::spawn();
            while !sibling.has_run() {
                consume_budget().await;
            }
        });
    });
}

#[test]
fn every_poll_has_a_budget_of_its_own() {
    within(30, || {
        each_runtime(|runtime| {
            runtime
                .block_on(runtime.spawn(async {
                    for _ in 0..3 {
                        while has_budget_remaining() {
                            consume_budget().await;
                        }
                        consume_budget().await;
                        assert!(
                            has_budget_remaining(),
                            "the task waited and was polled again"
                        );
                    }
                }))
                .unwrap();
        });
    });
}

#[test]
fn slow_operations_count_by_time() {
    let slow = || {
        let start = Instant::now();
        while start.elapsed() < Duration::from_micros(100) {}
    };
    let operations = current_thread().block_on(async {
        let sibling = Sibling::spawn();
        let mut operations = 0;
        while !sibling.has_run() {
            slow();
            consume_budget().await;
            operations += 1;
        }
        operations
    });
    assert!(operations <= 65, "{operations}");
}

#[test]
fn unconstrained_futures_never_yield() {
    current_thread().block_on(async {
        let sibling = Sibling::spawn();
        unconstrained(async {
            for _ in 0..100_000 {
                consume_budget().await;
                sleep(Duration::ZERO).await;
            }
        })
        .await;
        assert!(!sibling.has_run());
        executor::task::unconstrained(exhaust()).await;
        assert!(!sibling.has_run());
    });
}

#[test]
fn outside_of_a_task_there_is_no_limit() {
    for _ in 0..2 {
        assert!(poll_once(pin!(exhaust())).is_ready());
        assert!(has_budget_remaining());
    }
    let blocking = || poll_once(pin!(exhaust())).is_ready();
    let runtime = workers(1);
    assert!(runtime.block_on(runtime.spawn_blocking(blocking)).unwrap());
}

#[test]
fn what_is_used_up_makes_operations_wait_and_wakes_the_task() {
    current_thread().block_on(async {
        while has_budget_remaining() {
            consume_budget().await;
        }
        let (waker, wakes) = counting_waker();
        let mut cx = Context::from_waker(&waker);
        assert!(poll_proceed(&mut cx).is_pending());
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert!(pin!(sleep(Duration::ZERO)).poll(&mut cx).is_pending());
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
        assert!(pin!(cooperative(ready(()))).poll(&mut cx).is_pending());
        assert_eq!(wakes.load(Ordering::Relaxed), 3);
        assert!(!has_budget_remaining());
    });
}

#[test]
fn an_operation_that_makes_no_progress_costs_nothing() {
    current_thread().block_on(poll_fn(|cx| {
        let start = Instant::now();
        // Longer than a poll may go on.
        while start.elapsed() < Duration::from_millis(20) {
            assert!(poll_proceed(cx).is_ready());
            assert!(
                pin!(cooperative(std::future::pending::<()>()))
                    .poll(cx)
                    .is_pending()
            );
            assert!(has_budget_remaining());
        }
        Poll::Ready(())
    }));
}

#[test]
fn a_timeout_ends_a_future_that_always_uses_its_budget_up() {
    within(30, || {
        current_thread().block_on(async {
            let endless = async {
                loop {
                    consume_budget().await;
                }
            };
            timeout(Duration::from_millis(5), endless)
                .await
                .unwrap_err();
        });
    });
}

#[test]
fn an_executor_inside_a_task_gets_on() {
    within(30, || {
        each_runtime(|runtime| {
            let task = runtime.spawn(async {
                while has_budget_remaining() {
                    consume_budget().await;
                }
                // It never returns to the scheduler, which would fill the budget up.
                block_on(exhaust());
            });
            runtime.block_on(task).unwrap();
        });
    });
}

#[test]
fn a_runtime_inside_a_poll_has_its_own_budget() {
    // The thread in `block_on` of the multi-thread flavour is no worker, and may call `block_on` again.
    workers(1).block_on(async {
        while has_budget_remaining() {
            consume_budget().await;
        }
        current_thread().block_on(async {
            assert!(has_budget_remaining());
            // A task has a budget of its own as well.
            executor::spawn(exhaust()).await.unwrap();
            exhaust().await;
        });
        assert!(!has_budget_remaining(), "what was used up stays used up");
        assert!(poll_once(pin!(unconstrained(exhaust()))).is_ready());
        assert!(!has_budget_remaining());
    });
}

/// More than the budget of one poll.
async fn exhaust() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(20) {
        consume_budget().await;
    }
}
