//! What `ci/fallbacks` runs: of the modules in `all.rs` those of what other systems of Unix do in another way, since flags of its own mean a build
//! of its own.

#![cfg(executor_fallbacks)]
// What only the others take.
#![allow(dead_code, unused_imports)]

mod async_fd;
mod durations;
mod graceful_shutdown;
mod idle;
mod intervals;
mod lost_wakes;
mod panics;
mod paused_clock;
mod pipes;
mod process;
mod sendfile;
mod shutdown;
mod signals;
mod splice;
mod stalls;
mod support;
mod tcp;
mod tcp_faults;
mod timers;
mod two_runtimes;
mod udp;
mod unix_datagrams;

/// Or the tests above would be those of Linux once more.
#[cfg(target_os = "linux")]
#[test]
fn a_runtime_that_sleeps_and_is_woken_has_no_timerfd_and_no_eventfd() {
    let runtime = executor::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sleep = executor::time::sleep(std::time::Duration::from_micros(100));
        executor::spawn(sleep).await.unwrap();
    });
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|each| std::fs::read_link(each.ok()?.path()).ok());
    let targets: Vec<_> = targets.map(|target| target.display().to_string()).collect();
    let has = |what: &str| targets.iter().any(|target| target.contains(what));
    assert!(has("[eventpoll]"), "{targets:?}");
    assert!(!has("[timerfd]") && !has("[eventfd]"), "{targets:?}");
}
