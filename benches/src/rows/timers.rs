//! Timers: those that never fire, as most of a server's do; those that fire all at once; and how late one is.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures_lite::future::yield_now;

use super::Row;
use super::meter::{COST, per_operation};
use crate::Result;
use crate::cli::Options;
use crate::peers::Timers;
use crate::process::Usage;
use crate::random::Random;
use crate::report::counted;
use crate::stats::quantile;

pub(super) fn rows<R: Timers>(options: &Options) -> Vec<Row> {
    let mut numbers = vec![1, options.workers];
    numbers.dedup();
    let waiting = if options.smoke { 1024 } else { 65_536 };
    let firing = if options.smoke { 5000 } else { 500_000 };
    let cost = |name: &str, title: &str, workers, work: fn(u32) -> Work| {
        let title = format!(
            "{title}; {waiting} others wait; {}",
            counted(workers, "worker")
        );
        Row::new(format!("{name}-{workers}w"), title, &COST, move |options| {
            beside::<R>(options, workers, waiting, work)
        })
    };
    let mut rows = Vec::new();
    for (name, title, work) in [
        (
            "create-cancel",
            "create, poll once, drop",
            (|repeats| cancel::<R>(repeats, TIMEOUT)) as fn(u32) -> Work,
        ),
        (
            "create-cancel-first",
            "the same, due before all others",
            |repeats| cancel::<R>(repeats, FIRST),
        ),
        (
            "reset",
            "a timer that waits gets a later deadline, and is polled where it must be",
            |repeats| reset::<R>(repeats, R::POLL_AFTER_RESET),
        ),
        (
            "reset-poll",
            "a timer that waits gets a later deadline and is polled",
            |repeats| reset::<R>(repeats, true),
        ),
    ] {
        rows.extend(
            numbers
                .iter()
                .map(|&workers| cost(name, title, workers, work)),
        );
    }
    let levels = levels(options);
    let mut metrics: Vec<_> = levels.iter().map(|n| format!("{n} wait, ns/op")).collect();
    metrics.push("last / first".to_owned());
    let metrics: Vec<_> = metrics.iter().map(String::as_str).collect();
    let title = "create, poll once, drop; 1 worker, as ever more others wait";
    let pending = Row::new("pending", title, &metrics, pending::<R>);
    rows.push(pending.rounds_at_most(SELDOM));
    let title = format!("{firing} tasks, each sleeps once; all end within a second");
    let expiry = Row::new("expiry", title, &EXPIRY, move |options| {
        expiry::<R>(options, firing)
    });
    rows.push(expiry.rounds_at_most(SELDOM));
    for (name, duration, samples) in [
        ("sleep-200us", Duration::from_micros(200), 2000),
        ("sleep-5ms", Duration::from_millis(5), 400),
    ] {
        let samples = if options.smoke { 20 } else { samples };
        let title = format!("{samples} times sleep({duration:?}) and nothing else: lateness");
        rows.push(Row::new(name, title, &LATENESS, move |options| {
            lateness::<R>(options.workers, duration, samples)
        }));
    }
    rows
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The cost of `work` on all workers at once, while `waiting` timers wait that do not fire.
fn beside<R: Timers>(
    options: &Options,
    workers: usize,
    waiting: usize,
    work: fn(u32) -> Work,
) -> Result<Vec<f64>> {
    let runtime = R::start(workers)?;
    let start = Instant::now();
    let mut others = Vec::new();
    register(&runtime, &mut others, waiting);
    let cost = per_operation(options, BATCH as u64, workers, |repeats| {
        on_all(&runtime, workers, move || work(repeats))
    });
    none_fired(start)?;
    // One by one would take long, and the process ends.
    mem::forget((runtime, others));
    cost
}

/// What `counts` counts: on one worker, while others wait, so often [`BATCH`] timers.
pub(super) fn cancels<R: Timers>(repeats: u32) -> Result {
    let runtime = R::start(1)?;
    let mut others = Vec::new();
    register(&runtime, &mut others, 1024);
    on_all(&runtime, 1, || cancel::<R>(repeats, TIMEOUT));
    Ok(())
}

/// How long a task on each worker takes, all at the same time.
fn on_all<R: Timers>(runtime: &R, workers: usize, work: impl Fn() -> Work) -> Duration {
    let tasks: Vec<_> = (0..workers).map(|_| work()).collect();
    runtime.block_on(async move {
        R::spawn(async move {
            let start = Instant::now();
            let tasks: Vec<_> = tasks.into_iter().map(R::spawn).collect();
            for task in tasks {
                task.await;
            }
            start.elapsed()
        })
        .await
    })
}

/// Makes `timers` `total` timers that wait, for one task.
fn register<R: Timers>(runtime: &R, timers: &mut Vec<Pin<Box<R::Timer>>>, total: usize) {
    let mut moved = mem::take(timers);
    *timers = runtime.block_on(async move {
        R::spawn(async move {
            let mut random = Random::new(total as u64);
            let (first, last) = (AWAY.as_micros() as u64, TIMEOUT.as_micros() as u64);
            while moved.len() < total {
                let micros = first + random.below(last - first);
                let mut timer = Box::pin(R::timer(Duration::from_micros(micros)));
                assert!(is_pending(timer.as_mut()).await, "it is minutes away");
                moved.push(timer);
                if moved.len().is_multiple_of(BATCH) {
                    yield_now().await;
                }
            }
            moved
        })
        .await
    });
}

/// Polls once, as the task that runs this.
async fn is_pending(mut timer: Pin<&mut impl Future<Output = ()>>) -> bool {
    poll_fn(|cx| Poll::Ready(timer.as_mut().poll(cx).is_pending())).await
}

/// A server's pattern: the timeout of a request that ends in time.
fn cancel<R: Timers>(repeats: u32, timeout: Duration) -> Work {
    Box::pin(async move {
        for _ in 0..repeats {
            for _ in 0..BATCH {
                let timer = pin!(R::timer(timeout));
                assert!(is_pending(timer).await, "it is minutes away");
            }
            // So that no poll is long. The task wakes itself, which does not look for events as a runtime's own yield may.
            yield_now().await;
        }
    })
}

fn reset<R: Timers>(repeats: u32, poll: bool) -> Work {
    Box::pin(async move {
        let mut timer = pin!(R::timer(TIMEOUT));
        assert!(is_pending(timer.as_mut()).await, "it is minutes away");
        for _ in 0..repeats {
            for _ in 0..BATCH {
                R::reset(timer.as_mut(), Instant::now() + TIMEOUT);
                if poll {
                    assert!(is_pending(timer.as_mut()).await, "it is minutes away");
                }
            }
            yield_now().await;
        }
    })
}

/// How many timers wait.
fn levels(options: &Options) -> [usize; 4] {
    match options.smoke {
        true => [100, 200, 400, 800],
        false => [10_000, 100_000, 1_000_000, 10_000_000],
    }
}

fn pending<R: Timers>(options: &Options) -> Result<Vec<f64>> {
    let runtime = R::start(1)?;
    let start = Instant::now();
    let mut timers = Vec::new();
    let mut figures = Vec::new();
    for level in levels(options) {
        register(&runtime, &mut timers, level);
        let cost = per_operation(options, BATCH as u64, 1, |repeats| {
            on_all(&runtime, 1, move || cancel::<R>(repeats, TIMEOUT))
        })?;
        figures.push(cost[0]);
    }
    none_fired(start)?;
    mem::forget((runtime, timers));
    figures.push(figures[figures.len() - 1] / figures[0]);
    Ok(figures)
}

fn none_fired(start: Instant) -> Result {
    match start.elapsed() < AWAY {
        true => Ok(()),
        false => Err("too slow: timers that were to wait have fired".into()),
    }
}

/// Tasks sleep until random times in one window; what that costs from before its beginning to the end of the last.
fn expiry<R: Timers>(options: &Options, count: usize) -> Result<Vec<f64>> {
    let (ahead, window) = match options.smoke {
        true => (Duration::from_millis(500), Duration::from_millis(100)),
        false => (Duration::from_secs(5), Duration::from_secs(1)),
    };
    let runtime = R::start(options.workers)?;
    let begin = Instant::now() + ahead;
    let (last, ended) = oneshot::channel();
    let fired = Arc::new(Fired::new(count, last));
    let sleeping = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let (fired, sleeping) = (fired.clone(), sleeping.clone());
        R::spawn(async move {
            let mut random = Random::new(1);
            for index in 0..count {
                let deadline = begin + Duration::from_nanos(random.below(window.as_nanos() as u64));
                let (fired, sleeping) = (fired.clone(), sleeping.clone());
                R::spawn_detached(async move {
                    let mut timer = pin!(R::timer_until(deadline));
                    if is_pending(timer.as_mut()).await {
                        sleeping.fetch_add(1, Relaxed);
                    }
                    timer.await;
                    fired.note(index, deadline);
                });
                if index.is_multiple_of(BATCH) {
                    yield_now().await;
                }
            }
        })
        .await;
    });
    thread::sleep((begin - Duration::from_millis(50)).saturating_duration_since(Instant::now()));
    // Relaxed: what is late to be seen is late to sleep.
    if sleeping.load(Relaxed) < count || Instant::now() > begin {
        return Err("too slow: not all tasks slept before the first was to wake up".into());
    }
    let before = Usage::of_this_process()?;
    runtime.block_on(ended)?;
    let used = Usage::of_this_process()?.since(before);
    mem::forget(runtime);
    let (early, late) = fired.lateness();
    Ok(vec![
        (used.user + used.system).as_secs_f64() * 1e6 / count as f64,
        quantile(&late, 0.5) / 1e6,
        quantile(&late, 0.99) / 1e6,
        quantile(&late, 1.0) / 1e6,
        early as f64,
    ])
}

const EXPIRY: [&str; 5] = [
    "CPU us for each",
    "p50 lateness, ms",
    "p99 lateness, ms",
    "max lateness, ms",
    "early",
];

/// How late each of several tasks was; the last of them says so.
struct Fired {
    /// Nanoseconds and 1: 0 is too early.
    late: Vec<AtomicU64>,
    left: AtomicUsize,
    last: std::sync::Mutex<Option<oneshot::Sender<()>>>,
}

impl Fired {
    fn new(count: usize, last: oneshot::Sender<()>) -> Self {
        Self {
            late: (0..count).map(|_| AtomicU64::new(0)).collect(),
            left: AtomicUsize::new(count),
            last: std::sync::Mutex::new(Some(last)),
        }
    }

    fn note(&self, index: usize, deadline: Instant) {
        if let Some(late) = Instant::now().checked_duration_since(deadline) {
            // Relaxed: whoever reads it has seen the end of all tasks, by the count.
            self.late[index].store(late.as_nanos() as u64 + 1, Relaxed);
        }
        // AcqRel: the last one has what the others stored, and passes it on by the channel.
        if self.left.fetch_sub(1, std::sync::atomic::Ordering::AcqRel) == 1 {
            let mut last = self.last.lock().expect("nobody panics here");
            let last = last.take().expect("there is one last task");
            last.send(()).expect("it is waited for");
        }
    }

    /// How many were early, and nanoseconds of the others, sorted.
    fn lateness(&self) -> (usize, Vec<f64>) {
        let all = self.late.iter().map(|late| late.load(Relaxed));
        let (early, late): (Vec<u64>, Vec<u64>) = all.partition(|&late| late == 0);
        let mut late: Vec<f64> = late.into_iter().map(|late| (late - 1) as f64).collect();
        late.sort_by(f64::total_cmp);
        (early.len(), late)
    }
}

/// One task sleeps over and over on a runtime that has nothing else to do.
fn lateness<R: Timers>(workers: usize, duration: Duration, samples: usize) -> Result<Vec<f64>> {
    let runtime = R::start(workers)?;
    let before = Usage::of_this_process()?;
    let (early, mut late) = runtime.block_on(async move {
        R::spawn(async move {
            let (mut early, mut late) = (0, Vec::with_capacity(samples));
            for _ in 0..samples {
                let start = Instant::now();
                R::timer(duration).await;
                match start.elapsed().checked_sub(duration) {
                    Some(lateness) => late.push(lateness.as_nanos() as f64 / 1e3),
                    None => early += 1,
                }
            }
            (early, late)
        })
        .await
    });
    let used = Usage::of_this_process()?.since(before);
    mem::forget(runtime);
    late.sort_by(f64::total_cmp);
    Ok(vec![
        quantile(&late, 0.5),
        quantile(&late, 0.99),
        quantile(&late, 1.0),
        f64::from(early),
        (used.user + used.system).as_secs_f64() * 1e6 / samples as f64,
        used.voluntary_switches as f64 / samples as f64,
    ])
}

const LATENESS: [&str; 6] = [
    "p50, us",
    "p99, us",
    "max, us",
    "early",
    "CPU us for each",
    "sleeps of threads for each",
];

/// What is registered and polled between two chances for others.
pub(super) const BATCH: usize = 256;
/// Timers that wait are due between these two; those that are made and dropped are due last, or first.
const AWAY: Duration = Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(600);
const FIRST: Duration = Duration::from_secs(30);
/// Rounds of what takes many seconds.
const SELDOM: usize = 3;
