//! `Interest` and `Ready`: sets with names.

use executor::io::{Interest, Ready};

#[test]
fn an_interest_holds_what_was_added_and_loses_what_was_removed() {
    let mut interest = Interest::READABLE;
    assert!(interest.is_readable() && !interest.is_writable() && !interest.is_error());
    interest |= Interest::WRITABLE;
    let interest = interest.add(Interest::ERROR);
    assert!(interest.is_readable() && interest.is_writable() && interest.is_error());
    assert_eq!(
        interest,
        Interest::ERROR | Interest::WRITABLE | Interest::READABLE
    );
    assert_eq!(
        interest.remove(Interest::READABLE | Interest::ERROR),
        Some(Interest::WRITABLE)
    );
    assert_eq!(Interest::WRITABLE.remove(interest), None);
    assert_eq!(
        Interest::WRITABLE.remove(Interest::READABLE),
        Some(Interest::WRITABLE)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn priority_is_an_interest_and_a_readiness_of_its_own() {
    assert!(Interest::PRIORITY.is_priority() && !Interest::PRIORITY.is_readable());
    assert!(!(Interest::READABLE | Interest::WRITABLE | Interest::ERROR).is_priority());
    assert!(Ready::PRIORITY.is_priority() && !Ready::PRIORITY.is_readable());
    assert!(Ready::ALL.is_priority());
}

#[test]
fn an_interest_prints_its_names() {
    let names = |interest: Interest| format!("{interest:?}");
    assert_eq!(names(Interest::READABLE), "READABLE");
    assert_eq!(
        names(Interest::ERROR | Interest::READABLE | Interest::WRITABLE),
        "READABLE | WRITABLE | ERROR"
    );
}

#[test]
fn a_closed_direction_counts_as_ready() {
    assert!(Ready::READ_CLOSED.is_readable() && Ready::READ_CLOSED.is_read_closed());
    assert!(Ready::WRITE_CLOSED.is_writable() && Ready::WRITE_CLOSED.is_write_closed());
    assert!(!Ready::READ_CLOSED.is_writable() && !Ready::WRITE_CLOSED.is_readable());
    assert!(!Ready::READABLE.is_read_closed() && !Ready::WRITABLE.is_write_closed());
}

#[test]
fn readiness_is_a_set() {
    let mut ready = Ready::READABLE | Ready::WRITABLE;
    assert_eq!(ready - Ready::WRITABLE, Ready::READABLE);
    assert_eq!(ready & Ready::WRITABLE, Ready::WRITABLE);
    assert!((ready & Ready::ERROR).is_empty() && Ready::EMPTY.is_empty() && !ready.is_empty());
    ready |= Ready::ERROR;
    assert!(ready.is_error() && !(Ready::ALL - Ready::ERROR).is_error());
    assert_eq!(
        format!("{:?}", Ready::READ_CLOSED | Ready::ERROR),
        "Ready { is_readable: true, is_writable: false, is_read_closed: true, is_write_closed: false, is_priority: false, is_error: true }"
    );
}
