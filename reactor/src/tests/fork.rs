//! A forked child cannot disturb its parent. Each test runs in a process of its own, since `fork` copies all of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::support::*;
use crate::{Direction, Reactor};

const CHILD: &str = "REACTOR_TEST_FORKS";

/// Runs the test `name` again in a new process, where `CHILD` is set, and waits for it to succeed.
fn in_own_process(name: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{name} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // A name that fits no test would succeed as well.
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Forks, runs `body` in the child, and fails if it panics there or takes too long.
fn forked(body: impl FnOnce()) {
    // SAFETY: this process runs nothing but the one test; the test harness's own thread only waits and holds no lock
    // that `body` wants. The child leaves by `_exit`, so nothing of the parent is run or dropped twice.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // The alarm kills a child that hangs on a lock it inherited.
        // SAFETY: the call takes a number.
        unsafe { libc::alarm(10) };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        // SAFETY: ends the process.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let mut status = 0;
    // SAFETY: `child` is ours and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child failed");
}

#[test]
fn a_child_that_drops_everything_leaves_the_parent_its_events() {
    if std::env::var_os(CHILD).is_none() {
        return in_own_process(
            "tests::fork::a_child_that_drops_everything_leaves_the_parent_its_events",
        );
    }
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let (count, waker) = Count::new();
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&waker), Direction::Read)
            .is_pending()
    );

    let mut inherited = Some((reactor, handle, source));
    forked(|| {
        let (mut reactor, handle, source) = inherited.take().unwrap();
        handle.wake();
        let mut wakers = Vec::new();
        assert!(reactor.turn(Some(Duration::ZERO), &mut wakers).is_err());
        assert!(handle.register(unix_pair().0, both()).is_err());
        let waiting = source.poll_ready(&mut Context::from_waker(Waker::noop()), Direction::Read);
        assert!(
            matches!(waiting, std::task::Poll::Ready(Err(_))),
            "no event would ever come"
        );
        handle.close(&mut wakers);
        assert_eq!(wakers.len(), 0);
        drop(source);
        drop((reactor, handle));
    });

    let (mut reactor, _handle, source) = inherited.take().unwrap();
    let start = Instant::now();
    reactor
        .turn(Some(Duration::from_millis(20)), &mut Vec::new())
        .unwrap();
    assert!(
        start.elapsed() >= Duration::from_millis(20),
        "the child's wake reached the parent"
    );
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || count.wakes() == 1);
    assert!(source.readiness(Direction::Read).is_some());
}

#[test]
fn a_child_can_make_a_reactor_of_its_own() {
    if std::env::var_os(CHILD).is_none() {
        return in_own_process("tests::fork::a_child_can_make_a_reactor_of_its_own");
    }
    let inherited = Reactor::new().unwrap();
    forked(|| {
        let (mut reactor, handle) = Reactor::new().unwrap();
        let (source, mut peer) = quiet(&mut reactor, &handle);
        peer.write_all(b"x").unwrap();
        turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
        handle.wake();
        reactor.turn(None, &mut Vec::new()).unwrap();
    });
    drop(inherited);
}
