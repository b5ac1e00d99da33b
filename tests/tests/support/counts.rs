//! Counts what the process holds of the system: threads and descriptors.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How many threads this process has. Meaningful in a child process only: tests run side by side. A thread that was joined may
/// be counted a moment longer, so wait for a number with [`until`].
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// The names of this process's threads, each at most 15 bytes long.
pub(crate) fn thread_names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread may end between the two reads.
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.map(|name| name.trim_end().to_owned()).collect()
}

/// How many descriptors this process may have, and those it starts: as many as the system lets them.
pub(crate) fn more_descriptors() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointers are to a local value of the right type.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
    usize::try_from(limit.rlim_max).unwrap_or(usize::MAX)
}

/// How many descriptors this process has open, the one that this takes included.
pub(crate) fn fds() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Calls `test` with longer and longer times until it holds, for what is to be over within a time that passes in any case: a busy machine may need
/// more of it. Panics if five seconds are not enough.
#[track_caller]
pub(crate) fn in_time(test: impl FnMut(Duration) -> bool) {
    let mut times = [50, 500, 5000].into_iter().map(Duration::from_millis);
    assert!(times.any(test), "not in time");
}

/// Waits until `condition` holds; panics after 20 seconds.
#[track_caller]
pub(crate) fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "the condition did not come true"
        );
        thread::sleep(Duration::from_millis(1));
    }
}
