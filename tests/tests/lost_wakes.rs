//! Single tasks, spawned from outside at random distances, while the workers are falling asleep: each one must run.
//!
//! `EXECUTOR_TEST_SPAWNS` says how many (default 100 000; a million takes half a minute). A lost wake-up shows as a hang: nothing else
//! would wake the runtime, because each task is awaited, without the runtime's help, before the next is spawned.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use executor::runtime::{Builder, Runtime};

use crate::support::{block_on, child, current_thread, within, workers};

fn spawns() -> u64 {
    match std::env::var("EXECUTOR_TEST_SPAWNS") {
        Ok(text) => text.parse().expect("EXECUTOR_TEST_SPAWNS is a number"),
        Err(_) => 100_000,
    }
}

/// Spawns `count` tasks while the workers are falling asleep, and a tenth as many after gaps up to `longest`.
fn spawn_at_all_distances(runtime: &Runtime, count: u64, longest: Duration) {
    spawn_after(runtime, count, FALL_ASLEEP, true);
    spawn_with_gaps(runtime, count / 10, longest);
}

/// Spawns `count` tasks one after the other, each after a random gap below `longest`. Nearly all find the workers asleep: this thread sleeps, too,
/// until a task has ended, and takes longer to wake than they take to fall asleep.
fn spawn_with_gaps(runtime: &Runtime, count: u64, longest: Duration) {
    spawn_after(runtime, count, longest, false);
}

/// Awake, this thread sees at once that a task has ended.
fn spawn_after(runtime: &Runtime, count: u64, longest: Duration, awake: bool) {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    for n in 0..count {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let gap = Duration::from_nanos(seed % longest.as_nanos() as u64);
        let start = Instant::now();
        while start.elapsed() < gap {
            std::hint::spin_loop();
        }
        let task = runtime.spawn(async move { n });
        // Not for long: who spins may hold the processor that a worker waits for.
        let start = Instant::now();
        while awake && !task.is_finished() && start.elapsed() < Duration::from_micros(50) {
            std::hint::spin_loop();
        }
        assert_eq!(block_on(task).unwrap(), n);
    }
}

#[test]
fn from_a_foreign_thread_into_two_workers() {
    within(600, || {
        spawn_at_all_distances(&workers(2), spawns(), Duration::from_micros(200))
    });
}

#[test]
fn from_a_foreign_thread_into_one_worker() {
    within(600, || {
        spawn_at_all_distances(&workers(1), spawns() / 5, Duration::from_micros(200))
    });
}

#[test]
fn from_a_foreign_thread_into_more_workers_than_processors() {
    within(600, || {
        spawn_at_all_distances(&workers(8), spawns() / 5, Duration::from_micros(100))
    });
}

#[test]
fn from_a_foreign_thread_into_a_driven_current_thread() {
    within(600, || {
        let runtime = current_thread();
        let (end, ended) = futures::channel::oneshot::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(|| runtime.block_on(ended));
            spawn_at_all_distances(&runtime, spawns() / 5, Duration::from_micros(100));
            end.send(()).unwrap();
        });
    });
}

#[test]
fn from_a_foreign_thread_into_a_current_thread_whose_clock_stands_still() {
    within(600, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap();
        let (end, ended) = futures::channel::oneshot::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(|| runtime.block_on(ended));
            spawn_at_all_distances(&runtime, spawns(), Duration::from_micros(10));
            end.send(()).unwrap();
        });
    });
}

#[test]
fn on_one_core_beside_busy_threads() {
    child("lost_wakes::on_one_core_beside_busy_threads", || {
        // SAFETY: an all-zero set is a valid, empty one.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: as above; the set is a local variable of the size given, and 0 is this thread, whose children inherit it.
        let result = unsafe {
            libc::CPU_SET(first_allowed_core(), &mut set);
            libc::sched_setaffinity(0, size_of_val(&set), &set)
        };
        assert_eq!(result, 0);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                });
            }
            // The busy threads take four fifths of the core: on the machine this was written on, it took 11 seconds.
            let runtime = workers(2);
            spawn_with_gaps(&runtime, 10_000, Duration::from_micros(200));
            stop.store(true, SeqCst);
        });
    });
}

fn first_allowed_core() -> usize {
    // SAFETY: an all-zero set is a valid, empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is a local variable of the size given; 0 is this thread.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) };
    assert_eq!(result, 0);
    // SAFETY: the index is within the set.
    (0..libc::CPU_SETSIZE as usize)
        .find(|&core| unsafe { libc::CPU_ISSET(core, &set) })
        .unwrap()
}

#[test]
fn tasks_that_wake_each_other_across_workers_lose_nothing() {
    use futures::{SinkExt, StreamExt};
    within(120, || {
        let runtime = workers(2);
        let pairs: Vec<_> = (0..4)
            .map(|_| {
                let (mut send, mut receive) = futures::channel::mpsc::channel::<u32>(1);
                let (mut back, mut answers) = futures::channel::mpsc::channel::<u32>(1);
                drop(runtime.spawn(async move {
                    while let Some(n) = receive.next().await {
                        back.send(n).await.unwrap();
                    }
                }));
                runtime.spawn(async move {
                    for n in 0..20_000 {
                        send.send(n).await.unwrap();
                        assert_eq!(answers.next().await, Some(n));
                    }
                })
            })
            .collect();
        pairs.into_iter().for_each(|pair| block_on(pair).unwrap());
    });
}

/// Without optimization two workers were all asleep 2 microseconds after the end of a task, as far as the thread that had spawned it could see.
const FALL_ASLEEP: Duration = Duration::from_micros(4);
