//! A paused clock: no jump overtakes work that walks through the runtime, and none is forgotten.

use std::time::Duration;

use super::support::{Channel, builder, end};
use crate::rt_sync::simulated::{check, thread};
use crate::task::spawn_blocking;
use crate::time::{Instant, sleep, timeout};

#[test]
fn shuttle_a_paused_clock_jumps_only_when_all_is_still() {
    check(|| {
        let runtime = builder(2).start_paused(true).build().unwrap();
        let (there, back) = (Channel::new(), Channel::new());
        let (from, to) = (there.clone(), back.clone());
        let echo = runtime.spawn(async move {
            for _ in 0..3 {
                let value = from.recv().await;
                to.send(spawn_blocking(move || value).await.unwrap());
            }
        });
        runtime.block_on(async {
            let begin = Instant::now();
            for round in 0..3 {
                there.send(round);
                let answer = timeout(Duration::from_secs(1), back.recv()).await;
                assert_eq!(answer.expect("a jump overtook the answer"), round);
            }
            echo.await.unwrap();
            assert_eq!(begin.elapsed(), Duration::ZERO);
            sleep(Duration::from_secs(3)).await;
            assert_eq!(begin.elapsed(), Duration::from_secs(3));
        });
        end(runtime);
    });
}

/// One message there and back, as small as can be: what a jump overtakes, it overtakes at one step of a few.
#[test]
fn shuttle_no_jump_overtakes_an_answer() {
    check(|| {
        let runtime = builder(2).start_paused(true).build().unwrap();
        let (there, back) = (Channel::new(), Channel::new());
        let (from, to) = (there.clone(), back.clone());
        drop(runtime.spawn(async move { to.send(from.recv().await) }));
        runtime.block_on(async {
            there.send(());
            let answer = timeout(Duration::from_secs(1), back.recv()).await;
            answer.expect("a jump overtook the answer");
        });
        end(runtime);
    });
}

#[test]
fn shuttle_a_paused_clock_waits_for_other_threads_in_block_on() {
    check(|| {
        let runtime = builder(2).start_paused(true).build().unwrap();
        let channel = Channel::new();
        let (handle, sender) = (runtime.handle().clone(), channel.clone());
        let other = thread::spawn(move || {
            handle.block_on(async move {
                sleep(Duration::from_secs(5)).await;
                sender.send(());
            });
        });
        runtime.block_on(async {
            let begin = Instant::now();
            channel.recv().await;
            assert!(begin.elapsed() <= Duration::from_secs(5));
            sleep(Duration::from_secs(1)).await;
        });
        other.join().unwrap();
        end(runtime);
    });
}
