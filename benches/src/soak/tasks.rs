//! Tasks that end in all the ways there are, and messages between them.

use std::future::{Future, pending};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use executor::spawn;
use executor::task::{JoinSet, yield_now};
use executor::time::sleep;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};

use super::ledger::{Count, Ledger, Planned, pause};
use crate::random::Random;

/// Sets of tasks of which some return at once, some later, and some never; a third of them is aborted. Each must answer once, as it
/// should, and its future be dropped by then.
pub(super) fn spawn_and_abort(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            set_of_tasks(&ledger, &mut random).await;
            pause(&mut random, 50).await;
        }
    })
}

async fn set_of_tasks(ledger: &Ledger, random: &mut Random) {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new();
    let mut aborted = 0;
    for n in 0..BATCH {
        let (kind, alive) = (random.below(4), Alive::new(&alive));
        let time = Duration::from_micros(random.below(20_000));
        let handle = set.spawn(async move {
            let _alive = alive;
            match kind {
                0 => {}
                1 => yield_now().await,
                2 => sleep(time).await,
                _ => pending().await,
            }
            n
        });
        // Those that would wait for ever, all of them; a few of the others, which may have returned before.
        if kind == 3 || random.below(8) == 0 {
            aborted += 1;
            if random.below(2) == 0 {
                handle.abort();
            } else {
                drop(spawn(async move {
                    sleep(time).await;
                    handle.abort();
                }));
            }
        }
    }
    let mut answers = [false; BATCH];
    let (mut returned, mut cancelled) = (0, 0);
    while let Some(next) = ledger.soon("a task of a set", set.join_next()).await {
        match next {
            Some(Ok(n)) if !std::mem::replace(&mut answers[n], true) => returned += 1,
            Some(Ok(n)) => ledger.fault(format!("task {n} has answered twice")),
            Some(Err(error)) if error.is_cancelled() => cancelled += 1,
            Some(Err(error)) => ledger.fault(format!("a task of a set: {error}")),
            None => break,
        }
    }
    if returned + cancelled != BATCH || cancelled > aborted {
        ledger.fault(format!(
            "of {BATCH} tasks {returned} have returned and {cancelled} are cancelled, {aborted} were aborted"
        ));
    }
    // SeqCst: simply all in one order. The answer of a task comes after its future has been dropped.
    match alive.load(SeqCst) {
        0 => {}
        some => ledger.fault(format!("{some} futures outlive the answer of their task")),
    }
    ledger.add(Count::Tasks, returned as u64);
    ledger.add(Count::TasksAborted, cancelled as u64);
}

/// Counts futures that have not been dropped.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// A task that panics, now and then.
pub(super) fn panics(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let time = Duration::from_micros(random.below(5000));
            let task = spawn(async move {
                sleep(time).await;
                panic_any(Planned)
            });
            let answer = ledger.soon("the handle of a task that panics", task).await;
            let payload = answer.map(|answer: std::result::Result<(), _>| {
                answer.err().and_then(|error| error.try_into_panic().ok())
            });
            match payload {
                Some(Some(payload)) if payload.is::<Planned>() => ledger.add(Count::Panics, 1),
                Some(_) => ledger.fault("a task that panics has ended in another way"),
                None => {}
            }
            pause(&mut random, 50).await;
        }
    })
}

/// A thousand messages at a time from one task to another.
pub(super) fn messages(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let (mut sender, mut receiver) = mpsc::channel(random.below(16) as usize);
            drop(spawn(async move {
                for n in 0..MESSAGES {
                    // The other end is gone if a message was lost, which it has reported.
                    if sender.send(n).await.is_err() {
                        break;
                    }
                }
            }));
            for n in 0..MESSAGES {
                if ledger.soon("a message", receiver.next()).await != Some(Some(n)) {
                    ledger.fault(format!("instead of message {n} came another, or none"));
                    break;
                }
            }
            ledger.add(Count::Messages, MESSAGES);
            pause(&mut random, 50).await;
        }
    })
}

const BATCH: usize = 100;
const MESSAGES: u64 = 1000;
