//! What is left of a source that is gone: nothing, whoever uses its descriptor or its entry next.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use super::support::*;
use crate::{Direction, Interest, Reactor, Source};

#[test]
fn a_dropped_source_drops_its_waker_and_gets_no_wake() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let (count, waker) = Count::new();
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&waker), Direction::Read)
            .is_pending()
    );
    drop(waker);
    // A copy keeps the description open, so only the deregistration can keep the event away.
    let copy = source.get_ref().try_clone().unwrap();
    drop(source);
    assert_eq!(std::sync::Arc::strong_count(&count), 1);
    peer.write_all(b"x").unwrap();
    assert_eq!(look(&mut reactor), 0);
    assert_eq!(count.wakes(), 0);
    drop(copy);
}

#[test]
fn an_event_in_flight_for_a_closed_source_does_not_reach_the_next_one() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    for _ in 0..100 {
        let (old, mut peer) = unix_pair();
        let source = handle.register(old, both()).unwrap();
        // The event waits in epoll with the old token, since the copy keeps the descriptor alive: the number of the
        // descriptor is swapped, so that no deregistration takes place.
        peer.write_all(b"x").unwrap();
        let mut source = source;
        let (other, _other_peer) = unix_pair();
        let kept = std::mem::replace(source.get_mut(), other);
        drop(source);

        let (silent, _silent_peer) = unix_pair();
        let next = handle.register(silent, Interest::READABLE).unwrap();
        let (count, waker) = Count::new();
        assert!(
            next.poll_ready(&mut Context::from_waker(&waker), Direction::Read)
                .is_pending()
        );
        look(&mut reactor);
        assert_eq!(
            next.readiness(Direction::Read),
            None,
            "the entry is the same, the generation is not"
        );
        assert_eq!(count.wakes(), 0);
        drop(kept);
    }
    assert!(
        handle.registry().created() <= 16,
        "the entries were used again and again"
    );
}

#[test]
fn into_inner_gives_back_a_value_that_can_be_registered_again() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let twice = handle.register(source.get_ref().as_fd(), both());
    assert_eq!(twice.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let stream = source.into_inner();
    let source = handle.register(stream, both()).unwrap();
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
}

#[test]
fn a_descriptor_number_that_is_used_again_belongs_to_the_new_source() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, peer) = quiet(&mut reactor, &handle);
    let number = source.get_ref().as_raw_fd();
    drop(source);
    let (ours, mut new_peer) = unix_pair();
    let copy = far_copy(&ours, number);
    let next = handle.register(copy, Interest::READABLE).unwrap();
    drop(peer);
    look(&mut reactor);
    assert_eq!(next.readiness(Direction::Read), None);
    new_peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || next.readiness(Direction::Read).is_some());
}

#[test]
fn a_source_whose_value_was_replaced_leaves_the_old_number_alone() {
    // Numbers far above those that the tests running beside this one get.
    const FAR: i32 = 1200;
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (first, _first_peer) = unix_pair();
    let (second, mut second_peer) = unix_pair();
    let mut source = handle.register(far_copy(&first, FAR), both()).unwrap();
    let number = source.get_ref().as_raw_fd();
    drop(std::mem::replace(source.get_mut(), first.into()));
    let next = handle
        .register(far_copy(&second, FAR), Interest::READABLE)
        .unwrap();
    assert_eq!(
        next.get_ref().as_raw_fd(),
        number,
        "the number is used again"
    );

    drop(source);
    second_peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || next.readiness(Direction::Read).is_some());
}

/// A copy of `stream` with the lowest free number from `from` on.
fn far_copy(stream: &UnixStream, from: i32) -> OwnedFd {
    // SAFETY: the descriptor is open.
    let copy = unsafe { libc::fcntl(stream.as_raw_fd(), libc::F_DUPFD_CLOEXEC, from) };
    assert!(copy >= from, "{}", io::Error::last_os_error());
    // SAFETY: `fcntl` has just opened it, and nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(copy) }
}

#[test]
fn a_descriptor_closed_behind_our_back_does_no_harm() {
    // A number far above those that the tests running beside this one get, so that it stays closed.
    const FAR: i32 = 900;
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, _peer) = unix_pair();
    let copy = far_copy(&ours, FAR).into_raw_fd();
    // SAFETY: it is open now and lives on as a number; it is borrowed, so dropping the source does not close it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(copy) };
    let source = handle.register(borrowed, both()).unwrap();
    // SAFETY: the number is ours, and nothing uses it but the source, which is the point of the test.
    assert_eq!(unsafe { libc::close(copy) }, 0);
    look(&mut reactor);
    drop(source);
    look(&mut reactor);
}

#[test]
fn a_descriptor_that_cannot_be_watched_leaves_nothing_behind() {
    let (_reactor, handle) = Reactor::new().unwrap();
    for _ in 0..1000 {
        let file = File::open("/proc/self/exe").unwrap();
        let error = handle.register(file, Interest::READABLE).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
    assert!(handle.registry().created() <= 16);
}

#[test]
fn registering_and_dropping_for_long_does_not_grow_the_registry() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, _peer) = unix_pair();
    for round in 0..10_000 {
        drop(handle.register(ours.as_fd(), both()).unwrap());
        if round % 1000 == 0 {
            look(&mut reactor);
        }
    }
    assert!(handle.registry().created() <= 16);
}

#[test]
fn sources_opened_here_and_closed_there_do_not_grow_the_registry() {
    let (_reactor, handle) = Reactor::new().unwrap();
    let (ours, _peer) = unix_pair();
    for _ in 0..200 {
        let source = handle.register(ours.try_clone().unwrap(), both()).unwrap();
        thread::spawn(move || drop(source)).join().unwrap();
    }
    // Each thread's list may keep what one batch made, no more.
    assert!(
        handle.registry().created() <= 16 * 8,
        "{}",
        handle.registry().created()
    );
}

#[test]
fn many_sources_live_at_once() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    // Copies of one socket, in all pages up to the fourth.
    let (ours, mut peer) = unix_pair();
    let sources: Vec<Source<_>> = (0..600)
        .map(|_| {
            handle
                .register(ours.try_clone().unwrap(), Interest::READABLE)
                .unwrap()
        })
        .collect();
    let counts: Vec<_> = sources
        .iter()
        .map(|source| {
            let (count, waker) = Count::new();
            assert!(
                source
                    .poll_ready(&mut Context::from_waker(&waker), Direction::Read)
                    .is_pending()
            );
            count
        })
        .collect();
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || {
        counts.iter().all(|count| count.wakes() == 1)
    });
}

#[test]
fn open_and_close_on_two_threads_with_events_in_flight() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let stop = AtomicBool::new(false);
    // One source that nobody writes to: an event that reaches the wrong owner would show here.
    let (silent, _silent_peer) = unix_pair();
    let witness = handle.register(silent, Interest::READABLE).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let (ours, mut peer) = unix_pair();
                    let source = handle.register(ours, Interest::READABLE).unwrap();
                    let _ =
                        source.poll_ready(&mut Context::from_waker(Waker::noop()), Direction::Read);
                    peer.write_all(b"x").unwrap();
                    drop(source);
                    let (quiet, _quiet_peer) = unix_pair();
                    let next = handle.register(quiet, Interest::READABLE).unwrap();
                    assert_eq!(next.readiness(Direction::Read), None);
                }
                stop.store(true, Ordering::SeqCst);
                handle.wake();
            });
        }
        let mut wakers = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            reactor
                .turn(Some(Duration::from_millis(100)), &mut wakers)
                .unwrap();
            wakers.drain(..).for_each(Waker::wake);
            assert_eq!(witness.readiness(Direction::Read), None);
        }
    });
    assert!(handle.registry().created() <= 16 * 8);
}
