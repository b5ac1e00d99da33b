//! Who is woken by what, and what a clear may forget.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::support::*;
use crate::{Direction, Interest, Reactor, ReadyFuture, Source};

fn poll(future: &mut ReadyFuture<'_>, waker: &Waker) -> Poll<io::Result<crate::ReadyEvent>> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn data_wakes_the_reader_and_only_the_reader() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let (reads, reader) = Count::new();
    let (writes, writer) = Count::new();
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&reader), Direction::Read)
            .is_pending()
    );
    fill(source.get_ref());
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&writer), Direction::Write)
            .is_pending()
    );

    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || reads.wakes() == 1);
    assert_eq!(
        writes.wakes(),
        0,
        "nothing was read, so there is no room to write"
    );
    let event = source.readiness(Direction::Read).unwrap();
    assert_eq!(
        (event.direction(), event.is_closed(), event.is_error()),
        (Direction::Read, false, false)
    );
}

#[test]
fn a_turn_that_does_not_wait_may_be_told_to_leave_events_for_the_next() {
    const SOCKETS: usize = 10;
    let (mut reactor, handle) = Reactor::new().unwrap();
    let mut pairs: Vec<_> = (0..SOCKETS).map(|_| quiet(&mut reactor, &handle)).collect();
    reactor.limit_looks(2);
    let send = |pairs: &mut Vec<(Source<UnixStream>, UnixStream)>| {
        for (source, peer) in pairs {
            source
                .readiness(Direction::Read)
                .into_iter()
                .for_each(|event| source.clear_ready(event));
            peer.write_all(b"x").unwrap();
        }
    };
    let ready = |pairs: &[(Source<UnixStream>, UnixStream)]| {
        let is_ready =
            |(source, _): &&(Source<UnixStream>, _)| source.readiness(Direction::Read).is_some();
        pairs.iter().filter(is_ready).count()
    };

    send(&mut pairs);
    for looks in 1..=SOCKETS / 2 {
        look(&mut reactor);
        assert_eq!(ready(&pairs), 2 * looks);
    }
    send(&mut pairs);
    reactor.turn(Some(LIMIT), &mut Vec::new()).unwrap();
    assert_eq!(ready(&pairs), SOCKETS, "one that may wait takes all");
}

#[test]
fn an_assumed_direction_is_ready_until_an_operation_says_otherwise() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, mut peer) = unix_pair();
    let source = handle.register(ours, both()).unwrap();
    let source = source.assume_ready(&[Direction::Read]);
    assert_eq!(source.readiness(Direction::Write), None);
    let guess = source.readiness(Direction::Read).unwrap();
    assert!(guess.is_ready() && !guess.is_closed() && !guess.is_error());

    let read =
        |source: &Source<UnixStream>| source.try_io(Direction::Read, |mut io| io.read(&mut [0; 8]));
    assert_eq!(read(&source).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(source.readiness(Direction::Read), None);

    let (reads, reader) = Count::new();
    let mut ready = source.ready(Direction::Read);
    assert!(poll(&mut ready, &reader).is_pending());
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || reads.wakes() == 1);
    source.clear_would_block(guess);
    assert_eq!(
        read(&source).unwrap(),
        1,
        "an event stands when the guess before it is taken back"
    );
}

#[test]
fn a_socket_that_counts_as_writable_is_watched_for_writing_once_it_is_full() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    for waits in [true, false] {
        let (ours, mut peer) = unix_pair();
        let source = handle.register_writable(ours).unwrap();
        assert!(source.readiness(Direction::Read).is_none());
        let guess = source.readiness(Direction::Write).unwrap();

        let (reads, reader) = Count::new();
        let cx = &mut Context::from_waker(&reader);
        assert!(source.poll_ready(cx, Direction::Read).is_pending());
        peer.write_all(b"x").unwrap();
        turn_until(&mut reactor, || reads.wakes() == 1);
        let untouched = source.readiness(Direction::Write).unwrap();
        assert_eq!(
            untouched, guess,
            "an event for the reader was one for the writer"
        );

        let write = || source.try_io(Direction::Write, |mut io| io.write(&[0; 4096]));
        while write().is_ok() {}
        assert_eq!(source.readiness(Direction::Write), None);
        let (writes, writer) = Count::new();
        let cx = &mut Context::from_waker(&writer);
        if waits {
            assert!(source.poll_ready(cx, Direction::Write).is_pending());
        }
        let mut buffer = [0; 64 * 1024];
        while peer.read(&mut buffer).is_ok() {}
        // Who only tries now and then hears of the room, too.
        turn_until(&mut reactor, || {
            source.readiness(Direction::Write).is_some()
        });
        assert_eq!(writes.wakes(), usize::from(waits));
        write().unwrap();
    }
}

#[test]
fn room_wakes_the_writer() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let (writes, writer) = Count::new();
    fill(source.get_ref());
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&writer), Direction::Write)
            .is_pending()
    );

    let mut buffer = [0; 64 * 1024];
    while peer.read(&mut buffer).is_ok() {}
    turn_until(&mut reactor, || writes.wakes() == 1);
    assert!(source.readiness(Direction::Write).is_some());
}

#[test]
fn what_was_ready_before_registering_is_seen() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, mut peer) = unix_pair();
    peer.write_all(b"x").unwrap();
    let source = handle.register(ours, both()).unwrap();
    assert_eq!(
        source.readiness(Direction::Read),
        None,
        "no turn has looked yet"
    );
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
    assert!(source.readiness(Direction::Write).is_some());
}

#[test]
fn readiness_that_was_cleared_comes_back_with_new_data_only() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    peer.write_all(b"xx").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
    source.clear_ready(source.readiness(Direction::Read).unwrap());

    look(&mut reactor);
    assert_eq!(
        source.readiness(Direction::Read),
        None,
        "data that was announced is not announced again"
    );
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
}

#[test]
fn a_clear_from_before_the_last_event_does_nothing() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
    let old = source.readiness(Direction::Read).unwrap();

    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || {
        source.readiness(Direction::Read) != Some(old)
    });
    source.clear_ready(old);
    source.clear_would_block(old);
    let new = source
        .readiness(Direction::Read)
        .expect("the newer event stands");
    source.clear_ready(new);
    assert_eq!(source.readiness(Direction::Read), None);
}

#[test]
fn an_event_wakes_every_future_and_the_slot() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let counts: Vec<_> = (0..100).map(|_| Count::new()).collect();
    let mut futures: Vec<_> = counts
        .iter()
        .map(|_| source.ready(Direction::Read))
        .collect();
    for (future, (_, waker)) in futures.iter_mut().zip(&counts) {
        assert!(poll(future, waker).is_pending());
    }
    let (slot, waker) = Count::new();
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&waker), Direction::Read)
            .is_pending()
    );

    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || slot.wakes() == 1);
    assert!(counts.iter().all(|(count, _)| count.wakes() == 1));
    for (future, (_, waker)) in futures.iter_mut().zip(&counts) {
        assert!(poll(future, waker).is_ready());
    }
}

#[test]
fn a_future_polled_with_a_new_waker_wakes_the_new_one() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let ((old, old_waker), (new, new_waker)) = (Count::new(), Count::new());
    let mut future = source.ready(Direction::Read);
    assert!(poll(&mut future, &old_waker).is_pending());
    assert!(poll(&mut future, &new_waker).is_pending());
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || new.wakes() == 1);
    assert_eq!(old.wakes(), 0);
}

#[test]
fn the_last_caller_of_poll_ready_wins() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let ((first, first_waker), (last, last_waker)) = (Count::new(), Count::new());
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&first_waker), Direction::Read)
            .is_pending()
    );
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&last_waker), Direction::Read)
            .is_pending()
    );
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || last.wakes() == 1);
    assert_eq!(first.wakes(), 0);
}

#[test]
fn a_dropped_future_leaves_no_waker_behind() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let (count, waker) = Count::new();
    for _ in 0..1000 {
        let mut future = source.ready(Direction::Read);
        assert!(poll(&mut future, &waker).is_pending());
    }
    drop(waker);
    assert_eq!(
        std::sync::Arc::strong_count(&count),
        1,
        "only the test holds the waker"
    );
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
    assert_eq!(count.wakes(), 0);
}

#[test]
fn a_half_close_wakes_the_reader_and_stays_known_after_a_short_read() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, mut peer) = tcp_pair();
    let source = handle.register(ours, both()).unwrap();
    let (reads, reader) = Count::new();
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&reader), Direction::Read)
            .is_pending()
    );
    peer.write_all(b"last words").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();

    let closed = || {
        source
            .readiness(Direction::Read)
            .is_some_and(|event| event.is_closed())
    };
    turn_until(&mut reactor, closed);
    assert!(reads.wakes() >= 1);
    let mut buffer = [0; 100];
    assert_eq!(
        source
            .try_io(Direction::Read, |mut io| io.read(&mut buffer))
            .unwrap(),
        10
    );
    source.clear_ready(source.readiness(Direction::Read).unwrap());
    assert!(
        closed(),
        "a short read does not prove that the end of stream was read"
    );
    assert_eq!(
        source
            .try_io(Direction::Read, |mut io| io.read(&mut buffer))
            .unwrap(),
        0
    );
    assert_eq!(
        source
            .try_io(Direction::Write, |mut io| io.write(b"an answer"))
            .unwrap(),
        9
    );
}

#[test]
fn a_reset_ends_both_directions() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, peer) = tcp_pair();
    let source = handle.register(ours, both()).unwrap();
    turn_until(&mut reactor, || {
        source.readiness(Direction::Write).is_some()
    });
    source.clear_ready(source.readiness(Direction::Write).unwrap());
    let ((reads, reader), (writes, writer)) = (Count::new(), Count::new());
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&reader), Direction::Read)
            .is_pending()
    );
    assert!(
        source
            .poll_ready(&mut Context::from_waker(&writer), Direction::Write)
            .is_pending()
    );

    close_by_reset(peer);
    turn_until(&mut reactor, || reads.wakes() == 1 && writes.wakes() == 1);
    for direction in [Direction::Read, Direction::Write] {
        let event = source.readiness(direction).unwrap();
        assert!(event.is_closed(), "{direction:?}");
        source.clear_ready(event);
        assert!(
            source.readiness(direction).unwrap().is_closed(),
            "{direction:?}"
        );
    }
    let error = source
        .try_io(Direction::Read, |mut io| io.read(&mut [0; 8]))
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn try_io_does_not_call_the_operation_before_readiness_and_clears_on_would_block() {
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, mut peer) = quiet(&mut reactor, &handle);
    let calls = Cell::new(0);
    let mut buffer = [0; 8];
    let mut read = || {
        source.try_io(Direction::Read, |mut io| {
            calls.set(calls.get() + 1);
            io.read(&mut buffer)
        })
    };
    assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(calls.get(), 0);
    peer.write_all(b"x").unwrap();
    turn_until(&mut reactor, || source.readiness(Direction::Read).is_some());
    assert_eq!(read().unwrap(), 1);
    assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(calls.get(), 2);
    assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(calls.get(), 2, "the refusal was remembered");
}

#[test]
fn would_block_after_a_hang_up_waits_instead_of_spinning() {
    // What a FIFO does that gets a new writer: hung up once, and yet it would block. A closure stands in for it.
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (source, peer) = quiet(&mut reactor, &handle);
    drop(peer);
    turn_until(&mut reactor, || {
        source
            .readiness(Direction::Read)
            .is_some_and(|event| event.is_closed())
    });
    let calls = Cell::new(0);
    let answer: Poll<io::Result<()>> = source.poll_io(
        &mut Context::from_waker(Waker::noop()),
        Direction::Read,
        |_| {
            calls.set(calls.get() + 1);
            assert!(calls.get() < 10, "the loop spins");
            Err(io::ErrorKind::WouldBlock.into())
        },
    );
    assert!(answer.is_pending());
    assert_eq!(calls.get(), 1);
}

#[test]
fn bytes_go_through_async_io_and_poll_io_whole() {
    const TOTAL: usize = 4 << 20;
    let (mut reactor, handle) = Reactor::new().unwrap();
    let (ours, peer) = tcp_pair();
    let source = handle.register(ours, Interest::READABLE).unwrap();
    let sink = handle.register(peer, Interest::WRITABLE).unwrap();

    let writing = async {
        let block = [7; 10_000];
        let mut sent = 0;
        while sent < TOTAL {
            let part = &block[..block.len().min(TOTAL - sent)];
            sent += sink
                .async_io(Direction::Write, |mut io| io.write(part))
                .await
                .unwrap();
        }
        sink.get_ref().shutdown(Shutdown::Write).unwrap();
    };
    let reading = async {
        let mut buffer = vec![0; 70_000];
        let mut received = 0;
        loop {
            let n = std::future::poll_fn(|cx| {
                source.poll_io(cx, Direction::Read, |mut io| io.read(&mut buffer))
            })
            .await
            .unwrap();
            if n == 0 {
                return received;
            }
            assert!(buffer[..n].iter().all(|byte| *byte == 7));
            received += n;
        }
    };
    let received = block_on(&mut reactor, async {
        let (mut writing, mut reading) = (Box::pin(writing), Box::pin(reading));
        let mut written = false;
        std::future::poll_fn(move |cx| {
            written = written || writing.as_mut().poll(cx).is_ready();
            reading.as_mut().poll(cx)
        })
        .await
    });
    assert_eq!(received, TOTAL);
}
