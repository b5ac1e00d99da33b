//! A 1 ms ticker beside four tasks that keep their threads.
//!
//! The deadline of each tick is the time of the last one and 1 ms. So an interval is 1 ms and the lateness of the tick that ends it, and
//! a late tick does not make the next interval short.
//!
//! ```text
//!   ticks    | |  stalls begin | |        |    | | | |      |      ⟩ end
//!                              ├─ 1st second ─┤├── the figures ───┤
//! ```
//!
//! An interval belongs to where it ends; one that begins in the first second belongs to that, too. The last interval, which nobody sees
//! the end of, counts with what it has reached once it is longer than 1 ms. Without any tick after the first second there are no
//! figures: never.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::milliseconds;
use crate::cli::Options;
use crate::peers::Sockets;
use crate::stats::quantile;

/// What the ticker's neighbours do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Block the thread, in the kernel.
    Blocking,
    /// Keep the processor busy, and never return from their poll.
    Spinning,
}

/// The ticks so far.
pub(super) type Ticks = Arc<Mutex<Vec<Instant>>>;

pub(super) fn beside<R: Sockets>(runtime: &R, beside: Beside, options: &Options) -> Vec<f64> {
    let (first, length) = (first_second(options), options.length);
    let ticks = Ticks::default();
    runtime.block_on(async { R::spawn_detached(tick::<R>(ticks.clone())) });
    thread::sleep(SETTLE);
    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..NEIGHBOURS {
            match beside {
                Beside::Blocking => R::spawn_detached(block::<R>()),
                Beside::Spinning => R::spawn_detached(spin()),
            }
        }
    });
    // This thread is no part of the runtime, and ends the measurement whatever that does.
    thread::sleep((start + first + length).saturating_duration_since(Instant::now()));
    let end = Instant::now();
    let ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
    let since_start = |tick: &Instant| match tick.checked_duration_since(start) {
        Some(after) => milliseconds(after),
        None => -milliseconds(start - *tick),
    };
    let ticks: Vec<f64> = ticks.iter().map(since_start).collect();
    figures(&ticks, milliseconds(first), milliseconds(end - start))
}

/// Ticks for ever.
pub(super) async fn tick<R: Sockets>(ticks: Ticks) {
    let mut last = Instant::now();
    loop {
        R::sleep_until(last + PERIOD).await;
        last = Instant::now();
        // Nobody else locks it before the end.
        ticks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(last);
    }
}

async fn block<R: Sockets>() {
    loop {
        thread::sleep(BLOCK);
        R::yield_now().await;
    }
}

async fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

/// The figures of [`Scenario::Blocking`](super::Scenario::Blocking) from the times of the ticks, those before the stalls included, in
/// milliseconds since the stalls began.
pub(super) fn figures(ticks: &[f64], first: f64, end: f64) -> Vec<f64> {
    let ticks: Vec<f64> = ticks.iter().copied().filter(|&tick| tick <= end).collect();
    let last = ticks.last().copied().unwrap_or(0.0);
    let seen = ticks.windows(2).map(|pair| (pair[0], pair[1]));
    let open = (end - last > milliseconds(PERIOD)).then_some((last, end));
    let intervals: Vec<(f64, f64)> = seen.chain(open).collect();
    let in_first = |&&(begin, stop): &&(f64, f64)| begin < first && stop > 0.0;
    let worst_at_first = match open {
        // It began in the first second, and has not ended.
        Some((begin, _)) if begin < first => f64::INFINITY,
        _ => intervals
            .iter()
            .filter(in_first)
            .map(|(begin, stop)| stop - begin)
            .fold(0.0, f64::max),
    };
    let counted = ticks.iter().filter(|&&tick| tick > first).count();
    let mut later: Vec<f64> = intervals
        .iter()
        .filter(|(_, stop)| *stop > first)
        .map(|(begin, stop)| stop - begin)
        .collect();
    if counted == 0 {
        later = vec![f64::INFINITY];
    }
    later.sort_by(f64::total_cmp);
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|q| quantile(&later, q));
    let per_second = counted as f64 * 1e3 / (end - first);
    vec![worst_at_first, p50, p99, p999, max, per_second]
}

/// What "the first second" is: that, but for a look whether everything runs.
pub(super) fn first_second(options: &Options) -> Duration {
    Duration::from_millis(if options.smoke { 100 } else { 1000 })
}

/// How long the ticker runs before the stalls.
const SETTLE: Duration = Duration::from_millis(100);
const PERIOD: Duration = Duration::from_millis(1);
const NEIGHBOURS: usize = 4;
const BLOCK: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    /// Worst in the first second, p50, max, ticks per second; the first second is 10 ms long here.
    fn some(ticks: &[f64], end: f64) -> [f64; 4] {
        let figures = figures(ticks, 10.0, end);
        [figures[0], figures[1], figures[4], figures[5]]
    }

    #[test]
    fn intervals_are_those_between_ticks() {
        let ticks = [-0.5, 3.5, 9.0, 12.0, 13.0, 14.0, 15.0];
        assert_eq!(some(&ticks, 15.5), [5.5, 1.0, 3.0, 4.0 * 1e3 / 5.5]);
    }

    #[test]
    fn a_ticker_that_never_ticks_has_no_figures() {
        let never = f64::INFINITY;
        assert_eq!(some(&[-0.5], 100.0), [never, never, never, 0.0]);
        assert_eq!(some(&[-0.5, 2.0], 100.0), [never, never, never, 0.0]);
        assert_eq!(some(&[], 100.0), [never, never, never, 0.0]);
    }

    #[test]
    fn the_last_interval_counts_with_what_it_has_reached() {
        let ticks = [-0.5, 1.0, 11.0, 12.0];
        assert_eq!(some(&ticks, 40.0)[..3], [10.0, 10.0, 28.0]);
    }
}
