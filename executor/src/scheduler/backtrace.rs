//! Where another thread is: a signal makes it write that down, and whoever asked turns the addresses into names.
//!
//! ```text
//!   asker:    IDLE ──▶ ASKED, signal ─────────────────────────────────────▶ DONE: read, ──▶ IDLE
//!   handler:             └──────▶ NOTING ──addresses are written──▶ DONE ─────┘
//!   asker, impatient:    └──────▶ IDLE, if the handler has not begun: the thread does not answer
//! ```
//! One asker at a time in the process, under a lock; the handler takes none. It interrupts arbitrary code, so it does what is allowed there:
//! it walks the stack (which takes no lock with glibc 2.35 or later), and stores numbers. A handler that comes late, or on another thread,
//! finds no question that is its own.
//!
//! The signal is SIGURG, as in Go: debuggers let it pass, the C library does not use it, and a stray one is ignored by default.

use std::fmt::Write;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::kernel::Tid;

/// Prepares the process. It stays so.
///
/// # Errors
///
/// What the system says when it refuses the signal's handler.
pub(crate) fn prepare() -> io::Result<()> {
    static PREPARED: OnceLock<()> = OnceLock::new();
    if PREPARED.get().is_some() {
        return Ok(());
    }
    // The first walk may load a library, and allocate: not in a handler.
    backtrace::trace(|_| true);
    // SAFETY: `note` does only what a handler may, as said at the top of this file.
    unsafe { signal_hook_registry::register(SIGNAL, note) }?;
    // Should two threads come here at once, the second handler finds nothing to do.
    let _ = PREPARED.set(());
    Ok(())
}

/// Where the thread is, one line for each function, the innermost first. `None`: it has not answered, because it is in an uninterruptible
/// wait, has ended, or blocks signals.
pub(super) fn of(tid: Tid) -> Option<String> {
    static ASKERS: Mutex<()> = Mutex::new(());
    let _alone = ASKERS.lock();
    ASKED_OF.store(tid.0, Relaxed);
    // Release: pairs with the Acquire in `note`, which then reads of whom was asked.
    STATE.store(ASKED, Release);
    // SAFETY: a system call with numbers; the signal has a handler.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid.0, SIGNAL) } == 0;
    let patience = Instant::now() + PATIENCE;
    // Acquire: pairs with the Release of `note`, after which the addresses are there.
    while STATE.load(Acquire) != DONE {
        let give_up = !sent || Instant::now() > patience;
        // One that has begun is quick, but for what the system's scheduler does to it.
        if give_up && STATE.compare_exchange(ASKED, IDLE, AcqRel, Acquire).is_ok() {
            return None;
        }
        thread::sleep(Duration::from_micros(100));
    }
    let count = COUNT.load(Relaxed).min(FRAMES.len());
    let frames = FRAMES[..count].iter().map(|frame| frame.load(Relaxed));
    let text = names(frames);
    STATE.store(IDLE, Relaxed);
    Some(text)
}

/// The handler.
fn note() {
    // Acquire: pairs with the Release of `of`.
    if STATE.load(Acquire) != ASKED || ASKED_OF.load(Relaxed) != Tid::current().0 {
        return;
    }
    if STATE
        .compare_exchange(ASKED, NOTING, AcqRel, Acquire)
        .is_err()
    {
        return;
    }
    let mut count = 0;
    // SAFETY: other walks may be under way on other threads; with the walker of this platform they share nothing.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            FRAMES[count].store(frame.ip() as usize, Relaxed);
            count += 1;
            count < FRAMES.len()
        });
    }
    COUNT.store(count, Relaxed);
    // Release: pairs with the Acquire of `of`.
    STATE.store(DONE, Release);
}

/// The user's part: without the handler's own frames, and without the runtime's below the task.
fn names(frames: impl Iterator<Item = usize>) -> String {
    let mut lines = Vec::new();
    for frame in frames {
        let mut named = false;
        backtrace::resolve(frame as *mut _, |symbol| {
            let Some(name) = symbol.name() else { return };
            // The hash at its end says nothing to a reader.
            let mut line = format!("{name:#}");
            if let (Some(file), Some(number)) = (symbol.filename(), symbol.lineno()) {
                let _ = write!(line, " at {}:{number}", file.display());
            }
            lines.push(line);
            named = true;
        });
        if !named {
            lines.push(format!("{frame:#x}"));
        }
    }
    let end = lines
        .iter()
        .position(|line| line.contains("executor::task::harness::"))
        .unwrap_or(lines.len());
    // What the handler calls is ours, and the system's return from it has one of these names, or none.
    let begin = lines[..end]
        .iter()
        .rposition(|line| line.contains("signal_hook_registry") || line.contains("restore_rt"))
        .map_or(0, |last| last + 1);
    lines[begin..end].join("\n")
}

const SIGNAL: libc::c_int = libc::SIGURG;

/// How long a thread may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

static STATE: AtomicU32 = AtomicU32::new(IDLE);
static ASKED_OF: AtomicU32 = AtomicU32::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);
static FRAMES: [AtomicUsize; 96] = [const { AtomicUsize::new(0) }; 96];

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const NOTING: u32 = 2;
const DONE: u32 = 3;
