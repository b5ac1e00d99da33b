//! The system refuses a thread: an error or a cancelled handle, nothing left behind, and nobody waits for ever.

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use executor::runtime::{Builder, Runtime};

use crate::support::{
    Drops, assert_usable, block_on, child, fds, is_child, spawn_child_as, threads, until, within,
    workers, works,
};

/// More than the address space has.
const ABSURD: usize = 1 << 46;

fn without_threads() -> Runtime {
    Builder::new_current_thread()
        .thread_stack_size(ABSURD)
        .build()
        .unwrap()
}

#[test]
fn build_is_an_error_and_leaves_nothing_behind() {
    child(
        "refused_threads::build_is_an_error_and_leaves_nothing_behind",
        || {
            drop(workers(1));
            let base = (threads(), fds());
            for size in [ABSURD, usize::MAX / 2, usize::MAX] {
                for _ in 0..10 {
                    let error = Builder::new_multi_thread()
                        .worker_threads(3)
                        .thread_stack_size(size)
                        .build()
                        .unwrap_err();
                    assert!(error.to_string().contains("thread"), "{error}");
                    until(|| (threads(), fds()) == base);
                }
            }
            assert_usable(&workers(2));
        },
    );
}

#[test]
fn a_stack_that_is_too_small_is_made_large_enough() {
    for size in [0, 1, 4097, 65_537] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(size.max(1))
            .build();
        // Whatever the system says, it is no crash.
        drop(runtime);
    }
}

#[test]
fn the_threads_that_did_start_end_when_a_later_one_is_refused() {
    child(
        "refused_threads::the_threads_that_did_start_end_when_a_later_one_is_refused",
        || {
            let stops = std::sync::Arc::new(AtomicUsize::new(0));
            drop(workers(1));
            let base = (threads(), fds());
            // Each thread takes 1 GiB of addresses: some fit, not all.
            let limit = libc::rlimit {
                rlim_cur: 6 << 30,
                rlim_max: libc::RLIM_INFINITY,
            };
            // SAFETY: the limit is a local variable; in this process no other test runs.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
            let count = stops.clone();
            let built = Builder::new_multi_thread()
                .worker_threads(64)
                .thread_stack_size(1 << 30)
                .on_thread_stop(move || {
                    count.fetch_add(1, SeqCst);
                })
                .build();
            assert!(built.is_err());
            assert!(
                stops.load(SeqCst) > 0,
                "no thread was started at all: the test tests nothing"
            );
            until(|| (threads(), fds()) == base);
            let unlimited = libc::rlimit {
                rlim_cur: libc::RLIM_INFINITY,
                ..limit
            };
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &unlimited) }, 0);
            assert_usable(&workers(2));
        },
    );
}

#[test]
fn spawn_blocking_answers_cancelled() {
    within(60, || {
        let runtime = without_threads();
        for _ in 0..10 {
            let drops = Drops::default();
            let value = drops.value();
            let job = runtime.spawn_blocking(move || drop(value));
            assert!(runtime.block_on(job).unwrap_err().is_cancelled());
            assert_eq!(drops.count(), 1);
        }
        assert_eq!(
            runtime.block_on(async { executor::spawn(async { 1 }).await.unwrap() }),
            1
        );
    });
}

#[test]
fn of_many_closures_handed_in_at_once_every_one_answers() {
    within(60, || {
        for _ in 0..50 {
            let runtime = without_threads();
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..50 {
                            let job = runtime.spawn_blocking(|| ());
                            assert!(block_on(job).unwrap_err().is_cancelled());
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn on_the_paused_clock_a_refused_closure_does_not_hold_the_time() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .thread_stack_size(ABSURD)
            .build()
            .unwrap();
        runtime.block_on(async {
            assert!(executor::task::spawn_blocking(|| ()).await.is_err());
            executor::time::sleep(std::time::Duration::from_secs(3600)).await;
        });
    });
}

#[test]
#[ignore = "needs strace"]
fn when_the_system_refuses_all_further_threads_what_runs_goes_on() {
    const TEST: &str =
        "refused_threads::when_the_system_refuses_all_further_threads_what_runs_goes_on";
    if !is_child(TEST) {
        let tool = ["strace", "-o", "/dev/null", "-e", "trace=clone3"];
        if !works(&tool, TEST) {
            return;
        }
        let mut child = spawn_child_as(TEST, |command| command.stdin(Stdio::piped()));
        child.wait_for_line("ready");
        let id = child.id().to_string();
        let mut strace = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"])
            .args(["-e", "inject=clone,clone3:error=EAGAIN", "-p", &id])
            .spawn()
            .unwrap();
        until(|| is_traced(child.id()));
        writeln!(child.input()).unwrap();
        child.finish();
        strace.wait().unwrap();
        return;
    }
    within(60, || {
        let runtime = workers(2);
        let small = Builder::new_current_thread().build().unwrap();
        // One thread of the pool, which stays for ten seconds.
        block_on(runtime.spawn_blocking(|| ())).unwrap();
        println!("ready");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        thread::Builder::new().spawn(|| ()).unwrap_err();

        let base = (threads(), fds());
        for _ in 0..10 {
            let error = Builder::new_multi_thread().build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
            assert!(error.to_string().contains("thread"), "{error}");
        }
        // Without a single thread the pool cancels, with one it does one closure after the other.
        let job = block_on(small.spawn_blocking(|| ()));
        assert!(job.unwrap_err().is_cancelled());
        let jobs: Vec<_> = (0..20).map(|n| runtime.spawn_blocking(move || n)).collect();
        let done = jobs.into_iter().map(|job| block_on(job).unwrap());
        assert!(done.eq(0..20));
        // Nobody takes over, so both wait in their places.
        let places: Vec<_> = (0..20)
            .map(|n| {
                runtime.spawn(async move {
                    executor::task::yield_now().await;
                    executor::task::block_in_place(|| n)
                })
            })
            .collect();
        let done = places.into_iter().map(|task| block_on(task).unwrap());
        assert!(done.eq(0..20));
        assert_eq!((threads(), fds()), base);
        assert_usable(&runtime);
    });
}

/// Whether every thread of the process has a tracer.
fn is_traced(process: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .map(|task| task.unwrap().path().join("status"))
        .all(|status| {
            let status = std::fs::read_to_string(status).unwrap();
            !status.contains("TracerPid:\t0\n")
        })
}
