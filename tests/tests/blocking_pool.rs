//! The threads for blocking closures: they grow with the demand, shrink without it, and lose no closure.
//!
//! `EXECUTOR_TEST_JOBS` says how many closures the long test hands in (default 200 000).

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, Runtime};

use crate::support::{
    Drops, Random, assert_usable, block_on, child, current_thread, each_runtime, threads, until,
    within,
};

#[test]
fn it_grows_until_closures_that_wait_for_each_other_all_run() {
    within(60, || {
        each_runtime(|runtime| {
            all_at_once(&runtime, 100);
        });
    });
}

#[test]
fn it_shrinks_when_there_is_nothing_to_do() {
    child(
        "blocking_pool::it_shrinks_when_there_is_nothing_to_do",
        || {
            let runtime = Builder::new_current_thread()
                .thread_keep_alive(Duration::from_millis(5))
                .build()
                .unwrap();
            let base = threads();
            for _ in 0..5 {
                all_at_once(&runtime, 20);
                until(|| threads() == base);
            }
            assert_usable(&runtime);
        },
    );
}

#[test]
fn threads_that_wait_are_all_called_for_closures_that_wait_for_each_other() {
    within(60, || {
        let runtime = current_thread();
        for _ in 0..200 {
            all_at_once(&runtime, 20);
        }
    });
}

#[test]
fn of_many_threads_those_that_are_not_needed_leave_though_closures_keep_coming() {
    child(
        "blocking_pool::of_many_threads_those_that_are_not_needed_leave_though_closures_keep_coming",
        || {
            let runtime = Builder::new_current_thread()
                .thread_keep_alive(Duration::from_millis(200))
                .build()
                .unwrap();
            let base = threads();
            all_at_once(&runtime, 40);
            // Called in turn, each of the forty would have a closure every few milliseconds.
            until(|| {
                block_on(runtime.spawn_blocking(|| ())).unwrap();
                threads() < base + 10
            });
        },
    );
}

#[test]
fn a_thread_that_is_long_in_starting_keeps_no_closure_from_one_that_waits() {
    within(60, || {
        let (started, start) = channel();
        let (let_start, may_start) = channel::<()>();
        let may_start = Mutex::new((0, may_start));
        let runtime = Builder::new_current_thread()
            .on_thread_start(move || {
                let mut may_start = may_start.lock().unwrap();
                may_start.0 += 1;
                if may_start.0 == 2 {
                    started.send(()).unwrap();
                    may_start.1.recv().unwrap();
                }
            })
            .build()
            .unwrap();
        let (release, wait) = channel::<()>();
        let first = runtime.spawn_blocking(move || wait.recv().unwrap());
        // While the first thread is busy, another is started.
        let second = loop {
            let job = runtime.spawn_blocking(|| ());
            if start.recv_timeout(Duration::from_millis(20)).is_ok() {
                break job;
            }
        };
        release.send(()).unwrap();
        block_on(first).unwrap();
        block_on(second).unwrap();
        for n in 0..100 {
            assert_eq!(block_on(runtime.spawn_blocking(move || n)).unwrap(), n);
        }
        let_start.send(()).unwrap();
    });
}

/// Runs so many closures that wait for each other.
fn all_at_once(runtime: &Runtime, closures: usize) {
    let barrier = Arc::new(Barrier::new(closures));
    let jobs: Vec<_> = (0..closures)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn_blocking(move || barrier.wait().is_leader())
        })
        .collect();
    let leaders = jobs
        .into_iter()
        .filter_map(|job| block_on(job).unwrap().then_some(()));
    assert_eq!(leaders.count(), 1);
}

#[test]
fn a_thread_is_used_again() {
    within(60, || {
        let runtime = current_thread();
        let ids: std::collections::HashSet<_> = (0..1000)
            .map(|_| {
                let id = block_on(runtime.spawn_blocking(|| thread::current().id())).unwrap();
                // The answer comes a moment before its thread waits again.
                thread::yield_now();
                id
            })
            .collect();
        assert!(
            ids.len() < 500,
            "{} threads for one closure at a time",
            ids.len()
        );
    });
}

#[test]
fn there_are_never_more_threads_than_allowed() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(3)
            .build()
            .unwrap();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs: Vec<_> = (0..200)
            .map(|_| {
                let (now, most) = (now.clone(), most.clone());
                runtime.spawn_blocking(move || {
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    thread::sleep(Duration::from_micros(200));
                    now.fetch_sub(1, SeqCst);
                })
            })
            .collect();
        jobs.into_iter().for_each(|job| block_on(job).unwrap());
        assert!((1..=3).contains(&most.load(SeqCst)), "{most:?}");
    });
}

#[test]
fn an_aborted_closure_that_waits_is_dropped_and_never_runs() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (drops, ran) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
        let (release, wait) = channel::<()>();
        let (started, start) = channel();
        let first = runtime.spawn_blocking(move || {
            started.send(()).unwrap();
            wait.recv().unwrap();
        });
        start.recv().unwrap();
        let queued: Vec<_> = (0..10)
            .map(|_| {
                let (value, ran) = (drops.value(), ran.clone());
                runtime.spawn_blocking(move || {
                    let _value = value;
                    ran.fetch_add(1, SeqCst);
                })
            })
            .collect();
        queued.iter().for_each(|job| job.abort());
        // One that runs cannot be stopped.
        first.abort();
        release.send(()).unwrap();
        block_on(first).unwrap();
        for job in queued {
            assert!(block_on(job).unwrap_err().is_cancelled());
        }
        assert_eq!((drops.count(), ran.load(SeqCst)), (10, 0));
    });
}

#[test]
fn closures_handed_in_while_threads_give_up_waiting_are_not_lost() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .thread_keep_alive(Duration::from_micros(50))
            .build()
            .unwrap();
        for n in 0..5000u32 {
            let job = runtime.spawn_blocking(move || n);
            assert_eq!(block_on(job).unwrap(), n);
            (0..n % 400).for_each(|_| std::hint::spin_loop());
            if n % 10 == 0 {
                thread::sleep(Duration::from_micros(u64::from(n % 100)));
            }
        }
    });
}

#[test]
fn ten_thousand_closures_all_run() {
    within(60, || {
        each_runtime(|runtime| {
            let jobs: Vec<_> = (0..10_000u64)
                .map(|n| runtime.spawn_blocking(move || n))
                .collect();
            let sum: u64 = runtime.block_on(async {
                let mut sum = 0;
                for job in jobs {
                    sum += job.await.unwrap();
                }
                sum
            });
            assert_eq!(sum, 10_000 * 9_999 / 2);
        });
    });
}

/// Threads hardly wait for the next closure, so every few of them find that one has given up, or is just giving up. Each round ends its
/// runtime while closures are handed in.
#[test]
#[ignore = "takes long"]
fn no_closure_is_lost_while_threads_come_and_go_and_runtimes_end() {
    let jobs = match std::env::var("EXECUTOR_TEST_JOBS") {
        Ok(text) => text.parse().expect("EXECUTOR_TEST_JOBS is a number"),
        Err(_) => 200_000,
    };
    within(3600, || {
        let (mut ran, mut cancelled, mut rounds) = (0, 0, 0);
        while ran + cancelled < jobs {
            let (round_ran, round_cancelled) = churn(rounds);
            ran += round_ran;
            cancelled += round_cancelled;
            rounds += 1;
        }
        println!("{ran} closures ran and {cancelled} were cancelled, in {rounds} runtimes");
        assert!(ran > cancelled && cancelled > 0);
    });
}

/// How many closures ran, and how many were cancelled, of those that two threads handed in: first to a runtime that goes on, then to
/// one that ends.
fn churn(round: u64) -> (usize, usize) {
    let runtime = Builder::new_current_thread()
        .thread_keep_alive(Duration::from_nanos(100 << (round % 12)))
        .max_blocking_threads(1 + (round % 4) as usize)
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let (runs, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
    let hand_in = || {
        let (runs, value) = (runs.clone(), drops.value());
        handle.spawn_blocking(move || {
            let _value = value;
            runs.fetch_add(1, SeqCst);
        })
    };
    let ends = Barrier::new(3);
    let submitter = |seed| {
        let mut random = Random(seed);
        let mut handed_in = 0;
        for _ in 0..200 {
            let burst: Vec<_> = (0..random.below(10)).map(|_| hand_in()).collect();
            handed_in += burst.len();
            for job in burst {
                block_on(job).expect("nothing ends yet");
            }
            (0..random.below(3000)).for_each(|_| std::hint::spin_loop());
        }
        ends.wait();
        let last: Vec<_> = (0..200).map(|_| hand_in()).collect();
        handed_in += last.len();
        let errors = last.into_iter().filter_map(|job| block_on(job).err());
        let cancelled = errors.filter(|error| error.is_cancelled()).count();
        (handed_in, cancelled)
    };
    let (handed_in, cancelled) = thread::scope(|scope| {
        let submitter = &submitter;
        let threads = [1, 2].map(|n| scope.spawn(move || submitter(2 * round + n)));
        ends.wait();
        drop(runtime);
        let counts = threads.map(|thread| thread.join().unwrap());
        (counts[0].0 + counts[1].0, counts[0].1 + counts[1].1)
    });
    assert_eq!(runs.load(SeqCst), handed_in - cancelled, "round {round}");
    assert_eq!(drops.count(), handed_in, "round {round}");
    (handed_in - cancelled, cancelled)
}
