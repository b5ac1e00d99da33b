//! Threads that block: the pool, and seats that are handed over.

use std::time::Duration;

use super::support::{Census, Channel, Flag, answer, builder, end, runtime};
use crate::rt_sync::simulated::{check, random, refuse_threads, thread};
use crate::task::block_in_place;

#[test]
fn shuttle_jobs_run_or_are_cancelled_when_the_pool_closes() {
    check(|| {
        let runtime = builder(1)
            .max_blocking_threads(1 + random() as usize % 2)
            .thread_keep_alive(Duration::from_millis(random() % 3))
            .build()
            .unwrap();
        let census = Census::default();
        let (handle, counting) = (runtime.handle().clone(), census.clone());
        let submitting = thread::spawn(move || {
            for n in 0..3 {
                let counted = counting.one();
                let job = handle.spawn_blocking(move || {
                    drop(counted);
                    n
                });
                match answer(job) {
                    Ok(output) => assert_eq!(output, n),
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        });
        let counted = census.one();
        let job = runtime.spawn_blocking(move || drop(counted));
        if random() % 2 == 0 {
            answer(job).unwrap();
        }
        end(runtime);
        submitting.join().unwrap();
        census.all_are_gone();
    });
}

#[test]
fn shuttle_no_job_is_forgotten_by_threads_that_give_up_waiting() {
    check(|| {
        let runtime = builder(1)
            .max_blocking_threads(2)
            .thread_keep_alive(Duration::from_micros(50))
            .build()
            .unwrap();
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let handle = runtime.handle().clone();
                thread::spawn(move || {
                    for n in 0..3 {
                        assert_eq!(answer(handle.spawn_blocking(move || n)).unwrap(), n);
                    }
                })
            })
            .collect();
        submitters
            .into_iter()
            .for_each(|submitter| submitter.join().unwrap());
        end(runtime);
    });
}

#[test]
fn shuttle_jobs_without_threads_are_cancelled() {
    check(|| {
        let runtime = runtime(1);
        refuse_threads(true);
        let jobs: Vec<_> = (0..2)
            .map(|n| {
                let handle = runtime.handle().clone();
                thread::spawn(move || answer(handle.spawn_blocking(move || n)))
            })
            .collect();
        refuse_threads(random() % 2 == 0);
        for (n, job) in jobs.into_iter().enumerate() {
            match job.join().unwrap() {
                Ok(output) => assert_eq!(output, n),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
        end(runtime);
    });
}

/// Each task blocks its thread until the others have run: with as many seats as tasks block at once there is always one more.
fn chain_of_blocking_tasks(keep_alive: Duration, refuse: bool) {
    // Whoever blocks with its seat leaves its queue to the guard.
    let runtime = builder(2)
        .guard(refuse)
        .thread_keep_alive(keep_alive)
        .build()
        .unwrap();
    let census = Census::default();
    if refuse {
        refuse_threads(true);
    }
    let flags = [Flag::new(), Flag::new()];
    let channel = Channel::new();
    let mut tasks: Vec<_> = (0..2)
        .map(|n| {
            let (flag, counted) = (flags[n].clone(), census.one());
            let channel = channel.clone();
            runtime.spawn(async move {
                let _counted = counted;
                channel.send(n);
                // Of the two seats, one stays if no thread may come for the other.
                if !(refuse && n == 1) {
                    block_in_place(|| flag.block());
                }
                crate::task::yield_now().await;
            })
        })
        .collect();
    let counted = census.one();
    tasks.push(runtime.spawn(async move {
        let _counted = counted;
        channel.recv().await;
        channel.recv().await;
        flags.iter().for_each(|flag| flag.set());
    }));
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    end(runtime);
    census.all_are_gone();
}

#[test]
fn shuttle_a_seat_is_handed_over() {
    check(|| chain_of_blocking_tasks(Duration::from_secs(10), false));
}

#[test]
fn shuttle_a_seat_is_handed_over_to_threads_that_give_up_waiting() {
    check(|| chain_of_blocking_tasks(Duration::from_micros(50), false));
}

#[test]
fn shuttle_a_seat_stays_where_no_thread_comes_for_it() {
    check(|| chain_of_blocking_tasks(Duration::from_secs(10), true));
}

/// A thread that did not come leaves no trace: the next offer calls another.
#[test]
fn shuttle_after_a_refusal_the_next_seat_is_handed_over() {
    check(|| {
        let runtime = runtime(1);
        let flag = Flag::new();
        let blocked = flag.clone();
        let blocking = runtime.spawn(async move {
            refuse_threads(true);
            block_in_place(|| {});
            refuse_threads(false);
            block_in_place(|| blocked.block());
        });
        let setting = runtime.spawn(async move { flag.set() });
        runtime.block_on(async {
            blocking.await.unwrap();
            setting.await.unwrap();
        });
        end(runtime);
    });
}

#[test]
fn shuttle_a_seat_is_handed_over_while_the_runtime_ends() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let flag = Flag::new();
        let tasks: Vec<_> = (0..3)
            .map(|n| {
                let (flag, counted) = (flag.clone(), census.one());
                runtime.spawn(async move {
                    let _counted = counted;
                    block_in_place(|| flag.block());
                    n
                })
            })
            .collect();
        let setting = thread::spawn(move || flag.set());
        end(runtime);
        setting.join().unwrap();
        for (n, task) in tasks.into_iter().enumerate() {
            match answer(task) {
                Ok(output) => assert_eq!(output, n),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
        census.all_are_gone();
    });
}
