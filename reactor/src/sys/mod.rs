//! Every call into the operating system that mio does not make for us.

pub(crate) mod fork;

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
))]
#[path = "timerfd.rs"]
pub(crate) mod timer;

// `ci/fallbacks` sets the cfg, to test on Linux what other systems run.
#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
)))]
#[path = "no_timer.rs"]
pub(crate) mod timer;
