//! Timeouts: none wraps, none is cut short, zero only looks.

use std::time::Duration;

use crate::Reactor;

const MILLI: Duration = Duration::from_millis(1);
const DAYS_24_8: Duration = Duration::from_millis(i32::MAX as u64);

#[test]
fn every_timeout_is_accepted_and_a_wake_ends_it() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let all = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_nanos(999_999),
        MILLI,
        MILLI + Duration::from_nanos(1),
        Duration::from_millis(10) - Duration::from_nanos(1),
        Duration::from_millis(10),
        DAYS_24_8 - MILLI,
        DAYS_24_8 - Duration::from_nanos(1),
        DAYS_24_8,
        DAYS_24_8 + Duration::from_nanos(1),
        DAYS_24_8 + MILLI,
        Duration::from_millis(u32::MAX.into()),
        Duration::from_millis(u64::MAX),
        Duration::from_secs(u64::MAX),
        Duration::MAX - Duration::from_nanos(1),
        Duration::MAX,
    ];
    for timeout in all {
        handle.wake();
        reactor
            .turn(Some(timeout), &mut Vec::new())
            .unwrap_or_else(|error| panic!("{timeout:?}: {error}"));
    }
}

#[test]
fn zero_only_looks() {
    let (mut reactor, _handle) = Reactor::new().unwrap();
    for _ in 0..100 {
        // With a timeout that wrapped into "for ever" this would hang.
        reactor.turn(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    }
}
