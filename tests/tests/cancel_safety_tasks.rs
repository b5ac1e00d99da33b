//! Cancel safety of what waits for several tasks, and of waits behind which others wait.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use executor::sync::{CapacityLimiter, Condvar, Mutex, mpmc, oneshot};
use executor::task::{
    self, JoinHandle, ReturnWhen, Started, TaskGroup, gather, gather_settled, group, running,
    spawn, wait, yield_now,
};

use crate::cancel_safety::{dropped_after_each_poll, on_each};
use crate::support::{Counted, Drops, poll_once};

/// What a task has that waits until it is told to end.
struct Waits {
    value: Counted,
    told: oneshot::Receiver<()>,
}

/// Who tells it.
type Tells = Option<oneshot::Sender<()>>;

impl Waits {
    fn new(drops: &Drops) -> (Self, Tells) {
        let (tell, told) = oneshot::channel();
        let value = drops.value();
        (Self { value, told }, Some(tell))
    }

    async fn end(self) -> u32 {
        let Self { value, told } = self;
        // Or who tells is gone, because the test is over.
        let _ = told.await;
        drop(value);
        7
    }
}

/// All of them are gone, without having been told.
async fn until_dropped(drops: &Drops, count: usize) {
    while drops.count() < count {
        yield_now().await;
    }
}

#[test]
fn tasks_of_a_gather_that_is_dropped_end() {
    on_each(async || {
        // One that is told to end, and one that nobody tells.
        let new = async || {
            let drops = Drops::default();
            let ((first, tell), (second, never)) = (Waits::new(&drops), Waits::new(&drops));
            (Some((first, second)), (drops, tell, never))
        };
        let help = async |(_, tell, _): &mut (Drops, Tells, Tells)| {
            let _ = tell.take().unwrap().send(());
        };
        dropped_after_each_poll(
            new,
            |waits: &mut Option<(Waits, Waits)>| {
                let (first, second) = waits.take().unwrap();
                Box::pin(async {
                    // Begun by the first poll only.
                    let first = gather([first.end()]);
                    let second = gather_settled([second.end()]);
                    let gathered = first.await.unwrap();
                    drop(second);
                    gathered
                })
            },
            help,
            async |_, (drops, _, _never), gathered| {
                assert!(gathered.is_none_or(|gathered| gathered == [7]));
                until_dropped(&drops, 2).await;
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let drops = Drops::default();
                let (waits, tell) = Waits::new(&drops);
                (Some(spawn(waits.end())), (drops, tell))
            },
            |task: &mut Option<JoinHandle<u32>>| Box::pin(gather(running([task.take().unwrap()]))),
            async |(_, tell)| _ = tell.take().unwrap().send(()),
            async |_, (drops, _), _| until_dropped(&drops, 1).await,
        )
        .await;
    });
}

#[test]
fn tasks_of_a_wait_that_is_dropped_go_on() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let (tell, told) = oneshot::channel::<()>();
                let (done, is_done) = oneshot::channel();
                let task = spawn(async move {
                    told.await.unwrap();
                    done.send(7).unwrap();
                });
                (Some(task), (Some(tell), is_done))
            },
            |task: &mut Option<JoinHandle<()>>| {
                let task = running([task.take().unwrap()]);
                Box::pin(wait(task, ReturnWhen::FirstCompleted))
            },
            async |(tell, _)| tell.take().unwrap().send(()).unwrap(),
            async |_, (_, is_done), _| assert_eq!(is_done.await, Ok(7)),
        )
        .await;
    });
}

#[test]
fn tasks_of_a_group_that_is_dropped_end() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let drops = Drops::default();
                let (waits, tell) = Waits::new(&drops);
                (Some(waits), (drops, tell))
            },
            |waits: &mut Option<Waits>| {
                let waits = waits.take().unwrap();
                Box::pin(group(async move |group| {
                    group.spawn(async { Ok::<_, io::Error>(waits.end().await) });
                    Ok(())
                }))
            },
            async |(_, tell)| _ = tell.take().unwrap().send(()),
            async |_, (drops, _), ended| {
                assert!(ended.is_none_or(|ended| ended.is_ok()));
                until_dropped(&drops, 1).await;
            },
        )
        .await;
        // With two that nobody tells, one of which comes from outside.
        dropped_after_each_poll(
            async || {
                let (drops, (give, given)) = (Drops::default(), oneshot::channel());
                let (waits, tell) = Waits::new(&drops);
                let (early, late) = (Waits::new(&drops), Waits::new(&drops));
                let never = (early.1, late.1);
                let other = (drops, tell, given, Some(late.0), never);
                (Some((waits, early.0, give)), other)
            },
            |waits: &mut Option<(Waits, Waits, oneshot::Sender<TaskGroup<io::Error>>)>| {
                let (waits, early, give) = waits.take().unwrap();
                Box::pin(group(async move |group| {
                    group.spawn(async { Ok(early.end().await) });
                    give.send(group.clone()).unwrap();
                    waits.end().await;
                    group.cancel("that is all");
                    Ok(())
                }))
            },
            async |(_, tell, given, late, _)| {
                let late = late.take().unwrap();
                if let Ok(group) = given.try_recv() {
                    drop(group.spawn(async { Ok(late.end().await) }));
                }
                let _ = tell.take().unwrap().send(());
            },
            async |_, (drops, ..), ended| {
                assert!(ended.is_none_or(|ended| ended.is_ok()));
                until_dropped(&drops, 3).await;
            },
        )
        .await;
        // One that is waited for until it is ready.
        dropped_after_each_poll(
            async || {
                let drops = Drops::default();
                let ((ready, tell), (ends, then)) = (Waits::new(&drops), Waits::new(&drops));
                (Some((ready, ends)), (drops, tell, then))
            },
            |waits: &mut Option<(Waits, Waits)>| {
                let (ready, ends) = waits.take().unwrap();
                Box::pin(group(async move |group| {
                    let server = async move |started: Started<u32>| {
                        started.set(ready.end().await);
                        ends.end().await;
                        Ok::<_, io::Error>(())
                    };
                    Ok(group.start(server).await.unwrap())
                }))
            },
            async |(_, tell, then)| {
                let _ = tell.take().unwrap().send(());
                let _ = then.take().unwrap().send(());
            },
            async |_, (drops, ..), ready| {
                assert!(ready.is_none_or(|ready| ready.unwrap() == 7));
                until_dropped(&drops, 2).await;
            },
        )
        .await;
    });
}

#[test]
fn a_call_of_a_condition_that_is_not_heard_goes_to_the_one_behind() {
    type Shared = Arc<(Mutex<()>, Condvar)>;
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let shared: Shared = Arc::new((Mutex::new(()), Condvar::new()));
                (shared.clone(), (shared, None))
            },
            |shared: &mut Shared| {
                Box::pin(async {
                    let (mutex, condvar) = &**shared;
                    drop(condvar.wait(mutex.lock().await).await);
                })
            },
            async |(shared, second): &mut (Shared, Option<JoinHandle<()>>)| {
                let before = shared.1.waiting();
                let waits = shared.clone();
                *second = Some(spawn(async move {
                    drop(waits.1.wait(waits.0.lock().await).await);
                }));
                while shared.1.waiting() == before {
                    yield_now().await;
                }
                shared.1.notify_one();
            },
            async |_, (shared, second), heard| {
                // One call, and one of the two hears it.
                if heard.is_some() {
                    assert_eq!(shared.1.waiting(), 1);
                    shared.1.notify_one();
                }
                second.unwrap().await.unwrap();
            },
        )
        .await;
    });
}

#[test]
fn a_token_that_is_not_taken_goes_to_the_one_behind() {
    type Limiter = Arc<CapacityLimiter<u32>>;
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let limiter: Limiter = Arc::new(CapacityLimiter::new(0));
                (limiter.clone(), (limiter, None))
            },
            |limiter: &mut Limiter| {
                Box::pin(async { std::mem::forget(limiter.acquire_for(1).await.unwrap()) })
            },
            async |(limiter, second): &mut (Limiter, Option<JoinHandle<()>>)| {
                let before = limiter.statistics().tasks_waiting;
                let waits = limiter.clone();
                *second = Some(spawn(async move {
                    std::mem::forget(waits.acquire_for(2).await.unwrap());
                }));
                while limiter.statistics().tasks_waiting == before {
                    yield_now().await;
                }
                limiter.set_total_tokens(1);
            },
            async |_, (limiter, second), taken| {
                if taken.is_some() {
                    assert_eq!(limiter.statistics().borrowers, [1]);
                    limiter.set_total_tokens(2);
                }
                second.unwrap().await.unwrap();
                assert_eq!(limiter.available_tokens(), 0);
            },
        )
        .await;
    });
}

#[test]
fn an_item_that_goes_from_hand_to_hand_is_with_one_of_them() {
    on_each(async || {
        // What was given up before anybody came is not there.
        let (sender, receiver) = mpmc::channel(0);
        assert!(poll_once(pin!(sender.send(7))).is_pending());
        assert!(receiver.try_recv().is_err());
        dropped_after_each_poll(
            async || mpmc::channel(0),
            |sender: &mut mpmc::Sender<u32>| Box::pin(async { sender.send(7).await.unwrap() }),
            async |receiver: &mut mpmc::Receiver<u32>| {
                // Nobody sends if the wait was dropped before.
                let _ = receiver.try_recv();
            },
            async |sender, receiver, _| {
                assert_eq!(sender.statistics().waiting_to_send, 0);
                assert!(receiver.try_recv().is_err());
                let receives = spawn(async move { receiver.recv().await.unwrap() });
                sender.send(8).await.unwrap();
                assert_eq!(receives.await.unwrap(), 8);
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let (sender, receiver) = mpmc::channel(0);
                (receiver, (Some(sender), None::<JoinHandle<()>>))
            },
            |receiver: &mut mpmc::Receiver<u32>| Box::pin(async { receiver.recv().await.unwrap() }),
            async |(sender, sends)| {
                let sender = sender.take().unwrap();
                *sends = Some(spawn(async move { sender.send(7).await.unwrap() }));
                task::yield_now().await;
            },
            async |receiver, (_, sends), received| {
                let item = match received {
                    Some(item) => item,
                    None => receiver.recv().await.unwrap(),
                };
                assert_eq!(item, 7);
                sends.unwrap().await.unwrap();
            },
        )
        .await;
    });
}
