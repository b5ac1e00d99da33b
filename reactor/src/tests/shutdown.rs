//! Waking a turn, and the end of the reactor.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::support::*;
use crate::{Direction, Handle, Interest, Reactor, Source};

/// Runs turns on a thread of their own until it says so, with no timeout at all.
fn blocked_turn(mut reactor: Reactor) -> mpsc::Receiver<Vec<Waker>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut wakers = Vec::new();
        reactor.turn(None, &mut wakers).unwrap();
        sender.send(wakers).unwrap();
    });
    receiver
}

#[test]
fn a_wake_from_another_thread_ends_a_blocked_turn() {
    let (reactor, handle) = Reactor::new().unwrap();
    let turned = blocked_turn(reactor);
    // Whether the turn has begun or not: the wake is not lost.
    handle.wake();
    assert_eq!(
        turned.recv_timeout(LIMIT).expect("the turn goes on").len(),
        0
    );
}

#[test]
fn a_signal_ends_a_turn_with_nothing() {
    extern "C" fn ignore(_signal: libc::c_int) {}
    // SAFETY: the handler does nothing, which is allowed in any signal handler; no other test uses this signal.
    unsafe {
        libc::signal(
            libc::SIGUSR2,
            ignore as extern "C" fn(libc::c_int) as libc::sighandler_t,
        )
    };
    let (mut reactor, _handle) = Reactor::new().unwrap();
    let turning = thread::spawn(move || {
        let mut wakers = Vec::new();
        reactor.turn(None, &mut wakers).map(|()| wakers.len())
    });
    let start = Instant::now();
    while !turning.is_finished() {
        assert!(start.elapsed() < LIMIT, "the turn goes on");
        // SAFETY: the thread has not been joined, so its id is valid even if it has ended.
        unsafe { libc::pthread_kill(turning.as_pthread_t(), libc::SIGUSR2) };
        thread::yield_now();
    }
    assert_eq!(turning.join().unwrap().unwrap(), 0);
}

#[test]
fn handles_and_sources_go_to_any_thread() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<Handle>();
    shared::<Source<UnixStream>>();
    let (reactor, handle) = Reactor::new().unwrap();
    sent(&reactor);
    let source = handle.register(unix_pair().0, Interest::READABLE).unwrap();
    sent(&source.ready(Direction::Read));
    sent(&source.async_io(Direction::Read, |_| io::Result::Ok(())));
}

#[test]
fn a_wake_before_the_turn_is_kept_once() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    handle.wake();
    handle.wake();
    reactor.turn(None, &mut Vec::new()).unwrap();
    let start = Instant::now();
    reactor
        .turn(Some(Duration::from_millis(30)), &mut Vec::new())
        .unwrap();
    assert!(
        start.elapsed() >= Duration::from_millis(30),
        "the wakes were counted twice"
    );
}

#[test]
fn closing_hands_out_all_wakers_and_every_wait_fails() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, _peer) = quiet(&mut reactor, &handle);
    let counts: Vec<_> = (0..3).map(|_| Count::new()).collect();
    let mut reading = Box::pin(source.ready(Direction::Read));
    assert!(
        reading
            .as_mut()
            .poll(&mut Context::from_waker(&counts[0].1))
            .is_pending()
    );
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&counts[1].1), Direction::Read)
            .is_pending()
    );
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&counts[2].1), Direction::Write)
            .is_pending()
    );

    let mut wakers = Vec::new();
    handle.close(&mut wakers);
    assert_eq!(wakers.len(), 3);
    wakers.into_iter().for_each(Waker::wake);
    assert!(counts.iter().all(|(count, _)| count.wakes() == 1));

    let text = "the runtime this belongs to has shut down";
    let cx = &mut Context::from_waker(Waker::noop());
    match reading.as_mut().poll(cx) {
        Poll::Ready(Err(error)) => assert_eq!(error.to_string(), text),
        other => panic!("{other:?}"),
    }
    match source.poll_ready(cx, Direction::Write) {
        Poll::Ready(Err(error)) => assert_eq!(error.to_string(), text),
        other => panic!("{other:?}"),
    }
    let error = source
        .try_io(Direction::Read, |_| io::Result::Ok(()))
        .unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(source.readiness(Direction::Read), None);
    let error = handle
        .register(unix_pair().0, Interest::READABLE)
        .unwrap_err();
    assert_eq!(error.to_string(), text);
    drop(reading);
    source.into_inner();
    handle.close(&mut Vec::new());
    handle.wake();
}

#[test]
fn closing_ends_a_blocked_turn_and_no_turn_blocks_after_it() {
    let (reactor, handle) = Reactor::new().unwrap();
    let turned = blocked_turn(reactor);
    handle.close(&mut Vec::new());
    turned.recv_timeout(LIMIT).expect("the turn goes on");

    let (mut reactor, handle) = Reactor::new().unwrap();
    handle.close(&mut Vec::new());
    for _ in 0..3 {
        reactor.turn(None, &mut Vec::new()).unwrap();
    }
}

#[test]
fn a_source_outlives_its_reactor() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, _peer) = quiet(&mut reactor, &handle);
    handle.close(&mut Vec::new());
    drop((reactor, handle));
    assert!(
        source
            .poll_ready(&mut Context::from_waker(Waker::noop()), Direction::Read)
            .is_ready()
    );
}

#[test]
fn closing_while_others_register_and_wait_leaves_nobody_waiting() {
    for _ in 0..200 {
        let (_reactor, handle) = Reactor::new().unwrap();
        let mut wakers = Vec::new();
        let (sources, counts) = thread::scope(|scope| {
            let other = scope.spawn(|| {
                let (mut sources, mut counts) = (Vec::new(), Vec::new());
                for _ in 0..20 {
                    let Ok(source) = handle.register(unix_pair().0, Interest::WRITABLE) else {
                        break;
                    };
                    let (count, waker) = Count::new();
                    if source
                        .poll_ready(&mut Context::from_waker(&waker), Direction::Write)
                        .is_pending()
                    {
                        counts.push(count);
                    }
                    sources.push(source);
                }
                (sources, counts)
            });
            handle.close(&mut wakers);
            other.join().unwrap()
        });
        wakers.into_iter().for_each(Waker::wake);
        assert!(counts.iter().all(|count| count.wakes() == 1));
        drop(sources);
    }
}
