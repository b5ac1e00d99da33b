//! The threads for blocking closures: they grow with the demand, shrink without it, and lose no closure.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use executor::runtime::Builder;

use crate::support::{
    Drops, assert_usable, block_on, child, current_thread, each_runtime, threads, until, within,
};

#[test]
fn it_grows_until_closures_that_wait_for_each_other_all_run() {
    within(60, || {
        each_runtime(|runtime| {
            let barrier = Arc::new(Barrier::new(100));
            let jobs: Vec<_> = (0..100)
                .map(|_| {
                    let barrier = barrier.clone();
                    runtime.spawn_blocking(move || barrier.wait().is_leader())
                })
                .collect();
            let leaders = jobs
                .into_iter()
                .map(|job| block_on(job).unwrap())
                .filter(|leader| *leader)
                .count();
            assert_eq!(leaders, 1);
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
                let barrier = Arc::new(Barrier::new(20));
                let jobs: Vec<_> = (0..20)
                    .map(|_| {
                        let barrier = barrier.clone();
                        runtime.spawn_blocking(move || barrier.wait().is_leader())
                    })
                    .collect();
                let leaders = jobs
                    .into_iter()
                    .filter_map(|job| block_on(job).unwrap().then_some(()));
                assert_eq!(leaders.count(), 1);
                until(|| threads() == base);
            }
            assert_usable(&runtime);
        },
    );
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
