//! `as_completed` and `wait`: results as they come.

use std::future::pending;

use executor::spawn;
use executor::task::{
    JoinError, JoinHandle, ReturnWhen, as_completed, running, try_gather, try_wait, wait,
};
use executor::time::{Duration, Instant, sleep};
use futures::{Stream, StreamExt};
use proptest::prelude::*;

use crate::gather::each_paused;
use crate::support::within;

const SECOND: Duration = Duration::from_secs(1);

fn after<T: Send + 'static>(seconds: u32, value: T) -> JoinHandle<T> {
    spawn(async move {
        sleep(seconds * SECOND).await;
        value
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn results_come_in_the_order_of_completion(order in Just((0_u32..30).collect::<Vec<_>>()).prop_shuffle()) {
        within(30, || each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let mut results = as_completed(running(order.iter().map(|&n| after(n, n))));
                for n in 0..30 {
                    assert_eq!(results.next().await.unwrap().unwrap(), n);
                    assert_eq!(start.elapsed(), n * SECOND, "as soon as it is there");
                }
                assert!(results.next().await.is_none());
            });
        }));
    }

    #[test]
    fn wait_parts_those_that_have_ended_from_the_others(delays in prop::collection::vec(1_u32..8, 1..20), limit in 0_u32..10) {
        within(30, || each_paused(|runtime| {
            runtime.block_on(async {
                let tasks = delays.iter().enumerate().map(|(n, &delay)| after(2 * delay, n));
                let limited = wait(running(tasks), ReturnWhen::AllCompleted).timeout((2 * limit + 1) * SECOND);
                let (done, pending) = limited.await;
                let ended = |n: &usize| delays[*n] <= limit;
                let mut done: Vec<_> = done.into_iter().map(Result::unwrap).collect();
                let in_order = done.is_sorted_by_key(|&n| delays[n]);
                assert!(in_order, "{done:?}");
                done.sort_unstable();
                assert!(done.into_iter().eq((0..delays.len()).filter(ended)));
                // The order of the arguments; and nothing was aborted.
                let rest = executor::task::gather(running(pending)).await.unwrap();
                assert!(rest.into_iter().eq((0..delays.len()).filter(|n| !ended(n))));
            });
        }));
    }
}

#[test]
fn as_completed_gives_errors_and_lets_the_others_go_on_when_dropped() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let (send, ended) = futures::channel::oneshot::channel();
                let panics = spawn(async { panic!("no") });
                let slow = spawn(async {
                    sleep(9 * SECOND).await;
                    send.send(()).unwrap();
                });
                let mut results = as_completed(running([slow, panics]));
                assert_eq!(results.size_hint(), (2, Some(2)));
                assert!(results.next().await.unwrap().unwrap_err().is_panic());
                drop(results);
                ended.await.unwrap();
            });
        });
    });
}

#[test]
fn wait_for_the_first_gives_all_that_have_ended_by_then() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let tasks = vec![after(3, 3), after(1, 1), after(2, 2)];
                let (done, pending) = wait(running(tasks), ReturnWhen::FirstCompleted).await;
                assert_eq!(done.into_iter().next().unwrap().unwrap(), 1);
                assert_eq!(start.elapsed(), SECOND);
                assert_eq!(pending.len(), 2);
                sleep(9 * SECOND).await;
                let (done, pending) = wait(running(pending), ReturnWhen::FirstCompleted).await;
                assert_eq!((done.len(), pending.len()), (2, 0));
                assert_eq!(start.elapsed(), 10 * SECOND);
            });
        });
    });
}

#[test]
fn tasks_that_ended_before_the_first_look_come_in_the_order_of_the_arguments() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let handles = || [2, 1, 4].map(|n| after(n, Err::<u32, _>(JoinOr(n))));
                let all = [handles(), handles(), handles()];
                sleep(3 * SECOND).await;
                let [first, second, third] = all;
                let results = as_completed(running(first));
                let results: Vec<_> = results.map(|result| number(&result)).collect().await;
                assert_eq!(results, [2, 1, 4]);
                let (done, _) = wait(running(second), ReturnWhen::AllCompleted).await;
                assert!(done.iter().map(number).eq([2, 1, 4]));
                let failed: Result<Vec<u32>, JoinOr> = try_gather(running(third)).await;
                assert_eq!(failed.unwrap_err().0, 2);
            });
        });
    });
}

#[derive(Debug)]
struct JoinOr(u32);

impl From<JoinError> for JoinOr {
    fn from(_: JoinError) -> Self {
        Self(0)
    }
}

fn number(result: &Result<Result<u32, JoinOr>, JoinError>) -> u32 {
    result.as_ref().unwrap().as_ref().unwrap_err().0
}

#[test]
fn wait_for_the_first_error_ends_at_an_error_or_at_the_end() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let panics = spawn(async {
                    sleep(2 * SECOND).await;
                    panic!("no");
                });
                let tasks = [after(1, ()), panics, after(5, ())];
                let (done, rest) = wait(running(tasks), ReturnWhen::FirstError).await;
                assert!(done[0].is_ok() && done[1].is_err());
                assert_eq!((start.elapsed(), rest.len()), (2 * SECOND, 1));
                let (done, rest) = wait(running(rest), ReturnWhen::FirstError).await;
                assert_eq!((done.len(), rest.len()), (1, 0));
                assert_eq!(start.elapsed(), 5 * SECOND);

                // What a task returns counts where the function says so.
                let tasks = || [after(1, Err("no")), after(2, Ok(1))];
                let (done, rest) = wait(running(tasks()), ReturnWhen::FirstError).await;
                assert_eq!((done.len(), rest.len()), (2, 0));
                let (done, rest) = try_wait(running(tasks()), ReturnWhen::FirstError).await;
                assert_eq!((done.len(), rest.len()), (1, 1));
                assert_eq!(start.elapsed(), 8 * SECOND);
            });
        });
    });
}

#[test]
fn wait_for_nothing_is_ready_and_a_limit_ends_what_would_not() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                for when in [
                    ReturnWhen::FirstCompleted,
                    ReturnWhen::FirstError,
                    ReturnWhen::AllCompleted,
                ] {
                    let (done, rest) = wait(running(Vec::<JoinHandle<()>>::new()), when).await;
                    assert!(done.is_empty() && rest.is_empty());
                    let start = Instant::now();
                    let never = [spawn(pending::<()>())];
                    let (done, rest) = wait(running(never), when).timeout(SECOND).await;
                    assert_eq!((done.len(), rest.len()), (0, 1));
                    assert_eq!(start.elapsed(), SECOND);
                    rest.iter().for_each(JoinHandle::abort);
                }
            });
        });
    });
}

#[test]
fn futures_become_tasks_that_are_waited_for() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                async fn after(seconds: u32) -> u32 {
                    sleep(seconds * SECOND).await;
                    seconds
                }
                let mut results = as_completed([3, 1, 2].map(after));
                for n in 1..=3 {
                    assert_eq!(results.next().await.unwrap().unwrap(), n);
                }
                assert_eq!(start.elapsed(), 3 * SECOND);

                let (done, rest) = wait([4, 2].map(after), ReturnWhen::FirstCompleted).await;
                assert_eq!(*done[0].as_ref().unwrap(), 2);
                let (done, rest) = wait(running(rest), ReturnWhen::FirstCompleted).await;
                assert_eq!((*done[0].as_ref().unwrap(), rest.len()), (4, 0));
                assert_eq!(start.elapsed(), 7 * SECOND);

                let fails = async |seconds: u32| match after(seconds).await {
                    1 => Err("no"),
                    other => Ok(other),
                };
                let (done, rest) = try_wait([5, 1].map(fails), ReturnWhen::FirstError).await;
                assert_eq!((done.len(), rest.len()), (1, 1));
            });
        });
    });
}
