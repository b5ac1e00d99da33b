//! The timer that is finer than a millisecond, and the rounded milliseconds without it.

use std::time::Instant;

use super::*;

fn ends_not_before(reactor: &mut Reactor, timeout: Duration) {
    let start = Instant::now();
    reactor.turn(Some(timeout), &mut Vec::new()).unwrap();
    assert!(
        start.elapsed() >= timeout,
        "{:?} instead of {timeout:?}",
        start.elapsed()
    );
}

const TIMEOUTS: [Duration; 7] = [
    Duration::from_nanos(1),
    Duration::from_micros(300),
    Duration::from_nanos(999_999),
    Duration::from_millis(1),
    Duration::from_micros(1500),
    Duration::from_micros(9999),
    Duration::from_micros(10_001),
];

#[test]
fn a_turn_is_never_early() {
    let (mut reactor, _handle) = Reactor::new().unwrap();
    for timeout in TIMEOUTS {
        for _ in 0..5 {
            ends_not_before(&mut reactor, timeout);
        }
    }
}

#[test]
fn without_a_fine_timer_a_turn_is_never_early_either() {
    let (mut reactor, _handle) = Reactor::new().unwrap();
    reactor.timer = None;
    for timeout in TIMEOUTS {
        ends_not_before(&mut reactor, timeout);
    }
}

#[test]
fn only_near_timeouts_with_a_part_of_a_millisecond_need_the_timer() {
    assert!(!needs_timer(Duration::ZERO));
    assert!(needs_timer(Duration::from_nanos(1)));
    assert!(!needs_timer(Duration::from_millis(1)));
    assert!(needs_timer(Duration::from_micros(1001)));
    assert!(!needs_timer(Duration::from_millis(9)));
    assert!(needs_timer(Duration::from_nanos(9_999_999)));
    assert!(!needs_timer(Duration::from_nanos(10_000_001)));
    assert!(!needs_timer(Duration::MAX));
}

/// A timer that is set again after it went off unread must go off again.
#[test]
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
))]
fn the_timer_goes_off_again_and_again() {
    let (mut reactor, _handle) = Reactor::new().unwrap();
    let timer = reactor.timer.as_mut().expect("this platform has one");
    timer.set(Duration::from_nanos(1));
    // Only the timer can end these: no timeout is given to the poll.
    for _ in 0..100 {
        reactor.turn(None, &mut Vec::new()).unwrap();
        reactor.timer.as_mut().unwrap().set(Duration::from_nanos(1));
    }
}

#[test]
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
))]
fn an_earlier_timer_is_left_standing_and_a_later_one_is_replaced() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let far = Duration::from_secs(3600);
    let timer = reactor.timer.as_mut().expect("this platform has one");
    timer.set(far);
    timer.set(far * 2);
    timer.set(Duration::from_micros(1));
    reactor.turn(None, &mut Vec::new()).unwrap();
    handle.wake();
    reactor.turn(None, &mut Vec::new()).unwrap();
}

#[test]
fn what_an_event_means_to_each_side() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let source = handle
        .register(std::sync::Arc::new(ours), crate::Interest::WRITABLE)
        .unwrap();
    reactor.turn(None, &mut Vec::new()).unwrap();
    assert!(source.readiness(crate::Direction::Write).is_some());
    assert!(source.readiness(crate::Direction::Read).is_none());
}

/// A turn that has looked at `closed` already and is about to block finds the wake that closing leaves behind.
#[test]
fn closing_leaves_a_wake_for_a_turn_that_is_about_to_block() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    handle.close(&mut Vec::new());
    drop(handle);
    let Reactor { poll, events, .. } = &mut reactor;
    poll.poll(events, Some(Duration::ZERO)).unwrap();
    assert!(events.iter().any(|event| event.token() == WAKE));
}
