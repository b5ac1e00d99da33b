//! `Instant`: the standard one, but `now` is the runtime's.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

/// A point in time, of the clock that the current runtime goes by.
///
/// Without a paused clock (feature `test-util`) this is [`std::time::Instant`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(std::time::Instant);

impl Instant {
    /// The time now, by the clock of the current runtime.
    #[doc(alias = "time")]
    pub fn now() -> Self {
        Self(now())
    }

    /// The same point of the standard library's clock.
    pub fn from_std(std: std::time::Instant) -> Self {
        Self(std)
    }

    /// The same point of the standard library's clock.
    pub fn into_std(self) -> std::time::Instant {
        self.0
    }

    /// The time from `earlier` to `self`, zero if it is later.
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time from `earlier` to `self`, or `None` if it is later.
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// The time from `earlier` to `self`, zero if it is later.
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time since this point, zero if it has not come yet.
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// `self + duration`, or `None` beyond the clock's range.
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    /// `self - duration`, or `None` beyond the clock's range.
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }

    /// `duration` from now, or, beyond the clock's range, thirty years from now.
    pub(crate) fn after(duration: Duration) -> Self {
        Self::now().far_after(duration)
    }

    /// The time `duration` from this one, or thirty years if that is beyond the clock.
    pub(crate) fn far_after(self, duration: Duration) -> Self {
        Self(self.0.checked_add(duration).unwrap_or_else(|| self.0 + FAR))
    }
}

#[cfg(not(feature = "test-util"))]
fn now() -> std::time::Instant {
    crate::rt_sync::whole::now()
}

#[cfg(feature = "test-util")]
fn now() -> std::time::Instant {
    crate::context::try_with_current(|state| match state {
        Some(state) => state.scheduler.driver().clock().now(),
        None => crate::rt_sync::whole::now(),
    })
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Self {
        Self(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> Self {
        instant.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        self.0 += duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0 - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        self.0 -= duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
