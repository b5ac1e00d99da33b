//! Signals as futures. Each test in a process of its own: the handlers belong to the process.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Context;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::signal::ctrl_c;
use executor::signal::unix::{SignalKind, signal};
use executor::task::coop::unconstrained;

use crate::support::{
    child, counting_waker, current_thread, fds, is_child, pair, poll_once, spawn_child, until,
    within, workers,
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
                    raise(libc::SIGINT);
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
            raise(libc::SIGINT);
            let mut next = pin!(ctrl_c());
            assert!(poll_once(next.as_mut()).is_pending());
            raise(libc::SIGINT);
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

#[test]
fn each_signal_hears_all_that_came_since_it_was_made() {
    child(
        "signals::each_signal_hears_all_that_came_since_it_was_made",
        || {
            for runtime in [workers(2), current_thread()] {
                runtime.block_on(async {
                    let mut early = signal(SignalKind::user_defined1()).unwrap();
                    raise(libc::SIGUSR1);
                    let mut late = signal(SignalKind::user_defined1()).unwrap();
                    let mut other = signal(SignalKind::user_defined2()).unwrap();
                    assert_eq!(early.recv().await, Some(()));
                    assert!(poll_once(pin!(early.recv())).is_pending(), "heard before");
                    assert!(poll_once(pin!(late.recv())).is_pending(), "came too early");
                    for _ in 0..3 {
                        raise(libc::SIGUSR1);
                    }
                    for signal in [&mut early, &mut late] {
                        assert_eq!(signal.recv().await, Some(()));
                        assert!(poll_once(pin!(signal.recv())).is_pending(), "three are one");
                    }
                    assert!(poll_once(pin!(other.recv())).is_pending(), "another signal");
                    // A `recv` that was given up has taken nothing away.
                    raise(libc::SIGUSR1);
                    assert_eq!(early.recv().await, Some(()));
                });
            }
        },
    );
}

#[test]
fn a_task_that_waits_is_woken_by_its_own_signal_only() {
    child(
        "signals::a_task_that_waits_is_woken_by_its_own_signal_only",
        || {
            // The budget wakes as well.
            workers(2).block_on(unconstrained(async {
                let (mut first, mut second) = (
                    signal(SignalKind::user_defined1()).unwrap(),
                    signal(SignalKind::user_defined2()).unwrap(),
                );
                let (waker, woken) = counting_waker();
                let mut cx = Context::from_waker(&waker);
                for round in 0..50 {
                    assert!(second.poll_recv(&mut cx).is_pending());
                    raise(libc::SIGUSR1);
                    first.recv().await.unwrap();
                    assert_eq!(woken.load(SeqCst), round);
                    raise(libc::SIGUSR2);
                    until(|| woken.load(SeqCst) == round + 1);
                    assert!(second.poll_recv(&mut cx).is_ready());
                }
            }));
        },
    );
}

#[test]
fn signals_that_nobody_can_wait_for_are_errors() {
    child(
        "signals::signals_that_nobody_can_wait_for_are_errors",
        || {
            let runtime = workers(1);
            let _entered = runtime.enter();
            let forbidden = [
                libc::SIGKILL,
                libc::SIGSTOP,
                libc::SIGSEGV,
                libc::SIGFPE,
                libc::SIGILL,
            ];
            for number in [-1, 0, 65, 66, 1 << 20, i32::MIN, i32::MAX]
                .into_iter()
                .chain(forbidden)
            {
                let error = signal(SignalKind::from_raw(number)).unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::Other, "{number}: {error}");
                assert!(
                    error.to_string().contains(&number.to_string()),
                    "{number}: {error}"
                );
            }
            // The C library keeps this one for itself, as only the system says.
            assert!(signal(SignalKind::from_raw(32)).is_err());
            // Real-time signals have no names.
            let mut real_time = signal(SignalKind::from(libc::SIGRTMAX())).unwrap();
            raise(libc::SIGRTMAX());
            assert_eq!(runtime.block_on(real_time.recv()), Some(()));
        },
    );
}

#[test]
fn a_thousand_signals_share_two_descriptors() {
    child("signals::a_thousand_signals_share_two_descriptors", || {
        workers(2).block_on(async {
            let before = fds();
            let mut signals: Vec<_> = (0..1000)
                .map(|i| {
                    let kinds = [
                        SignalKind::user_defined1(),
                        SignalKind::window_change(),
                        SignalKind::hangup(),
                    ];
                    signal(kinds[i % 3]).unwrap()
                })
                .collect();
            assert_eq!(fds(), before + 2);
            let waiting: Vec<_> = signals
                .drain(..)
                .map(|mut signal| executor::spawn(async move { signal.recv().await }))
                .collect();
            for number in [libc::SIGUSR1, libc::SIGWINCH, libc::SIGHUP] {
                raise(number);
            }
            for task in waiting {
                assert_eq!(task.await.unwrap(), Some(()));
            }
        });
    });
}

#[test]
fn runtimes_hear_side_by_side_and_one_may_end() {
    child(
        "signals::runtimes_hear_side_by_side_and_one_may_end",
        || {
            let (first, second) = (workers(2), current_thread());
            let make = |runtime: &executor::runtime::Runtime| {
                let _entered = runtime.enter();
                signal(SignalKind::user_defined1()).unwrap()
            };
            let (mut of_first, mut of_second) = (make(&first), make(&second));
            raise(libc::SIGUSR1);
            assert_eq!(first.block_on(of_first.recv()), Some(()));
            assert_eq!(second.block_on(of_second.recv()), Some(()));

            // It waits on one runtime for a signal of another, which ends.
            let handle = first.handle().clone();
            let mut ends = make(&first);
            let waiting = second.spawn(async move { ends.recv().await });
            second.block_on(executor::task::yield_now());
            drop(first);
            assert_eq!(second.block_on(waiting).unwrap(), None);
            assert_eq!(crate::support::block_on(of_first.recv()), None);
            let entered = handle.enter();
            let refused = signal(SignalKind::user_defined1()).unwrap_err();
            assert!(executor::runtime::is_rt_shutdown_err(&refused));
            assert!(
                signal(SignalKind::hangup()).is_err(),
                "a runtime that ended takes no new ones"
            );
            drop(entered);

            raise(libc::SIGUSR1);
            assert_eq!(second.block_on(of_second.recv()), Some(()));
        },
    );
}

#[test]
fn a_runtime_that_ended_before_it_heard_anything_refuses() {
    let runtime = workers(1);
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();
    assert!(signal(SignalKind::window_change()).is_err());
}

#[test]
fn runtimes_that_end_leave_no_descriptor_and_no_handler() {
    child(
        "signals::runtimes_that_end_leave_no_descriptor_and_no_handler",
        || {
            let hear = || {
                let runtime = workers(1);
                let _entered = runtime.enter();
                let mut signal = signal(SignalKind::user_defined1()).unwrap();
                raise(libc::SIGUSR1);
                assert_eq!(runtime.block_on(signal.recv()), Some(()));
            };
            hear();
            let before = fds();
            (0..50).for_each(|_| hear());
            until(|| fds() == before);
            // A handler that was left behind would write to a descriptor that is somebody else's by now.
            raise(libc::SIGUSR1);
        },
    );
}

#[test]
fn a_forked_childs_signals_are_its_own() {
    child("signals::a_forked_childs_signals_are_its_own", || {
        let runtime = workers(1);
        let entered = runtime.enter();
        let mut ours = signal(SignalKind::user_defined1()).unwrap();
        // SAFETY: the child calls what needs no lock that another thread may have held, and ends by `_exit`.
        let process = unsafe { libc::fork() };
        if process == 0 {
            raise(libc::SIGUSR1);
            let inherited = poll_once(pin!(ours.recv())) == std::task::Poll::Ready(None)
                && signal(SignalKind::user_defined1()).is_err();
            // SAFETY: ends the process without running anything of the parent's.
            unsafe { libc::_exit(if inherited { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: the process is our child, and the pointer is good.
        assert_eq!(unsafe { libc::waitpid(process, &mut status, 0) }, process);
        assert_eq!(status, 0, "the inherited runtime refuses in the child");
        drop(entered);
        runtime.block_on(async {
            executor::time::sleep(std::time::Duration::from_millis(1)).await;
            assert!(poll_once(pin!(ours.recv())).is_pending(), "the child's");
            raise(libc::SIGUSR1);
            assert_eq!(ours.recv().await, Some(()));
        });
    });
}

#[test]
fn a_paused_clock_does_not_keep_signals_away() {
    child("signals::a_paused_clock_does_not_keep_signals_away", || {
        let runtime = executor::runtime::Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap();
        let mut signal = {
            let _entered = runtime.enter();
            signal(SignalKind::user_defined1()).unwrap()
        };
        let sender = std::thread::spawn(|| raise_in_process(libc::SIGUSR1));
        assert_eq!(runtime.block_on(signal.recv()), Some(()));
        sender.join().unwrap();
    });
}

/// At least one delivery after the last signal, whoever is interrupted by it; and nobody's I/O is disturbed.
#[test]
fn a_storm_of_signals_loses_none_and_breaks_no_connection() {
    child(
        "signals::a_storm_of_signals_loses_none_and_breaks_no_connection",
        || {
            const ROUNDS: usize = 40;
            let threads = Arc::new(std::sync::Mutex::new(Vec::new()));
            let remember = {
                let threads = threads.clone();
                move || {
                    // SAFETY: asks for the calling thread's own number.
                    let this = unsafe { libc::pthread_self() };
                    threads.lock().unwrap().push(this);
                }
            };
            let runtime = executor::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .on_thread_start(remember)
                .build()
                .unwrap();
            runtime.block_on(async {
                let stop = Arc::new(AtomicBool::new(false));
                let mut echoes = Vec::new();
                for _ in 0..8 {
                    let (mut near, mut far) = pair().await;
                    let stop = stop.clone();
                    echoes.push(executor::spawn(async move {
                        let mut buf = [0; 512];
                        let mut rounds = 0_usize;
                        while !stop.load(SeqCst) {
                            near.write_all(&[7; 512]).await.unwrap();
                            far.read_exact(&mut buf).await.unwrap();
                            far.write_all(&buf).await.unwrap();
                            near.read_exact(&mut buf).await.unwrap();
                            assert_eq!(buf, [7; 512]);
                            rounds += 1;
                            // Nothing here ever waits for the other side.
                            executor::task::yield_now().await;
                        }
                        rounds
                    }));
                }
                let mut heard = signal(SignalKind::user_defined1()).unwrap();
                let round = Arc::new(AtomicUsize::new(0));
                let (go, wait) = std::sync::mpsc::channel::<()>();
                let storm = std::thread::spawn({
                    let round = round.clone();
                    move || {
                        for number in 1..=ROUNDS {
                            for _ in 0..1000 / 4 {
                                for &thread in threads.lock().unwrap().iter() {
                                    // SAFETY: the threads live as long as the runtime, which outlives this thread.
                                    unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
                                }
                                raise_in_process(libc::SIGUSR1);
                            }
                            round.store(number, SeqCst);
                            raise_in_process(libc::SIGUSR1);
                            wait.recv().unwrap();
                        }
                    }
                });
                for number in 1..=ROUNDS {
                    while round.load(SeqCst) < number {
                        heard.recv().await.unwrap();
                    }
                    go.send(()).unwrap();
                }
                storm.join().unwrap();
                stop.store(true, SeqCst);
                for echo in echoes {
                    assert!(echo.await.unwrap() > 0);
                }
            });
        },
    );
}

#[test]
fn the_first_ctrl_c_cancels_the_scope_and_the_second_ends_the_process() {
    const NAME: &str =
        "signals::the_first_ctrl_c_cancels_the_scope_and_the_second_ends_the_process";
    use executor::task::{CancelScope, FutureExt, shield};
    if is_child(NAME) {
        return within(30, || {
            workers(2).block_on(async {
                let scope = CancelScope::new();
                executor::signal::cancel_on_ctrl_c(&scope).unwrap();
                let result = scope.run(async {
                    println!("\nready");
                    let error = std::future::pending::<()>()
                        .or_cancelled()
                        .await
                        .unwrap_err();
                    println!("\nclean-up after {}", error.reason());
                    shield(
                        std::time::Duration::from_secs(60),
                        std::future::pending::<()>(),
                    )
                    .await
                });
                drop(result.await);
            });
        });
    }
    let mut child = spawn_child(NAME, &[]);
    let interrupt = |child: u32| {
        // SAFETY: it is a child of ours that was not waited for.
        assert_eq!(unsafe { libc::kill(child as i32, libc::SIGINT) }, 0);
    };
    child.wait_for_line("ready");
    interrupt(child.id());
    child.wait_for_line("clean-up after Ctrl-C");
    interrupt(child.id());
    assert_eq!(child.status().code(), Some(130));
}

/// Sends a signal to this thread; the handler has run when this returns.
fn raise(number: i32) {
    // SAFETY: the test has made a handler before.
    assert_eq!(unsafe { libc::raise(number) }, 0);
}

/// Sends a signal to any thread of this process.
fn raise_in_process(number: i32) {
    // SAFETY: the test has made a handler before.
    let sent = unsafe { libc::kill(std::process::id() as i32, number) };
    assert_eq!(sent, 0);
}
