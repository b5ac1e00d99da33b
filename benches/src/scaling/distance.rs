//! How far apart two processors are: how long a line takes from one to the other and back.
//!
//! ```text
//! this thread    1 ──────▶ sees 2, writes 3 ──────▶ ..       the same word, and so the same line
//! the other      sees 1, writes 2 ──────▶ sees 3, writes 4
//! ```
//! A virtual machine's processors may be moved by its host, and be five times as far from each other as a minute before. Whatever two workers do
//! together then takes longer, and two runtimes side by side do not notice.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::contestants::Live;
use crate::programs::Program;

/// Times the line in place of a program: each of the program's operations is once there and back.
pub(super) struct Distance;

impl Live for Distance {
    fn time(&self, program: Program, repeats: u32) -> Result<Duration> {
        // Always as many turns: a program may have one operation or a million.
        let operations = program.operations() as f64 * f64::from(repeats);
        Ok(there_and_back().mul_f64(operations))
    }
}

/// Of several times, each of several turns, the middle one: a thread may have to wait for its processor.
fn there_and_back() -> Duration {
    let word = AtomicU32::new(0);
    // Relaxed: nothing but the word itself is handed over.
    let answer = |seen: u32| {
        let mut looks = 0_u32;
        while word.load(Relaxed) != seen {
            looks += 1;
            match looks % LOOKS {
                // Both threads may be on one processor.
                0 => thread::yield_now(),
                _ => spin_loop(),
            }
        }
        word.store(seen + 1, Relaxed);
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..=TIMES * TURNS).for_each(|turn| answer(2 * turn)));
        // Then the other thread is there.
        answer(1);
        let mut times: Vec<_> = (0..TIMES)
            .map(|time| {
                let start = Instant::now();
                (1..=TURNS).for_each(|turn| answer(2 * (time * TURNS + turn) + 1));
                start.elapsed() / TURNS
            })
            .collect();
        times.sort_unstable();
        times[times.len() / 2]
    })
}

const TIMES: u32 = 21;
const TURNS: u32 = 200;
const LOOKS: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_some_time_which_is_told_for_each_operation() {
        let operations = Program::ForkJoin.operations() as u32;
        let once = Distance.time(Program::ForkJoin, 1).unwrap() / operations;
        // Not divided once more: no processor does anything in a nanosecond.
        assert!(once > Duration::from_nanos(1), "{once:?}");
    }
}
