//! `select!`, `join!`, `try_join!`, `pin!`: which branch runs, what is dropped when, what the syntax takes.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use executor::runtime::Builder;
use executor::task::yield_now;
use futures::channel::{mpsc, oneshot};
use futures::stream::StreamExt;

use crate::support::within;

/// Runs a future, which may borrow and need not be `Send`, on a runtime of its own.
fn run<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Ready at the n-th poll.
async fn polls(n: usize) -> usize {
    for _ in 1..n {
        yield_now().await;
    }
    n
}

/// Notes its name when it is dropped.
struct Noted<'a>(&'a RefCell<Vec<&'static str>>, &'static str);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[test]
fn select_takes_the_first_that_is_ready() {
    run(async {
        let taken = executor::select! {
            n = polls(3) => n,
            n = polls(2) => n,
            _ = pending::<()>() => unreachable!(),
        };
        assert_eq!(taken, 2);
    });
}

#[test]
fn select_drops_the_futures_before_the_handler_runs() {
    let dropped = RefCell::new(Vec::new());
    let mut number = 1;
    let [loser, winner] = ["loser", "winner"].map(|name| Noted(&dropped, name));
    run(async {
        executor::select! {
            () = async move {
                let _note = loser;
                pending::<()>().await;
            } => unreachable!(),
            n = async {
                let _note = winner;
                number += 1;
                number
            } => {
                assert_eq!(dropped.borrow().len(), 2);
                // What the future borrowed is free again.
                number += n;
            }
        }
    });
    assert_eq!(number, 4);
}

#[test]
fn select_goes_on_when_a_pattern_does_not_match_and_drops_what_it_got() {
    let dropped = RefCell::new(Vec::new());
    run(async {
        let got = executor::select! {
            biased;
            Some(_) = async {
                let none: Option<Noted<'_>> = None;
                none
            } => "matched",
            Ok(()) = async { Err::<(), _>(Noted(&dropped, "error")) } => "matched",
            n = polls(2) => {
                assert_eq!(*dropped.borrow(), ["error"]);
                assert_eq!(n, 2);
                "waited"
            }
        };
        assert_eq!(got, "waited");
    });
}

#[test]
fn select_runs_else_when_every_branch_is_out() {
    run(async {
        let none: Option<i32> = None;
        let got = executor::select! {
            Some(n) = ready(none) => n,
            n = ready(1), if none.is_some() => n,
            else => 7,
        };
        assert_eq!(got, 7);
        let only_else = executor::select! { else => 8 };
        assert_eq!(only_else, 8);
    });
}

#[test]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
fn select_without_else_panics_when_every_branch_is_out() {
    run(async {
        executor::select! {
            Some(()) = ready(None::<()>) => {}
            () = ready(()), if false => {}
        }
    });
}

#[test]
fn select_evaluates_the_future_of_a_branch_that_is_off_and_does_not_poll_it() {
    let made = Cell::new(0);
    let future = |polled: &'static str| {
        made.set(made.get() + 1);
        async move { panic!("polled: {polled}") }
    };
    run(async {
        executor::select! {
            () = future("off"), if made.get() > 0 => {}
            () = ready(()) => {}
        }
    });
    assert_eq!(made.get(), 1);
}

#[test]
fn select_begins_anywhere_and_biased_select_at_the_top() {
    run(async {
        let (mut first, mut second) = (0, 0);
        for _ in 0..1000 {
            executor::select! {
                () = ready(()) => first += 1,
                () = ready(()) => second += 1,
            }
            executor::select! {
                biased;
                () = ready(()) => {}
                () = ready(()) => unreachable!("`biased` begins at the top"),
            }
        }
        // The chance that one of two is taken 1000 times out of 1000 is that of a broken machine.
        assert!(first > 0 && second > 0, "{first} {second}");
    });
}

#[test]
fn select_binds_by_value_by_reference_and_mutably() {
    run(async {
        let text = executor::select! {
            mut text = ready(String::from("a")) => {
                text.push('b');
                text
            }
        };
        assert_eq!(text, "ab");
        let length = executor::select! {
            Some(ref inner) = ready(Some(vec![1, 2])) => inner.len(),
        };
        assert_eq!(length, 2);
        let sum = executor::select! {
            (a @ 1 | a @ 2, [b, ..], &c) = ready((2, [3, 4], &5)) => a + b + c,
            else => 0,
        };
        assert_eq!(sum, 10);
        let place = executor::select! {
            Ok(Some(mut n)) | Err(mut n) = ready(Err::<Option<u8>, u8>(3)) => {
                n += 1;
                n
            }
        };
        assert_eq!(place, 4);
        executor::select! {
            Some(ref mut text) = ready(Some(String::from("a"))) => {
                text.push('b');
                assert_eq!(text, "ab");
            }
        }
    });
}

#[test]
fn handlers_may_break_continue_return_await_and_ask() {
    async fn all() -> Result<u32, String> {
        let (mut sender, mut receiver) = mpsc::channel(4);
        for n in 1..=4 {
            sender.try_send(n).unwrap();
        }
        drop(sender);
        let mut sum = 0;
        let mut rounds = 0;
        let last = loop {
            executor::select! {
                n = receiver.next() => match n {
                    Some(1) => continue,
                    Some(n) => {
                        yield_now().await;
                        sum += n;
                    }
                    None => break sum,
                },
            }
            rounds += 1;
        };
        assert_eq!(rounds, 3);
        executor::select! {
            _ = ready(()) => "x".parse::<u32>().map_err(|error| error.to_string())?,
        };
        Ok(last)
    }
    assert_eq!(run(all()).unwrap_err(), "invalid digit found in string");
}

#[test]
fn a_pinned_future_goes_on_where_an_earlier_select_left_it() {
    run(async {
        let work = polls(10);
        executor::pin!(work);
        let mut others = 0;
        let n = loop {
            executor::select! {
                n = &mut work => break n,
                () = yield_now() => others += 1,
            }
        };
        assert_eq!(n, 10);
        assert!(others > 0);
    });
}

#[test]
fn select_nests_and_its_inside_needs_no_send() {
    run(async {
        let local = std::rc::Rc::new(5);
        let got = executor::select! {
            n = async {
                executor::select! {
                    n = ready(*local) => n,
                    _ = pending::<()>() => 0,
                }
            } => executor::select! { m = ready(n + 1) => m },
        };
        assert_eq!(got, 6);
    });
}

#[test]
fn a_spawned_select_of_channels_is_woken_by_either() {
    within(10, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        for turn in 0..100 {
            let (left, right) = (oneshot::channel(), oneshot::channel());
            let task = runtime.spawn(async move {
                executor::select! {
                    n = left.1 => n,
                    n = right.1 => n,
                }
            });
            let chosen = if turn % 2 == 0 { left.0 } else { right.0 };
            chosen.send(turn).unwrap();
            // The sender that was not chosen went with its branch, or before it.
            let _ = runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn select_waits_when_the_budget_is_used_up_though_a_branch_is_ready() {
    within(30, || {
        run(async {
            let turns = Cell::new(0);
            let other = async {
                turns.set(turns.get() + 1);
                yield_now().await;
                turns.set(turns.get() + 1);
            };
            // Without the budget the loop would never wait, and `join!` never poll the other future a second time.
            let looping = async {
                while turns.get() < 2 {
                    executor::select! {
                        biased;
                        () = executor::task::coop::consume_budget() => {}
                        () = ready(()) => {}
                    }
                }
            };
            executor::join!(biased; other, looping);
        })
    });
}

#[test]
fn join_gives_all_outputs_in_their_order() {
    run(async {
        let (a, b, c) = executor::join!(polls(3), polls(1), async { "c" });
        assert_eq!((a, b, c), (3, 1, "c"));
        let (only,) = executor::join!(ready(1));
        assert_eq!(only, 1);
        let () = executor::join!();
        let (a, b) = executor::join!(biased; ready(1), ready(2),);
        assert_eq!((a, b), (1, 2));
    });
}

#[test]
fn join_runs_its_futures_concurrently() {
    run(async {
        let (sender, receiver) = oneshot::channel();
        let (got, sent) = executor::join!(receiver, async {
            yield_now().await;
            sender.send(1)
        });
        assert_eq!((got, sent), (Ok(1), Ok(())));
    });
}

/// Notes its number at each poll, and is ready at the third.
struct Notes<'a>(&'a RefCell<Vec<usize>>, usize, usize);

impl Future for Notes<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.borrow_mut().push(self.1);
        self.2 += 1;
        if self.2 == 3 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn join_begins_each_poll_with_another_future_and_biased_join_with_the_first() {
    let order = RefCell::new(Vec::new());
    run(async { executor::join!(Notes(&order, 0, 0), Notes(&order, 1, 0)) });
    assert_eq!(order.take(), [0, 1, 1, 0, 0, 1]);
    run(async { executor::join!(biased; Notes(&order, 0, 0), Notes(&order, 1, 0)) });
    assert_eq!(order.take(), [0, 1, 0, 1, 0, 1]);
}

#[test]
fn try_join_gives_all_values_or_the_first_error_at_once() {
    run(async {
        let all: Result<_, ()> = executor::try_join!(async { Ok(1) }, async { Ok("2") });
        assert_eq!(all, Ok((1, "2")));
        let dropped = RefCell::new(Vec::new());
        let first: Result<((), (), ()), _> = executor::try_join!(
            async {
                let _note = Noted(&dropped, "waiting");
                pending().await
            },
            async { Err(polls(2).await) },
            async { Err(polls(5).await) },
        );
        assert_eq!(first, Err(2));
        assert_eq!(*dropped.borrow(), ["waiting"]);
        let biased: Result<(i32,), ()> = executor::try_join!(biased; async { Ok(1) });
        assert_eq!(biased, Ok((1,)));
        let nothing: Result<(), ()> = executor::try_join!();
        assert_eq!(nothing, Ok(()));
    });
}

#[test]
fn a_future_may_borrow_what_its_expression_makes() {
    run(async {
        executor::select! { () = &mut ready(()) => {} }
        executor::join!(&mut ready(()), &mut Box::pin(yield_now()));
        let () = executor::try_join!(&mut ready(Ok::<_, ()>(()))).unwrap().0;
    });
}

#[test]
fn macros_work_where_only_a_trait_makes_a_future() {
    struct Number(u8);
    impl IntoFuture for Number {
        type Output = u8;
        type IntoFuture = std::future::Ready<u8>;
        fn into_future(self) -> Self::IntoFuture {
            ready(self.0)
        }
    }
    run(async {
        assert_eq!(executor::join!(Number(1), Number(2)), (1, 2));
        assert_eq!(executor::select! { n = Number(3) => n }, 3);
    });
}
