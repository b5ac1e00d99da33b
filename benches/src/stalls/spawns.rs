//! Single spawns from a thread outside of the runtime, each after a random gap below 200 µs, while the workers fall asleep.
//!
//! The next task is spawned when the last has answered, so nothing but its own wake-up can bring a task to a worker: one that is lost
//! stays lost. Its latency goes from before the spawn to its first poll.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::milliseconds;
use crate::Result;
use crate::peers::Sockets;
use crate::random::Random;
use crate::stats::quantile;

/// Puts this process on one core, and four busy threads, which take what they get.
pub(super) fn share_one_core() -> io::Result<()> {
    pin_to_one_core()?;
    for _ in 0..4 {
        thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    Ok(())
}

pub(super) fn single<R: Sockets>(runtime: Arc<R>, count: usize) -> Result<Vec<f64>> {
    let latencies = Arc::new(Mutex::new(Vec::with_capacity(count)));
    let answered = Arc::new(AtomicU64::new(0));
    let spawner = {
        let (latencies, answered) = (latencies.clone(), answered.clone());
        thread::spawn(move || {
            for latency in spawn_all(&*runtime, count) {
                let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
                latencies.push(milliseconds(latency));
                // Relaxed: whoever wants the latencies locks them.
                answered.fetch_add(1, Relaxed);
            }
        })
    };
    let lost = !ends(&spawner, &answered);
    let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
    latencies.sort_by(f64::total_cmp);
    if latencies.is_empty() {
        return Err("the first task was lost".into());
    }
    let late = latencies.iter().filter(|&&latency| latency > 100.0).count();
    let [p50, p999, max] = [0.5, 0.999, 1.0].map(|q| quantile(&latencies, q));
    Ok(vec![
        f64::from(u8::from(lost)),
        late as f64,
        p50 * 1e3,
        p999 * 1e3,
        max,
    ])
}

fn spawn_all<R: Sockets>(runtime: &R, count: usize) -> impl Iterator<Item = Duration> {
    let mut random = Random::new(1);
    (0..count).map(move |_| {
        let start = Instant::now();
        let gap = Duration::from_nanos(random.below(LONGEST_GAP.as_nanos() as u64));
        while start.elapsed() < gap {
            std::hint::spin_loop();
        }
        let spawned = Instant::now();
        let run = runtime.block_on(async { R::spawn(async { Instant::now() }).await });
        run - spawned
    })
}

/// Waits for the end of `spawner`. False: it makes no progress any more, because a task was lost.
fn ends(spawner: &thread::JoinHandle<()>, answered: &AtomicU64) -> bool {
    let mut seen = (answered.load(Relaxed), Instant::now());
    while !spawner.is_finished() {
        thread::sleep(Duration::from_millis(50));
        let now = answered.load(Relaxed);
        if now != seen.0 {
            seen = (now, Instant::now());
        } else if seen.1.elapsed() > LOST {
            return false;
        }
    }
    true
}

/// This thread, and all that it starts from now on.
fn pin_to_one_core() -> io::Result<()> {
    // SAFETY: an all-zero set is a valid, empty one.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: the set is a local variable of the size given; 0 is this thread.
    if unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let cores = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: the numbers are below the set's size.
    let allowed = cores
        .into_iter()
        .find(|&core| unsafe { libc::CPU_ISSET(core, &set) });
    let core = allowed.ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: as above.
    unsafe {
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(core, &mut set);
    }
    // SAFETY: as for `sched_getaffinity`.
    match unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const LONGEST_GAP: Duration = Duration::from_micros(200);
/// A task that has not run for so long never will.
const LOST: Duration = Duration::from_secs(10);
