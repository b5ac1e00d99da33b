//! The command `compare` with a clock that runs as slowly as valgrind's processor. `compare counts` starts it.
//!
//! Under valgrind a program takes some fifty times as long, but the system's clock goes on as ever: a worker that does maintenance every 50 µs
//! finds them over after each task or two, and how many instructions that takes varies from run to run. By this clock as many operations
//! lie between two maintenances as there are without valgrind.

use std::cell::Cell;
use std::process::ExitCode;
use std::sync::OnceLock;

use libc::{CLOCK_MONOTONIC, c_int, clockid_t, timespec};

fn main() -> ExitCode {
    executor_benches::report_failure("paced", executor_benches::run(std::env::args_os()))
}

/// What this program calls in place of the C library's, which answers by the true clock.
///
/// # Safety
///
/// As for the C library's: `time` may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the system writes no more than the caller allows.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) } as c_int;
    if result == 0 && clock == CLOCK_MONOTONIC && is_paced() {
        // SAFETY: the caller's, and the system has just written it.
        let time = unsafe { &mut *time };
        let now = time.tv_sec * SECOND + time.tv_nsec;
        let start = *START.get_or_init(|| now);
        let slow = start + (now - start) / SLOWER;
        (time.tv_sec, time.tv_nsec) = (slow / SECOND, slow % SECOND);
    }
    result
}

/// Not the thread of the guard: it waits by this clock, and the system, which ends its waits, by the true one, so that each would end at once.
fn is_paced() -> bool {
    thread_local! {
        static PACED: Cell<Option<bool>> = const { Cell::new(None) };
    }
    PACED.get().unwrap_or_else(|| {
        let mut name = [0_u8; 16];
        // SAFETY: the system writes 16 bytes at most.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        let paced = !name.starts_with(GUARD);
        PACED.set(Some(paced));
        paced
    })
}

static START: OnceLock<i64> = OnceLock::new();
const SECOND: i64 = 1_000_000_000;
const SLOWER: i64 = 50;
const GUARD: &[u8] = b"executor-guard";
