//! What a read-modify-write costs: of a line that several threads write, and of lines of their own.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

/// A line and its neighbour, which processors fetch together.
#[repr(align(128))]
#[derive(Default)]
struct Line(AtomicU64);

/// Nanoseconds from one `fetch_add` to the next of the same thread, while `threads` do so. `shared`: all to one line.
///
/// Of a shared line that is, divided by the number of threads, how long the line is taken each time.
pub(super) fn nanoseconds(threads: usize, shared: bool, each: u64) -> f64 {
    let lines: Vec<Line> = (0..threads).map(|_| Line::default()).collect();
    let ready = AtomicUsize::new(0);
    let run = |index: usize| {
        let line = &lines[if shared { 0 } else { index }].0;
        ready.fetch_add(1, Relaxed);
        while ready.load(Relaxed) < threads {
            spin_loop();
        }
        let start = Instant::now();
        for _ in 0..each {
            line.fetch_add(1, Relaxed);
        }
        start.elapsed().as_nanos() as f64 / each as f64
    };
    let times: Vec<f64> = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || run(index)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, f64>| thread.join().expect("it only adds");
        threads.into_iter().map(join).collect()
    });
    times.iter().sum::<f64>() / times.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_take_part() {
        assert!(nanoseconds(2, true, 1000) > 0.0);
        assert!(nanoseconds(1, false, 1000) > 0.0);
    }
}
