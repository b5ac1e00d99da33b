//! The current-thread flavour, with several threads in `block_on` at once, and tasks that stay on one thread.

use std::time::Duration;

use super::support::{Census, Channel, end};
use crate::rt_sync::simulated::{check, thread};
use crate::runtime::Builder;
use crate::task::{LocalSet, spawn_local, yield_now};
use crate::time::sleep;

#[test]
fn shuttle_two_threads_in_block_on_of_one_current_thread_runtime() {
    check(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let census = Census::default();
        let channel = Channel::new();
        let (receiver, counted) = (channel.clone(), census.one());
        let task = runtime.spawn(async move {
            let _counted = counted;
            receiver.recv().await;
            receiver.recv().await;
        });
        let (handle, sender) = (runtime.handle().clone(), channel.clone());
        let other = thread::spawn(move || {
            handle.block_on(async move {
                sender.send(());
                yield_now().await;
                sleep(Duration::from_millis(1)).await;
                sender.send(());
            });
        });
        runtime.block_on(async {
            sleep(Duration::from_micros(500)).await;
            task.await.unwrap();
        });
        other.join().unwrap();
        end(runtime);
        drop(channel);
        census.all_are_gone();
    });
}

#[test]
fn shuttle_a_local_set_is_woken_and_aborted_from_elsewhere() {
    check(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let census = Census::default();
        let channel = Channel::new();
        let set = LocalSet::new();
        let sender = channel.clone();
        let waking = thread::spawn(move || sender.send(1));
        let (waiting, counted) = (channel.clone(), census.one());
        let aborted = set.spawn_local(async move {
            let _counted = counted;
            waiting.recv().await;
            waiting.recv().await;
        });
        let abort = aborted.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        let counted = census.one();
        set.block_on(&runtime, async move {
            let child = spawn_local(async move {
                let _counted = counted;
                yield_now().await;
                2
            });
            assert_eq!(child.await.unwrap(), 2);
            assert!(aborted.await.unwrap_err().is_cancelled());
        });
        waking.join().unwrap();
        aborting.join().unwrap();
        drop(set);
        end(runtime);
        drop(channel);
        census.all_are_gone();
    });
}
