//! With the guard: what waits behind a poll that blocks its thread is served by others, and an idle runtime comes to rest.

use std::time::Duration;

use super::idle::messages_and_timers;
use super::support::{Channel, Flag, builder, end};
use crate::rt_sync::simulated::check;
use crate::runtime::Runtime;

fn guarded(workers: usize) -> Runtime {
    builder(workers).guard(true).build().unwrap()
}

#[test]
fn shuttle_the_guard_disturbs_nothing() {
    check(|| messages_and_timers(guarded(2)));
}

/// The next slot's task, one of the FIFO, and a timer, all of a worker that is stuck until they have run.
#[test]
fn shuttle_what_waits_behind_a_stuck_poll_is_served() {
    check(|| {
        let runtime = guarded(2);
        let stuck = runtime.spawn(async {
            let done = Channel::new();
            let flag = Flag::new();
            let tasks: Vec<_> = (0..2)
                .map(|n| {
                    let done = done.clone();
                    crate::spawn(async move {
                        if n == 0 {
                            crate::time::sleep(Duration::from_millis(1)).await;
                        }
                        done.send(n);
                    })
                })
                .collect();
            let freeing = flag.clone();
            let last = crate::spawn(async move {
                done.recv().await;
                done.recv().await;
                freeing.set();
            });
            flag.block();
            for task in tasks {
                task.await.unwrap();
            }
            last.await.unwrap();
        });
        runtime.block_on(stuck).unwrap();
        end(runtime);
    });
}
