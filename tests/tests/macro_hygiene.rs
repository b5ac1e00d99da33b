//! `select!`, `join!` and `try_join!` among names of the user's and under lints that are errors. Most of it is tested by compiling.

use std::convert::Infallible;

use executor::runtime::Runtime;
use executor::task::yield_now;

/// Everything that the macros' code could mean by its last name is something else here.
#[allow(dead_code, reason = "they are in the way, and nothing else")]
mod shadows {
    struct Poll;
    struct Option;
    struct Result;
    struct Some;
    struct Ok;
    struct Err;
    struct None;
    struct Context;
    struct Pin;
    struct B0;
    struct Disabled;
    trait Future {}
    trait IntoFuture {}
    mod core {}
    mod std {}
    mod executor {}

    async fn number() -> u8 {
        1
    }

    pub(super) async fn all() -> u8 {
        let selected = ::executor::select! { n = number() => n, m = number() => m };
        let (one, two) = ::executor::join!(number(), number());
        let both =
            ::executor::try_join!(async { ::core::result::Result::Ok::<u8, ()>(1) }, async {
                ::core::result::Result::Ok(2u8)
            },);
        let ::core::result::Result::Ok((three, four)) = both else {
            return 0;
        };
        selected + one + two + three + four
    }
}

#[test]
fn types_traits_and_modules_of_the_user_are_not_taken_for_others() {
    assert_eq!(Runtime::new().unwrap().block_on(shadows::all()), 6);
}

#[test]
fn patterns_and_expressions_may_use_the_macros_own_names() {
    let (ready, pending, context, turn, matches) = (1, 2, 3, 4, 5);
    let (off, output, start, first, error, future0) = (6, 7, 8, 9, 10, 11);
    let sum = async {
        let mut sum = 0;
        for n in 1..=6 {
            executor::select! {
                biased;
                Some(matches) = async { (n == 1).then_some(matches) }, if pending == 2 => sum += matches,
                Some(ready) = async { (n == 2).then_some(ready) } => sum += ready,
                Some(context) = async { (n == 3).then_some(context + turn) } => sum += context,
                Some(pending) = async { (n == 4).then_some(pending + off) } => sum += pending,
                Some(future0) = async { (n == 5).then_some(future0 + output + start) } => sum += future0,
                else => sum += 100,
            }
        }
        let (one, two) = executor::join!(async { ready + pending }, async { context + first });
        let three: Result<_, ()> = executor::try_join!(async { Ok(error) }, async { Ok(start) });
        sum + one + two + three.unwrap().0
    };
    let expected =
        matches + ready + (context + turn) + (pending + off) + (future0 + output + start);
    let expected = expected + 100 + (ready + pending) + (context + first) + error;
    assert_eq!(Runtime::new().unwrap().block_on(sum), expected);
}

/// A server beside what ends it: the usual program, and an output that has no value.
#[deny(warnings, clippy::pedantic)]
#[test]
fn what_never_ends_is_a_branch_without_a_warning() {
    Runtime::new().unwrap().block_on(async {
        let ended = executor::select! {
            _ = async {
                loop {
                    yield_now().await;
                }
            } => 1,
            _ = std::future::pending::<Infallible>() => 2,
            _ = async {} => 3,
            four = async {
                yield_now().await;
                4
            }, if false => four,
        };
        assert_eq!(ended, 3);
    });
}

#[allow(clippy::never_loop, reason = "a loop to break")]
#[test]
fn questions_and_breaks_in_the_expression_of_a_future_leave_the_function_around() {
    async fn early(input: Option<u8>) -> Option<u8> {
        loop {
            executor::select! {
                n = { if input == Some(7) { break; } async { 1 } } => return Some(n),
                m = { let input = input?; async move { input } } => return Some(m),
            }
        }
        Some(100)
    }
    Runtime::new().unwrap().block_on(async {
        assert_eq!(early(None).await, None);
        assert_eq!(early(Some(7)).await, Some(100));
        assert_eq!(early(Some(1)).await, Some(1));
    });
}
