//! Every call into the operating system that mio does not make for us.

pub(crate) mod fork;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "timerfd.rs"]
pub(crate) mod timer;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_timer.rs"]
pub(crate) mod timer;
