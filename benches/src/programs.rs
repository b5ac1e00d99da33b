//! The seven programs, small, and each leans on another part of a scheduler; and two more beside them.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::channel::{mpsc, oneshot};
use futures::future::BoxFuture;
use futures::{SinkExt, StreamExt};

use crate::Result;
use crate::peers::Runtime;

/// One of the programs. README.md says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    SpawnMany,
    YieldMany,
    PingPong,
    ChainedSpawn,
    Fib,
    Channels,
    Remote,
    SelfWakeMany,
    ForkJoin,
}

impl Program {
    /// Those that have a geometric mean.
    pub(crate) const SEVEN: [Self; 7] = [
        Self::SpawnMany,
        Self::YieldMany,
        Self::PingPong,
        Self::ChainedSpawn,
        Self::Fib,
        Self::Channels,
        Self::Remote,
    ];

    /// With the one whose tasks yield in the same way on all runtimes.
    pub(crate) const AND_SELF_WAKE: [Self; 8] = Self::seven_and(Self::SelfWakeMany);

    /// With the one whose tasks have work to do, for `compare scaling`.
    pub(crate) const AND_WORK: [Self; 8] = Self::seven_and(Self::ForkJoin);

    const ALL: [Self; 9] = {
        let [a, b, c, d, e, f, g, h] = Self::AND_SELF_WAKE;
        [a, b, c, d, e, f, g, h, Self::ForkJoin]
    };

    const fn seven_and(one: Self) -> [Self; 8] {
        let [a, b, c, d, e, f, g] = Self::SEVEN;
        [a, b, c, d, e, f, g, one]
    }

    /// Whether its ratio is one of those that have a geometric mean.
    pub(crate) fn is_of_seven(self) -> bool {
        Self::SEVEN.contains(&self)
    }

    /// Goroutines have no waker.
    pub(crate) fn is_in_go(self) -> bool {
        self != Self::SelfWakeMany
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|program| program.name() == name);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no program is called {name}: {names}").into()
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SpawnMany => "spawn_many",
            Self::YieldMany => "yield_many",
            Self::PingPong => "ping_pong",
            Self::ChainedSpawn => "chained_spawn",
            Self::Fib => "fib",
            Self::Channels => "channels",
            Self::Remote => "remote",
            Self::SelfWakeMany => "self_wake_many",
            Self::ForkJoin => "fork_join",
        }
    }

    /// How many operations one run of the program is.
    pub(crate) fn operations(self) -> u64 {
        match self {
            Self::SpawnMany | Self::Remote => SPAWNED as u64,
            Self::YieldMany | Self::SelfWakeMany => (YIELDERS * YIELDS) as u64,
            Self::PingPong => PAIRS as u64,
            Self::ChainedSpawn => CHAIN as u64,
            Self::Fib => fib_calls(FIB),
            Self::Channels => 2 * ROUND_TRIPS,
            Self::ForkJoin => LEAVES,
        }
    }

    /// How long `repeats` runs, one after the other, take.
    pub(crate) fn time<R: Runtime>(self, runtime: &R, repeats: u32) -> Duration {
        match self {
            Self::SpawnMany => inside(runtime, repeats, spawn_many::<R>),
            Self::YieldMany => inside(runtime, repeats, || yielders::<R, _>(R::yield_now)),
            Self::PingPong => inside(runtime, repeats, ping_pong::<R>),
            Self::ChainedSpawn => inside(runtime, repeats, chained_spawn::<R>),
            Self::Fib => inside(runtime, repeats, fib::<R>),
            Self::Channels => inside(runtime, repeats, channels::<R>),
            // It wakes its task and is pending once: for each runtime a wake-up like any other.
            Self::SelfWakeMany => inside(runtime, repeats, || {
                yielders::<R, _>(futures_lite::future::yield_now)
            }),
            Self::ForkJoin => inside(runtime, repeats, fork_join::<R>),
            Self::Remote => runtime.block_on(repeat(repeats, spawn_many::<R>)),
        }
    }
}

/// Runs `program` in a task, so that all of it happens on workers. The thread of `block_on` sleeps meanwhile.
fn inside<R, F, P>(runtime: &R, repeats: u32, program: F) -> Duration
where
    R: Runtime,
    F: Fn() -> P + Send + 'static,
    P: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async { R::spawn(repeat(repeats, program)).await })
}

async fn repeat<P: Future<Output = ()>>(repeats: u32, program: impl Fn() -> P) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        program().await;
    }
    start.elapsed()
}

async fn spawn_many<R: Runtime>() {
    let (countdown, done) = Countdown::from(SPAWNED);
    for _ in 0..SPAWNED {
        let countdown = countdown.clone();
        R::spawn_detached(async move { countdown.decrement() });
    }
    done.await.expect(NOT_LOST);
}

async fn yielders<R: Runtime, Y: Future<Output = ()> + Send + 'static>(
    yield_now: impl Fn() -> Y + Copy + Send + Sync + 'static,
) {
    let (countdown, done) = Countdown::from(YIELDERS);
    for _ in 0..YIELDERS {
        let countdown = countdown.clone();
        R::spawn_detached(async move {
            for _ in 0..YIELDS {
                yield_now().await;
            }
            countdown.decrement();
        });
    }
    done.await.expect(NOT_LOST);
}

async fn ping_pong<R: Runtime>() {
    let (countdown, done) = Countdown::from(PAIRS);
    for _ in 0..PAIRS {
        let countdown = countdown.clone();
        R::spawn_detached(async move {
            let (ping, pinged) = oneshot::channel();
            let (pong, ponged) = oneshot::channel();
            R::spawn_detached(async move {
                pinged.await.expect(NOT_LOST);
                pong.send(()).expect(NOT_LOST);
            });
            ping.send(()).expect(NOT_LOST);
            ponged.await.expect(NOT_LOST);
            countdown.decrement();
        });
    }
    done.await.expect(NOT_LOST);
}

async fn chained_spawn<R: Runtime>() {
    let (last, done) = oneshot::channel();
    link::<R>(CHAIN, last);
    done.await.expect(NOT_LOST);
}

fn link<R: Runtime>(left: usize, last: oneshot::Sender<()>) {
    if left == 0 {
        last.send(()).expect(NOT_LOST);
    } else {
        R::spawn_detached(async move { link::<R>(left - 1, last) });
    }
}

async fn fib<R: Runtime>() {
    assert_eq!(fib_of::<R>(FIB).await, 2584, "the {FIB}th Fibonacci number");
}

fn fib_of<R: Runtime>(n: u64) -> BoxFuture<'static, u64> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let child = R::spawn(fib_of::<R>(n - 1));
        let here = fib_of::<R>(n - 2).await;
        child.await + here
    })
}

async fn channels<R: Runtime>() {
    let (mut ping, mut pings) = mpsc::channel(1);
    let (mut pong, mut pongs) = mpsc::channel(1);
    R::spawn_detached(async move {
        while let Some(message) = pings.next().await {
            pong.send(message).await.expect(NOT_LOST);
        }
    });
    for message in 0..ROUND_TRIPS {
        ping.send(message).await.expect(NOT_LOST);
        assert_eq!(pongs.next().await, Some(message));
    }
}

async fn fork_join<R: Runtime>() {
    black_box(halves::<R>(1, LEAVES).await);
}

/// The sum of the work of the leaves from `first` on.
fn halves<R: Runtime>(first: u64, count: u64) -> BoxFuture<'static, u64> {
    Box::pin(async move {
        if count == 1 {
            return work(first);
        }
        let half = count / 2;
        let child = R::spawn(halves::<R>(first, half));
        let here = halves::<R>(first + half, count - half).await;
        here.wrapping_add(child.await)
    })
}

/// About a microsecond of a chain of shifts that cannot be shortened.
fn work(seed: u64) -> u64 {
    (0..STEPS).fold(seed, |mut state, _| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^ state << 17
    })
}

/// Fires a oneshot when the last of several tasks is done.
struct Countdown {
    left: AtomicUsize,
    sender: std::sync::Mutex<Option<oneshot::Sender<()>>>,
}

impl Countdown {
    fn from(tasks: usize) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (sender, done) = oneshot::channel();
        let sender = std::sync::Mutex::new(Some(sender));
        (
            Arc::new(Self {
                left: AtomicUsize::new(tasks),
                sender,
            }),
            done,
        )
    }

    fn decrement(&self) {
        // Relaxed: the tasks share nothing but the count, and only the last one touches the sender.
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let sender = self.sender.lock().expect(NOT_LOST).take();
            sender.expect(NOT_LOST).send(()).expect(NOT_LOST);
        }
    }
}

fn fib_calls(n: u64) -> u64 {
    if n < 2 {
        1
    } else {
        1 + fib_calls(n - 1) + fib_calls(n - 2)
    }
}

const SPAWNED: usize = 10_000;
const YIELDERS: usize = 200;
const YIELDS: usize = 1000;
const PAIRS: usize = 1000;
const CHAIN: usize = 1000;
const FIB: u64 = 18;
/// Two messages each.
const ROUND_TRIPS: u64 = 1000;
const LEAVES: u64 = 1024;
const STEPS: u64 = 500;

const NOT_LOST: &str = "the other end waits for this message";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestants::Contestant;
    use crate::patience::within_limit;

    #[test]
    fn every_program_ends_on_every_runtime() {
        for contestant in Contestant::ALL {
            let runtime = (contestant.start)(2).unwrap();
            for program in Program::ALL {
                let what = format!("{} on {}", program.name(), contestant.name);
                let taken = within_limit(&what, || runtime.time(program, 2)).unwrap();
                assert!(taken > Duration::ZERO, "{what}");
            }
        }
    }

    #[test]
    fn fib_18_is_8361_calls() {
        assert_eq!(fib_calls(18), 8361);
    }
}
