//! Timers that are made, moved and dropped on several threads while others sleep until them.

use std::time::Duration;

use super::support::{Census, end, runtime, wait_an_hour};
use crate::rt_sync::simulated::{check, random, thread};
use crate::time::{Instant, sleep, timeout};

/// None fires early, and each fires.
#[test]
fn shuttle_timers_come_and_go_on_several_threads() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let waiting = runtime.spawn(wait_an_hour(census.one()));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let handle = runtime.handle().clone();
                thread::spawn(move || {
                    for _ in 0..2 {
                        handle.block_on(short_among_long());
                    }
                })
            })
            .collect();
        let task = runtime.spawn(async {
            short_among_long().await;
            short_among_long().await;
        });
        runtime.block_on(task).unwrap();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        end(runtime);
        drop(waiting);
        census.all_are_gone();
    });
}

async fn short_among_long() {
    let far = Box::pin(sleep(Duration::from_secs(30 + random() % 30)));
    let begin = Instant::now();
    let short = Duration::from_micros(random() % 2000);
    let late = timeout(short, far).await;
    late.unwrap_err();
    assert!(begin.elapsed() >= short, "a timer fired early");
    let mut moved = Box::pin(sleep(Duration::from_secs(3600)));
    let registered = timeout(Duration::ZERO, moved.as_mut()).await;
    registered.unwrap_err();
    let deadline = Instant::now() + short;
    moved.as_mut().reset(deadline);
    moved.await;
    assert!(
        Instant::now() >= deadline,
        "a timer that was moved fired early"
    );
}

/// A worker sleeps until a far deadline; another thread makes an earlier one.
#[test]
fn shuttle_an_earlier_deadline_ends_a_sleep() {
    check(|| {
        let runtime = runtime(1);
        let waiting = runtime.spawn(wait_an_hour(()));
        let handle = runtime.handle().clone();
        let other =
            thread::spawn(move || handle.block_on(async { sleep(Duration::from_millis(1)).await }));
        runtime.block_on(async { sleep(Duration::from_millis(2)).await });
        other.join().unwrap();
        end(runtime);
        drop(waiting);
    });
}
