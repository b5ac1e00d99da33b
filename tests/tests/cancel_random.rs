//! Tasks made of regions, scopes, shields and groups at random, cancelled and aborted at random points: nothing is left of them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use executor::task::{CancelScope, FutureExt, TaskErrors, group, shield, yield_now};
use executor::time::Duration;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::support::{Counted, Drops, Random, within, workers};

/// How many tasks are cancelled, each at a point of its own.
const POINTS: u64 = 100_000;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the tasks have in common.
#[derive(Clone, Default)]
struct World {
    made: Arc<AtomicUsize>,
    drops: Drops,
}

impl World {
    /// A value that a future has in it.
    fn value(&self) -> Counted {
        self.made.fetch_add(1, SeqCst);
        self.drops.value()
    }
}

async fn yields(times: u64) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Something that takes a few polls, with at most `depth` things around each other.
fn work(world: World, mut random: Random, depth: u64) -> Work {
    Box::pin(async move {
        let _value = world.value();
        let inner = |random: &mut Random| work(world.clone(), random.fork(), depth - 1);
        let times = random.below(4);
        match random.below(if depth == 0 { 2 } else { 8 }) {
            0 => yields(times).await,
            1 => drop(yields(times).or_cancelled().await),
            2 => {
                let result = inner(&mut random).or_cancelled().await;
                if result.is_err() {
                    inner(&mut random).await;
                }
            }
            3 => {
                let (scope, handle) = (CancelScope::new(), CancelScope::new());
                let canceller = scope.clone();
                executor::spawn(async move {
                    yields(times).await;
                    canceller.cancel("from elsewhere");
                });
                drop(handle.run(scope.run(inner(&mut random))).await);
            }
            4 => drop(shield(Duration::from_millis(1), inner(&mut random)).await),
            5 => {
                let living = Arc::new(AtomicUsize::new(0));
                let result: Result<(), TaskErrors<()>> = group(async |g| {
                    for n in 0..=times {
                        let (child, living) = (inner(&mut random), Living::new(&living));
                        g.spawn(async move {
                            let _living = living;
                            child.await;
                            if n == 2 { Err(()) } else { Ok(()) }
                        });
                    }
                    inner(&mut random).await;
                    Ok(())
                })
                .await;
                drop(result);
                assert_eq!(living.load(SeqCst), 0, "a group has left a task behind");
            }
            6 => {
                let (one, two) = (inner(&mut random), inner(&mut random).or_cancelled());
                drop(executor::join!(one, two));
            }
            _ => {
                let many = (0..3).map(|_| inner(&mut random).or_cancelled());
                let mut many: FuturesUnordered<_> = many.collect();
                while many.next().await.is_some() {}
            }
        }
    })
}

/// One that is counted from before its spawn to its drop.
struct Living(Arc<AtomicUsize>);

impl Living {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn at_a_hundred_thousand_points_of_cancellation_nothing_is_left() {
    let (world, runtime) = (World::default(), workers(2));
    within(300, || {
        runtime
            .block_on(executor::spawn({
                let world = world.clone();
                async move {
                    let mut random = Random(0x9e37_79b9_7f4a_7c15);
                    for _ in 0..POINTS {
                        let task = executor::spawn(work(world.clone(), random.fork(), 2));
                        yields(random.below(6)).await;
                        match random.below(4) {
                            0 => task.abort(),
                            1 => {
                                task.cancel("now");
                                yields(random.below(3)).await;
                                task.abort();
                            }
                            _ => task.cancel("now"),
                        }
                        if let Err(error) = task.await {
                            assert!(error.is_cancelled(), "{error}");
                        }
                    }
                }
            }))
            .unwrap();
        // What was aborted in a group that was dropped ends a little later.
        while world.drops.count() < world.made.load(SeqCst) {
            std::thread::yield_now();
        }
    });
    drop(runtime);
    assert_eq!(world.drops.count(), world.made.load(SeqCst));
}
