//! The end of a runtime, at any moment: every handle answers, every future is dropped once, every thread ends.

use super::support::{Census, Channel, answer, end, runtime, wait_an_hour};
use crate::rt_sync::simulated::{check, thread};
use crate::task::yield_now;

#[test]
fn shuttle_spawns_from_outside_while_the_runtime_ends() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let spawners: Vec<_> = (0..2)
            .map(|_| {
                let (handle, census) = (runtime.handle().clone(), census.clone());
                thread::spawn(move || {
                    let tasks: Vec<_> = (0..3)
                        .map(|n| {
                            let counted = census.one();
                            handle.spawn(async move {
                                let _counted = counted;
                                yield_now().await;
                                n
                            })
                        })
                        .collect();
                    for (n, task) in tasks.into_iter().enumerate() {
                        match answer(task) {
                            Ok(output) => assert_eq!(output, n),
                            Err(error) => assert!(error.is_cancelled()),
                        }
                    }
                })
            })
            .collect();
        end(runtime);
        spawners
            .into_iter()
            .for_each(|spawner| spawner.join().unwrap());
        census.all_are_gone();
    });
}

#[test]
fn shuttle_tasks_talk_while_the_runtime_ends() {
    check(|| {
        let runtime = runtime(3);
        let census = Census::default();
        let (ping, pong) = (Channel::new(), Channel::new());
        let tasks: Vec<_> = [(ping.clone(), pong.clone()), (pong, ping.clone())]
            .into_iter()
            .map(|(from, to)| {
                let counted = census.one();
                runtime.spawn(async move {
                    let _counted = counted;
                    loop {
                        to.send(from.recv().await);
                    }
                })
            })
            .collect();
        let counted = census.one();
        let spawner = runtime.spawn(async move {
            let counted = counted;
            loop {
                let child = counted.another();
                let child = crate::spawn(async move { drop(child) });
                yield_now().await;
                drop(child);
            }
        });
        let waiting = runtime.spawn(wait_an_hour(census.one()));
        ping.send(());
        for _ in 0..20 {
            crate::rt_sync::simulated::switch();
        }
        end(runtime);
        for task in tasks {
            let never: Result<(), _> = answer(task);
            assert!(never.unwrap_err().is_cancelled());
        }
        let never: Result<(), _> = answer(spawner);
        assert!(never.unwrap_err().is_cancelled());
        assert!(answer(waiting).unwrap_err().is_cancelled());
        drop(ping);
        census.all_are_gone();
    });
}

#[test]
fn shuttle_a_runtime_ends_itself_from_one_of_its_tasks() {
    check(|| {
        let runtime = runtime(2);
        let census = Census::default();
        let waiting = runtime.spawn(wait_an_hour(census.one()));
        let handle = runtime.handle().clone();
        let counted = census.one();
        let last = handle.spawn(async move {
            let _counted = counted;
            runtime.shutdown_background();
            1
        });
        drop(handle);
        // Its poll ends after the runtime has closed: what it returns is still its output.
        match answer(last) {
            Ok(output) => assert_eq!(output, 1),
            Err(error) => assert!(error.is_cancelled()),
        }
        assert!(answer(waiting).unwrap_err().is_cancelled());
    });
}
