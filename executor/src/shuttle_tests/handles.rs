//! One task and those who wake it, abort it, wait for it or let it go, all at once.

use super::support::{Census, Channel, answer, end, runtime};
use crate::rt_sync::simulated::{check, random, thread};

#[test]
fn shuttle_abort_and_wake_and_completion() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let channel = Channel::new();
        let (receiver, counted) = (channel.clone(), census.one());
        let task = runtime.spawn(async move {
            let counted = counted;
            receiver.recv().await;
            receiver.recv().await;
            counted
        });
        let abort = task.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        let sender = channel.clone();
        let sending = thread::spawn(move || sender.send(()));
        channel.send(());
        match answer(task) {
            Ok(counted) => drop(counted),
            Err(error) => assert!(error.is_cancelled()),
        }
        aborting.join().unwrap();
        sending.join().unwrap();
        drop(channel);
        census.all_are_gone();
        end(runtime);
    });
}

#[test]
fn shuttle_handles_that_leave_and_handles_that_wait() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let counted = census.one();
                runtime.spawn(async move { (n, counted) })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            if random() % 2 == 0 {
                assert_eq!(answer(task).unwrap().0, n);
            }
        }
        end(runtime);
        census.all_are_gone();
    });
}

#[test]
fn shuttle_a_waker_outlives_its_runtime() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let channel = Channel::new();
        let (receiver, counted) = (channel.clone(), census.one());
        let task = runtime.spawn(async move {
            let _counted = counted;
            receiver.recv().await;
        });
        let sender = channel.clone();
        let waking = thread::spawn(move || sender.send(()));
        end(runtime);
        waking.join().unwrap();
        // What is left of the task hangs on the waker in the channel.
        let _ = answer(task);
        drop(channel);
        census.all_are_gone();
    });
}
