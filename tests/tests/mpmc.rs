//! Queues with many receivers: order, room, ends, what counts as worked off, and that nothing is lost when waits are dropped.

use std::cmp::Reverse;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;

use executor::sync::mpmc::{
    self, Closed, PriorityQueue, PushError, Queue, Stack, TryPopError, TryPushError,
};
use executor::task;
use proptest::prelude::*;

use crate::support::{Drops, Random, counting_waker, each_runtime, poll_once, within, workers};

#[test]
fn items_leave_in_the_order_of_their_queue() {
    let (queue, stack) = (Queue::unbounded(), Stack::unbounded());
    let (smallest, greatest) = (PriorityQueue::unbounded(), PriorityQueue::unbounded());
    for n in [2, 3, 1] {
        queue.try_push(n).unwrap();
        stack.try_push(n).unwrap();
        smallest.try_push(n).unwrap();
        greatest.try_push(Reverse(n)).unwrap();
    }
    let all = |pop: &dyn Fn() -> Option<i32>| std::iter::from_fn(pop).collect::<Vec<_>>();
    assert_eq!(all(&|| queue.try_pop().ok()), [2, 3, 1]);
    assert_eq!(all(&|| stack.try_pop().ok()), [1, 3, 2]);
    assert_eq!(all(&|| smallest.try_pop().ok()), [1, 2, 3]);
    assert_eq!(all(&|| greatest.try_pop().ok().map(|n| n.0)), [3, 2, 1]);
}

#[test]
fn equal_items_leave_a_priority_queue_as_they_came() {
    #[derive(PartialEq, Eq, Debug)]
    struct Job(u8, usize);
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = PriorityQueue::unbounded();
    (0..100).for_each(|n| queue.try_push(Job((n % 3) as u8, n)).unwrap());
    let popped: Vec<_> = std::iter::from_fn(|| queue.try_pop().ok()).collect();
    let mut sorted: Vec<_> = (0..100).map(|n| Job((n % 3) as u8, n)).collect();
    sorted.sort();
    assert_eq!(popped, sorted);
}

#[test]
fn a_full_queue_makes_wait_and_serves_in_order() {
    let queue = Queue::bounded(1);
    assert_eq!((queue.capacity(), queue.is_empty()), (Some(1), true));
    queue.try_push(1).unwrap();
    assert!(queue.is_full());
    assert_eq!(queue.try_push(9), Err(TryPushError::Full(9)));
    let (mut second, mut third) = (pin!(queue.push(2)), pin!(queue.push(3)));
    assert!(poll_once(second.as_mut()).is_pending());
    assert!(poll_once(third.as_mut()).is_pending());
    assert_eq!(queue.try_pop(), Ok(1));
    assert_eq!(
        queue.try_push(9),
        Err(TryPushError::Full(9)),
        "the room is for who has waited"
    );
    assert!(poll_once(third.as_mut()).is_pending());
    assert_eq!(poll_once(second.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(queue.try_pop(), Ok(2));
    assert_eq!(poll_once(third.as_mut()), Poll::Ready(Ok(())));
}

#[test]
fn an_item_is_for_who_has_waited_longest() {
    let queue = Queue::unbounded();
    assert_eq!(queue.capacity(), None);
    let (mut first, mut second) = (pin!(queue.pop()), pin!(queue.pop()));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    queue.try_push(1).unwrap();
    assert_eq!(queue.try_pop(), Err(TryPopError::Empty));
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Ok(1)));
}

#[test]
fn a_closed_queue_gives_out_what_it_has_and_gives_back_the_rest() {
    let queue = Queue::bounded(1);
    queue.try_push(1).unwrap();
    let mut waits = pin!(queue.push(2));
    assert!(poll_once(waits.as_mut()).is_pending());
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(poll_once(waits.as_mut()), Poll::Ready(Err(PushError(2))));
    assert_eq!(queue.try_push(3), Err(TryPushError::Closed(3)));
    assert_eq!(poll_once(pin!(queue.pop())), Poll::Ready(Ok(1)));
    assert_eq!(poll_once(pin!(queue.pop())), Poll::Ready(Err(Closed)));
    assert_eq!(queue.try_pop(), Err(TryPopError::Closed));

    let queue = Queue::bounded(2);
    let mut waits = pin!(queue.pop());
    assert!(poll_once(waits.as_mut()).is_pending());
    queue.try_push(1).unwrap();
    queue.try_push(2).unwrap();
    assert_eq!(queue.close_now(), [1, 2]);
    assert_eq!(poll_once(waits.as_mut()), Poll::Ready(Err(Closed)));
}

#[test]
fn join_waits_for_what_is_queued_and_for_what_is_worked_on() {
    let queue = Queue::unbounded();
    assert!(poll_once(pin!(queue.join())).is_ready());
    for n in 0..3 {
        queue.try_push(n).unwrap();
    }
    let mut join = pin!(queue.join());
    assert!(poll_once(join.as_mut()).is_pending());
    let Poll::Ready(Ok(mut item)) = poll_once(pin!(queue.pop_guarded())) else {
        panic!("an item is there");
    };
    *item += 10;
    assert_eq!(queue.try_pop(), Ok(1));
    assert_eq!((queue.len(), queue.unfinished()), (1, 2));
    let Poll::Ready(Ok(other)) = poll_once(pin!(queue.pop_guarded())) else {
        panic!("an item is there");
    };
    drop(other);
    assert!(poll_once(join.as_mut()).is_pending());
    assert_eq!(item.into_inner(), 10);
    assert!(poll_once(join.as_mut()).is_ready());

    queue.try_push(7).unwrap();
    let mut join = pin!(queue.join());
    assert!(poll_once(join.as_mut()).is_pending());
    assert_eq!(queue.close_now(), [7]);
    assert!(poll_once(join.as_mut()).is_ready());
}

#[test]
fn an_item_counts_as_worked_off_when_its_task_panics_or_is_aborted() {
    within(60, || {
        let runtime = workers(2);
        let queue = Queue::unbounded();
        queue.try_push(0).unwrap();
        queue.try_push(1).unwrap();
        let of = |queue: &Queue<u32>| {
            let queue = queue.clone();
            async move {
                let item = queue.pop_guarded().await.unwrap();
                if *item == 0 {
                    panic!("it cannot be done");
                }
                std::future::pending::<()>().await;
            }
        };
        let tasks = [runtime.spawn(of(&queue)), runtime.spawn(of(&queue))];
        runtime.block_on(async {
            while queue.unfinished() == 2 || !queue.is_empty() {
                task::yield_now().await;
            }
            tasks.iter().for_each(|task| task.abort());
            queue.join().await;
            for task in tasks {
                task.await.unwrap_err();
            }
        });
    });
}

#[test]
fn a_channel_closes_with_the_last_of_its_ends() {
    let drops = Drops::default();
    let (sender, receiver) = mpmc::channel(4);
    sender.try_send(drops.value()).ok().unwrap();
    drop(sender.clone());
    drop(receiver.clone());
    sender.try_send(drops.value()).ok().unwrap();
    drop(sender);
    drop(receiver.try_recv().unwrap());
    assert!(receiver.clone().try_recv().is_ok());
    assert_eq!(receiver.try_recv().unwrap_err(), TryPopError::Closed);

    let (sender, receiver) = mpmc::channel(4);
    sender.try_send(drops.value()).ok().unwrap();
    assert!(poll_once(pin!(receiver.recv())).is_ready());
    sender.try_send(drops.value()).ok().unwrap();
    assert_eq!(drops.count(), 3);
    drop(receiver);
    assert_eq!(drops.count(), 4, "what nobody will take is dropped");
    assert!(matches!(
        sender.try_send(drops.value()),
        Err(TryPushError::Closed(_))
    ));
}

#[test]
fn without_room_a_sender_waits_until_its_item_is_taken() {
    let drops = Drops::default();
    let (sender, receiver) = mpmc::channel(0);
    assert!(matches!(
        sender.try_send(drops.value()),
        Err(TryPushError::Full(_))
    ));
    let mut sends = Box::pin(sender.send(drops.value()));
    let mut later = Box::pin(sender.send(drops.value()));
    assert!(poll_once(sends.as_mut()).is_pending());
    assert!(poll_once(later.as_mut()).is_pending());
    assert_eq!(sender.statistics().waiting_to_send, 2);
    let item = receiver.try_recv().unwrap();
    assert!(matches!(poll_once(sends.as_mut()), Poll::Ready(Ok(()))));
    assert!(
        poll_once(later.as_mut()).is_pending(),
        "in order of arrival"
    );
    assert_eq!(drops.count(), 1);
    drop((item, later));
    assert_eq!(drops.count(), 3);
    assert_eq!(receiver.try_recv().unwrap_err(), TryPopError::Empty);

    // The other way round.
    let mut receives = Box::pin(receiver.recv());
    assert!(poll_once(receives.as_mut()).is_pending());
    assert_eq!(receiver.statistics().waiting_to_receive, 1);
    sender.try_send(drops.value()).ok().unwrap();
    assert!(matches!(
        sender.try_send(drops.value()),
        Err(TryPushError::Full(_))
    ));
    assert!(poll_once(receives.as_mut()).is_ready());
    drop(receives);

    // The ends.
    let mut sends = Box::pin(sender.send(drops.value()));
    assert!(poll_once(sends.as_mut()).is_pending());
    let before = drops.count();
    drop(receiver);
    assert!(matches!(
        poll_once(sends.as_mut()),
        Poll::Ready(Err(PushError(_)))
    ));
    assert_eq!(drops.count(), before + 1, "it came back");
    assert!(matches!(
        poll_once(pin!(sender.send(drops.value()))),
        Poll::Ready(Err(PushError(_)))
    ));
    let (sender, receiver) = mpmc::channel::<u8>(0);
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryPopError::Closed));
}

#[test]
fn without_room_who_was_called_for_an_item_that_is_gone_keeps_its_turn() {
    let (sender, receiver) = mpmc::channel(0);
    let (mut first, mut second) = (Box::pin(receiver.recv()), Box::pin(receiver.recv()));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    {
        let mut offer = pin!(sender.send(1));
        assert!(poll_once(offer.as_mut()).is_pending());
    }
    assert!(poll_once(first.as_mut()).is_pending());
    sender.try_send(2).unwrap();
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Ok(2)));
}

#[test]
fn without_room_who_was_called_for_an_item_that_is_gone_hears_of_the_next() {
    let (sender, receiver) = mpmc::channel(0);
    let (waker, calls) = counting_waker();
    let mut receive = pin!(receiver.recv());
    let mut poll = || receive.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    let is_woken = || calls.swap(0, SeqCst) > 0;
    let withdrawn = |item| assert!(poll_once(pin!(sender.send(item))).is_pending());
    withdrawn(1);
    assert!(is_woken() && poll().is_pending());
    // It is woken again, and what comes before it has looked is its own.
    withdrawn(2);
    assert!(is_woken());
    sender.try_send(3).unwrap();
    assert_eq!(poll(), Poll::Ready(Ok(3)));
}

#[test]
fn without_room_waits_that_are_dropped_at_random_lose_and_double_nothing() {
    within(120, || {
        let runtime = workers(2);
        let drops = Drops::default();
        let (sender, receiver) = mpmc::channel(0);
        let taken = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (1..=8)
            .map(|seed| {
                let (sender, receiver) = (sender.clone(), receiver.clone());
                let (taken, drops) = (taken.clone(), drops.clone());
                runtime.spawn(async move {
                    let mut random = Random(seed);
                    let (mut sent, mut tried) = (0, 0);
                    for _ in 0..3000 {
                        let polls = random.below(4) as u32;
                        if random.below(2) == 0 {
                            tried += 1;
                            let now = give_up_after(polls, sender.send(drops.value())).await;
                            sent += usize::from(matches!(now, Some(Ok(()))));
                        } else if let Some(Ok(item)) = give_up_after(polls, receiver.recv()).await {
                            taken.fetch_add(1, SeqCst);
                            drop(item);
                        }
                    }
                    (sent, tried)
                })
            })
            .collect();
        let (mut sent, mut tried) = (0, 0);
        runtime.block_on(async {
            for task in tasks {
                let (of_sent, of_tried) = task.await.unwrap();
                sent += of_sent;
                tried += of_tried;
            }
        });
        // One whose sender gave up in that moment may have been taken.
        assert!(sent > 0 && sent <= taken.load(SeqCst));
        assert_eq!(drops.count(), tried, "each is dropped once");
        let statistics = sender.statistics();
        assert_eq!((statistics.senders, statistics.receivers), (1, 1));
        assert_eq!(
            (statistics.waiting_to_send, statistics.waiting_to_receive),
            (0, 0)
        );
    });
}

#[test]
fn statistics_say_what_is_in_a_queue_and_who_waits() {
    let queue = Queue::bounded(2);
    queue.try_push(1).unwrap();
    queue.try_push(2).unwrap();
    let mut pushes = Box::pin(queue.push(3));
    let mut joins = Box::pin(queue.join());
    assert!(poll_once(pushes.as_mut()).is_pending() && poll_once(joins.as_mut()).is_pending());
    let statistics = queue.statistics();
    assert_eq!((statistics.len, statistics.capacity), (2, Some(2)));
    assert_eq!(
        (statistics.waiting_to_push, statistics.waiting_to_join),
        (1, 1)
    );
    let Poll::Ready(Ok(item)) = poll_once(pin!(queue.pop_guarded())) else {
        panic!("there is one");
    };
    assert_eq!(queue.statistics().in_hand, 1);
    drop((pushes, joins, item));
    queue.try_pop().unwrap();
    let mut pops = Box::pin(queue.pop());
    assert!(poll_once(pops.as_mut()).is_pending());
    assert_eq!(queue.statistics().waiting_to_pop, 1);

    let (sender, receiver) = mpmc::channel(2);
    sender.try_send(()).unwrap();
    let more = [receiver.clone(), receiver.clone()];
    let statistics = sender.statistics();
    assert_eq!((statistics.len, statistics.capacity), (1, 2));
    assert_eq!((statistics.senders, statistics.receivers), (1, 3));
    drop(more);
    assert_eq!(receiver.statistics().receivers, 1);
    drop(sender);
    assert_eq!(receiver.statistics().senders, 0);
}

#[test]
#[should_panic(expected = "1 is the least")]
fn a_queue_with_room_for_nothing_is_refused() {
    Queue::<u8>::bounded(0);
}

#[test]
fn a_channel_with_all_the_room_there_is_says_so() {
    let (sender, receiver) = mpmc::channel(usize::MAX);
    sender.try_send(1).unwrap();
    let statistics = receiver.statistics();
    assert_eq!((statistics.len, statistics.capacity), (1, usize::MAX));
    assert!(format!("{sender:?}").contains("capacity"));
}

#[test]
fn a_destructor_of_an_item_may_use_the_queue() {
    struct Item(Option<Queue<Self>>);
    impl Drop for Item {
        fn drop(&mut self) {
            if let Some(queue) = self.0.take() {
                let _ = queue.try_push(Self(None));
                queue.len();
            }
        }
    }
    let queue = Queue::bounded(1);
    queue.try_push(Item(Some(queue.clone()))).ok().unwrap();
    drop(queue.try_push(Item(Some(queue.clone()))));
    drop(queue.try_pop());
    let mut waits = Box::pin(queue.push(Item(Some(queue.clone()))));
    assert!(poll_once(waits.as_mut()).is_pending());
    drop(waits);
    drop(queue.close_now());
}

#[test]
fn an_order_that_panics_breaks_nothing() {
    #[derive(PartialEq, Eq)]
    struct Item(u32);
    impl PartialOrd for Item {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Item {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            assert!(self.0 != 13 && other.0 != 13, "no");
            self.0.cmp(&other.0)
        }
    }
    let queue = PriorityQueue::unbounded();
    queue.try_push(Item(1)).ok().unwrap();
    let push = std::panic::AssertUnwindSafe(|| queue.try_push(Item(13)));
    assert!(std::panic::catch_unwind(push).is_err());
    let items = queue.close_now_or_panics();
    assert!(items <= 2);
    assert_eq!(queue.unfinished(), queue.len());
}

trait CloseNow {
    fn close_now_or_panics(&self) -> usize;
}

impl<T: Ord> CloseNow for PriorityQueue<T> {
    fn close_now_or_panics(&self) -> usize {
        let close = std::panic::AssertUnwindSafe(|| self.close_now().len());
        std::panic::catch_unwind(close).unwrap_or(0)
    }
}

#[test]
fn many_producers_and_consumers_lose_and_double_nothing() {
    within(120, || {
        each_runtime(|runtime| {
            let queue = Queue::<usize>::bounded(3);
            let seen: Arc<Vec<AtomicUsize>> =
                Arc::new((0..4000).map(|_| AtomicUsize::new(0)).collect());
            let consumers: Vec<_> = (0..4)
                .map(|_| {
                    let (queue, seen) = (queue.clone(), seen.clone());
                    runtime.spawn(async move {
                        while let Ok(n) = queue.pop_guarded().await {
                            seen[*n].fetch_add(1, SeqCst);
                        }
                    })
                })
                .collect();
            let producers: Vec<_> = (0..4)
                .map(|k| {
                    let queue = queue.clone();
                    runtime.spawn(async move {
                        for n in 0..750 {
                            queue.push(k * 750 + n).await.unwrap();
                        }
                    })
                })
                .collect();
            let thread = thread::spawn({
                let queue = queue.clone();
                move || (3000..4000).for_each(|n| queue.blocking_push(n).unwrap())
            });
            runtime.block_on(async {
                for producer in producers {
                    producer.await.unwrap();
                }
                while !thread.is_finished() {
                    task::yield_now().await;
                }
                queue.join().await;
                assert!(seen.iter().all(|seen| seen.load(SeqCst) == 1));
                queue.close();
                for consumer in consumers {
                    consumer.await.unwrap();
                }
            });
        });
    });
}

#[test]
fn waits_that_are_dropped_at_random_lose_no_item_and_no_room() {
    within(120, || {
        let runtime = workers(2);
        let queue = Queue::bounded(2);
        let taken = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (1..=8)
            .map(|seed| {
                let (queue, taken) = (queue.clone(), taken.clone());
                runtime.spawn(async move {
                    let mut random = Random(seed);
                    let mut pushed = 0;
                    for _ in 0..3000 {
                        let polls = random.below(4) as u32;
                        if random.below(2) == 0 {
                            let pushed_now = give_up_after(polls, queue.push(1_usize)).await;
                            pushed += usize::from(matches!(pushed_now, Some(Ok(()))));
                        } else if let Some(Ok(item)) = give_up_after(polls, queue.pop()).await {
                            taken.fetch_add(item, SeqCst);
                        }
                    }
                    pushed
                })
            })
            .collect();
        let pushed = runtime.block_on(async {
            let mut pushed = 0;
            for task in tasks {
                pushed += task.await.unwrap();
            }
            pushed
        });
        let left = queue.len();
        assert_eq!(taken.load(SeqCst) + left, pushed);
        // Nobody waits, so all that is there and all the room can be had.
        (0..left).for_each(|_| assert!(queue.try_pop().is_ok()));
        (0..2).for_each(|_| queue.try_push(1).unwrap());
    });
}

/// Polls at most so often, and lets others run in between.
async fn give_up_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = poll_now(future.as_mut()).await {
            return Some(output);
        }
        task::yield_now().await;
    }
    None
}

/// Polls once, with the task's own waker.
async fn poll_now<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// What one step of the model does.
#[derive(Clone, Debug)]
enum Step {
    Push,
    Pop,
    PollPush(usize),
    PollPop(usize),
    DropPush(usize),
    DropPop(usize),
    TryPush,
    TryPop,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Push),
        4 => Just(Step::Pop),
        4 => any::<usize>().prop_map(Step::PollPush),
        4 => any::<usize>().prop_map(Step::PollPop),
        2 => any::<usize>().prop_map(Step::DropPush),
        2 => any::<usize>().prop_map(Step::DropPop),
        2 => Just(Step::TryPush),
        2 => Just(Step::TryPop),
        1 => Just(Step::Close),
    ]
}

type Waiting<T> = Pin<Box<dyn Future<Output = T>>>;

proptest! {
    /// However waits are polled and dropped: items come out in order, once each, never more than there is room for, and at the end whoever still
    /// waits has nothing to wait for.
    #[test]
    fn the_queue_keeps_order_and_loses_nothing(capacity in 1_usize..4, steps in prop::collection::vec(step(), 1..80)) {
        let queue = Queue::bounded(capacity);
        let (mut next, mut came_out) = (0_u32, Vec::new());
        let mut pushes: Vec<Waiting<Result<(), PushError<u32>>>> = Vec::new();
        let mut pops: Vec<Waiting<Result<u32, Closed>>> = Vec::new();
        let mut pushed = 0_usize;
        let mut number = || { next += 1; next };
        for step in steps {
            match step {
                Step::Push => {
                    let (queue, item) = (queue.clone(), number());
                    pushes.push(Box::pin(async move { queue.push(item).await }));
                }
                Step::Pop => {
                    let queue = queue.clone();
                    pops.push(Box::pin(async move { queue.pop().await }));
                }
                Step::PollPush(n) if !pushes.is_empty() => {
                    let at = n % pushes.len();
                    if let Poll::Ready(result) = poll_once(pushes[at].as_mut()) {
                        pushed += usize::from(result.is_ok());
                        drop(pushes.remove(at));
                    }
                }
                Step::PollPop(n) if !pops.is_empty() => {
                    let at = n % pops.len();
                    if let Poll::Ready(result) = poll_once(pops[at].as_mut()) {
                        came_out.extend(result.ok());
                        drop(pops.remove(at));
                    }
                }
                Step::DropPush(n) if !pushes.is_empty() => drop(pushes.remove(n % pushes.len())),
                Step::DropPop(n) if !pops.is_empty() => drop(pops.remove(n % pops.len())),
                Step::TryPush => pushed += usize::from(queue.try_push(number()).is_ok()),
                Step::TryPop => came_out.extend(queue.try_pop().ok()),
                Step::Close => queue.close(),
                _ => {}
            }
            prop_assert!(queue.len() <= capacity);
            prop_assert_eq!(came_out.len() + queue.len(), pushed);
        }
        // Until nobody gets on any more.
        loop {
            let before = (pushes.len(), pops.len());
            pushes.retain_mut(|push| match poll_once(push.as_mut()) {
                Poll::Ready(result) => { pushed += usize::from(result.is_ok()); false }
                Poll::Pending => true,
            });
            pops.retain_mut(|pop| match poll_once(pop.as_mut()) {
                Poll::Ready(result) => { came_out.extend(result.ok()); false }
                Poll::Pending => true,
            });
            if before == (pushes.len(), pops.len()) {
                break;
            }
        }
        prop_assert!(pushes.is_empty() || queue.is_full(), "room is there, and somebody waits for it");
        prop_assert!(pops.is_empty() || queue.is_empty(), "an item is there, and somebody waits for it");
        prop_assert_eq!(came_out.len() + queue.len(), pushed);
        let mut once = came_out.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), came_out.len());
    }
}
