//! Signals as futures. Each test in a process of its own: the handlers belong to the process.

use std::pin::pin;

use executor::signal::ctrl_c;

use crate::support::{
    child, current_thread, fds, is_child, poll_once, spawn_child, within, workers,
};

#[test]
fn every_waiter_gets_the_signal() {
    child("signals::every_waiter_gets_the_signal", || {
        for runtime in [workers(2), current_thread()] {
            runtime.block_on(async {
                for _ in 0..20 {
                    let (mut first, mut second) = (pin!(ctrl_c()), pin!(ctrl_c()));
                    assert!(poll_once(first.as_mut()).is_pending());
                    assert!(poll_once(second.as_mut()).is_pending());
                    interrupt();
                    first.await.unwrap();
                    second.await.unwrap();
                }
            });
        }
    });
}

#[test]
fn a_signal_that_came_before_counts_no_more() {
    child("signals::a_signal_that_came_before_counts_no_more", || {
        workers(1).block_on(async {
            assert!(poll_once(pin!(ctrl_c())).is_pending());
            // The future is gone. The process lives all the same, and the signal is for nobody.
            interrupt();
            let mut next = pin!(ctrl_c());
            assert!(poll_once(next.as_mut()).is_pending());
            interrupt();
            next.await.unwrap();
        });
    });
}

#[test]
fn a_waiter_leaves_nothing_behind() {
    child("signals::a_waiter_leaves_nothing_behind", || {
        let runtime = workers(1);
        runtime.block_on(async {
            assert!(poll_once(pin!(ctrl_c())).is_pending());
            let before = fds();
            for _ in 0..50 {
                assert!(poll_once(pin!(ctrl_c())).is_pending());
            }
            assert_eq!(fds(), before);
        });
        let mut late = Box::pin(ctrl_c());
        let entered = runtime.enter();
        assert!(poll_once(late.as_mut()).is_pending());
        drop(entered);
        drop(runtime);
        let answer = crate::support::block_on(late);
        assert!(answer.is_err(), "its runtime has ended");
    });
}

#[test]
fn a_signal_from_another_process_arrives() {
    const NAME: &str = "signals::a_signal_from_another_process_arrives";
    if is_child(NAME) {
        return within(30, || {
            workers(1).block_on(async {
                let mut signal = pin!(ctrl_c());
                assert!(poll_once(signal.as_mut()).is_pending());
                println!("\nready");
                signal.await.unwrap();
            })
        });
    }
    let mut child = spawn_child(NAME, &[]);
    child.wait_for_line("ready");
    // SAFETY: the process is our child, and was not waited for yet, so the number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
    child.finish();
}

/// Sends SIGINT to this thread; the handler has run when this returns.
fn interrupt() {
    // SAFETY: the test has made a handler before.
    assert_eq!(unsafe { libc::raise(libc::SIGINT) }, 0);
}
