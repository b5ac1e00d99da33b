//! loom models of the readiness protocol.
//!
//! What is modelled is the shipped code: `Readiness` and `Entry` with loom's atomics and mutex. What is not: epoll (an
//! event is a call of `deliver`), the free lists (a change of owner is a call of `release`), and the spurious failures
//! of `compare_exchange_weak`, which loom does not make.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use loom::sync::Arc;
use loom::thread;

use crate::interest::Direction;
use crate::readiness::{Clear, Event, Look, Place, Readiness, Snapshot, Wanted};
use crate::registry::Entry;

const EVENT: Event = Event::new(false, false);
const HANG_UP: Event = Event::new(true, false);

/// A waker that can be told from the others; the count is none of the model's business, so it is std's.
#[derive(Default)]
struct Mark(AtomicUsize);

impl Wake for Mark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Leaves a reader's waker in the slot of an entry that is not ready.
fn wait_to_read(entry: &Entry, waker: &Waker) {
    let readiness = entry.readiness(Direction::Read);
    assert_eq!(
        readiness.wait(Wanted::Transfer, Place::Slot, waker),
        Look::Idle
    );
}

fn mark() -> Waker {
    std::sync::Arc::new(Mark::default()).into()
}

fn contains(wakers: &[Waker], waker: &Waker) -> bool {
    wakers.iter().any(|other| other.will_wake(waker))
}

fn deliver(readiness: &Readiness, event: Event) -> Vec<Waker> {
    let mut wakers = Vec::new();
    readiness.deliver(event, || true, &mut wakers);
    wakers
}

fn ready(look: Look) -> Snapshot {
    match look {
        Look::Ready(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

/// Two ways to wait, one event: each waiter either sees it or is handed out.
#[test]
fn loom_an_event_reaches_the_slot_and_the_list() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let waits: Vec<_> = [Place::Slot, Place::Listed(0)]
            .into_iter()
            .map(|place| {
                let readiness = readiness.clone();
                thread::spawn(move || {
                    let waker = mark();
                    (readiness.wait(Wanted::Transfer, place, &waker), waker)
                })
            })
            .collect();
        let wakers = deliver(&readiness, EVENT);
        for wait in waits {
            let (seen, waker) = wait.join().unwrap();
            assert!(
                seen != Look::Idle || contains(&wakers, &waker),
                "a waiter was forgotten"
            );
        }
    });
}

/// A reader that clears what it saw and waits again, against the next event.
#[test]
fn loom_an_event_survives_the_clear_of_the_last_one() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        deliver(&readiness, EVENT);
        let seen = ready(readiness.look(Wanted::Transfer));
        let reader = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                readiness.clear(Wanted::Transfer, seen, Clear::All);
                let waker = mark();
                (readiness.wait(Wanted::Transfer, Place::Slot, &waker), waker)
            })
        };
        let wakers = deliver(&readiness, EVENT);
        let (seen, waker) = reader.join().unwrap();
        assert!(
            seen != Look::Idle || contains(&wakers, &waker),
            "the second event was lost"
        );
        ready(readiness.look(Wanted::Transfer));
    });
}

/// A hang-up is not forgotten by the clear that follows a short read, whichever comes first.
#[test]
fn loom_a_short_read_keeps_a_hang_up() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        deliver(&readiness, EVENT);
        let reader = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                readiness.clear(
                    Wanted::Transfer,
                    ready(readiness.look(Wanted::Transfer)),
                    Clear::KeepClosed,
                )
            })
        };
        deliver(&readiness, HANG_UP);
        reader.join().unwrap();
        assert!(ready(readiness.look(Wanted::Transfer)).is_closed());
    });
}

/// Two events, two readers that clear and wait: whoever ends up waiting does so on a direction that is not ready.
#[test]
fn loom_nobody_waits_on_a_ready_direction() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let first = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let waker = mark();
                let mut seen = readiness.wait(Wanted::Transfer, Place::Listed(0), &waker);
                if let Look::Ready(snapshot) = seen {
                    readiness.clear(Wanted::Transfer, snapshot, Clear::All);
                    seen = readiness.wait(Wanted::Transfer, Place::Listed(0), &waker);
                }
                (seen, waker)
            })
        };
        let second = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let waker = mark();
                (
                    readiness.wait(Wanted::Transfer, Place::Listed(1), &waker),
                    waker,
                )
            })
        };
        let mut wakers = deliver(&readiness, EVENT);
        wakers.extend(deliver(&readiness, EVENT));
        let ends = [first, second].map(|thread| thread.join().unwrap());
        for (seen, waker) in ends {
            // Once both threads have ended the word stands still: who waits unheard does so on an idle direction.
            let idle = matches!(readiness.look(Wanted::Transfer), Look::Idle);
            assert!(
                seen != Look::Idle || contains(&wakers, &waker) || idle,
                "the direction is ready"
            );
        }
        // And whoever still waits is found by the next event.
        deliver(&readiness, EVENT);
        let mut rest = Vec::new();
        readiness.shut_down(&mut rest);
        assert!(rest.is_empty(), "an event left a waker behind");
    });
}

/// Shutdown against an event, a clear and a waiter: the waiter sees an end, or is handed out once at least.
#[test]
fn loom_shutdown_leaves_nobody_waiting() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let waiting = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let waker = mark();
                let mut seen = readiness.wait(Wanted::Transfer, Place::Slot, &waker);
                if let Look::Ready(snapshot) = seen {
                    readiness.clear(Wanted::Transfer, snapshot, Clear::All);
                    seen = readiness.wait(Wanted::Transfer, Place::Slot, &waker);
                }
                (seen, waker)
            })
        };
        let event = {
            let readiness = readiness.clone();
            thread::spawn(move || deliver(&readiness, EVENT))
        };
        let mut wakers = Vec::new();
        readiness.shut_down(&mut wakers);
        wakers.extend(event.join().unwrap());
        let (seen, waker) = waiting.join().unwrap();
        assert!(
            seen != Look::Idle || contains(&wakers, &waker),
            "somebody waits for ever"
        );
        assert_eq!(readiness.look(Wanted::Transfer), Look::Shutdown);
    });
}

/// One of two futures is dropped while an event comes: the other is woken, and no waker stays behind.
#[test]
fn loom_a_dropped_waiter_takes_nobody_with_it() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let (stays, goes) = (mark(), mark());
        assert_eq!(
            readiness.wait(Wanted::Transfer, Place::Listed(0), &stays),
            Look::Idle
        );
        assert_eq!(
            readiness.wait(Wanted::Transfer, Place::Listed(1), &goes),
            Look::Idle
        );
        let dropping = {
            let readiness = readiness.clone();
            thread::spawn(move || readiness.forget(1))
        };
        let wakers = deliver(&readiness, EVENT);
        dropping.join().unwrap();
        assert!(contains(&wakers, &stays));
        let mut rest = Vec::new();
        readiness.shut_down(&mut rest);
        assert!(rest.is_empty());
    });
}

/// Reader and writer of one entry, one event each: neither disturbs the other.
#[test]
fn loom_the_directions_are_independent() {
    loom::model(|| {
        let entry = Arc::new(Entry::default());
        entry.deliver(0, Some(EVENT), None, &mut Vec::new());
        let seen = ready(entry.readiness(Direction::Read).look(Wanted::Transfer));
        let reader = {
            let entry = entry.clone();
            thread::spawn(move || {
                let waker = mark();
                entry
                    .readiness(Direction::Read)
                    .clear(Wanted::Transfer, seen, Clear::All);
                wait_to_read(&entry, &waker);
            })
        };
        let writer = {
            let entry = entry.clone();
            thread::spawn(move || {
                let waker = mark();
                (
                    entry
                        .readiness(Direction::Write)
                        .wait(Wanted::Transfer, Place::Slot, &waker),
                    waker,
                )
            })
        };
        let mut wakers = Vec::new();
        entry.deliver(0, None, Some(EVENT), &mut wakers);
        reader.join().unwrap();
        let (seen, waker) = writer.join().unwrap();
        assert!(
            seen != Look::Idle || contains(&wakers, &waker),
            "the writer was forgotten"
        );
        assert_eq!(
            entry.readiness(Direction::Read).look(Wanted::Transfer),
            Look::Idle,
            "the clear was disturbed"
        );
    });
}

/// An event for the last owner against the change of owner: the next owner sees nothing of it, and its own event comes.
#[test]
fn loom_a_late_event_does_not_reach_the_next_owner() {
    loom::model(|| {
        let entry = Arc::new(Entry::default());
        let old = mark();
        wait_to_read(&entry, &old);
        let owner = {
            let entry = entry.clone();
            thread::spawn(move || {
                let mut wakers = Vec::new();
                let generation = entry.release(0, &mut wakers);
                drop(wakers);
                let waker = mark();
                let seen =
                    entry
                        .readiness(Direction::Read)
                        .wait(Wanted::Transfer, Place::Slot, &waker);
                assert_eq!(seen, Look::Idle, "an event of the last owner arrived");
                let mut wakers = Vec::new();
                entry.deliver(generation, Some(EVENT), None, &mut wakers);
                (wakers, waker)
            })
        };
        let mut late = Vec::new();
        entry.deliver(0, Some(HANG_UP), Some(HANG_UP), &mut late);
        let (mut wakers, waker) = owner.join().unwrap();
        wakers.append(&mut late);
        assert!(
            contains(&wakers, &waker),
            "the next owner's own event was lost"
        );
        assert!(!ready(entry.readiness(Direction::Read).look(Wanted::Transfer)).is_closed());
        assert_eq!(
            entry.readiness(Direction::Write).look(Wanted::Transfer),
            Look::Idle
        );
    });
}

/// The change of owner against a shutdown: the entry is shut down whichever comes first.
#[test]
fn loom_shutdown_survives_a_change_of_owner() {
    loom::model(|| {
        let entry = Arc::new(Entry::default());
        let owner = {
            let entry = entry.clone();
            thread::spawn(move || entry.release(0, &mut Vec::new()))
        };
        entry.readiness(Direction::Read).shut_down(&mut Vec::new());
        owner.join().unwrap();
        assert_eq!(
            entry.readiness(Direction::Read).look(Wanted::Transfer),
            Look::Shutdown
        );
    });
}

/// A reader that clears what it has seen takes no error from whoever waits for errors.
#[test]
fn loom_a_reader_takes_no_error_from_who_waits_for_it() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let reader = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                if let Look::Ready(seen) = readiness.look(Wanted::Transfer) {
                    readiness.clear(Wanted::Transfer, seen, Clear::All);
                }
            })
        };
        let waiting = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let waker = mark();
                let seen = readiness.wait(Wanted::Fault, Place::Listed(0), &waker);
                (seen, waker)
            })
        };
        let wakers = deliver(&readiness, Event::new(false, true));
        reader.join().unwrap();
        let (seen, waker) = waiting.join().unwrap();
        assert!(
            seen != Look::Idle || contains(&wakers, &waker),
            "a waiter was forgotten"
        );
        assert!(matches!(readiness.look(Wanted::Fault), Look::Ready(_)));
    });
}

/// Two polls with one waker, of which the second may find it in the slot and leave it there, against an event.
#[test]
fn loom_a_second_poll_with_the_same_waker_is_heard() {
    for waits_already in [false, true] {
        loom::model(move || {
            let readiness = Arc::new(Readiness::default());
            let waker = mark();
            if waits_already {
                let seen = readiness.wait(Wanted::Transfer, Place::Slot, &waker);
                assert_eq!(seen, Look::Idle);
            }
            let polls: Vec<_> = (0..2)
                .map(|_| {
                    let (readiness, waker) = (readiness.clone(), waker.clone());
                    thread::spawn(move || readiness.wait(Wanted::Transfer, Place::Slot, &waker))
                })
                .collect();
            let wakers = deliver(&readiness, EVENT);
            let seen: Vec<_> = polls.into_iter().map(|poll| poll.join().unwrap()).collect();
            // Without a waker that was there before, one of the two may take the place of the other, and be the one that is ready.
            let unheard = if waits_already { 0 } else { 1 };
            let idle = seen.iter().filter(|seen| **seen == Look::Idle).count();
            assert!(
                idle <= unheard || contains(&wakers, &waker),
                "somebody was told to wait, and is not woken"
            );
        });
    }
}

/// Two tasks poll one direction, and one of them twice: the last is heard, and all wakers but those in hand are gone in the end.
#[test]
fn loom_of_two_tasks_in_the_slot_one_is_heard() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let first = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let (mark, other) = (std::sync::Arc::new(Mark::default()), self::mark());
                readiness.wait(Wanted::Transfer, Place::Slot, &other);
                let waker = mark.clone().into();
                (
                    readiness.wait(Wanted::Transfer, Place::Slot, &waker),
                    waker,
                    mark,
                )
            })
        };
        let second = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                let waker = mark();
                (readiness.wait(Wanted::Transfer, Place::Slot, &waker), waker)
            })
        };
        let mut wakers = deliver(&readiness, EVENT);
        let (seen, waker, mark) = first.join().unwrap();
        let (other_seen, other) = second.join().unwrap();
        let heard = |seen, waker| seen != Look::Idle || contains(&wakers, waker);
        assert!(
            heard(seen, &waker) || heard(other_seen, &other),
            "nobody was heard"
        );
        readiness.shut_down(&mut wakers);
        drop((wakers, waker));
        assert_eq!(
            std::sync::Arc::strong_count(&mark),
            1,
            "a waker stayed behind"
        );
    });
}

/// A waiter that was woken by one event waits again while the next event takes a waker out of the slot, or while a late event
/// for the last owner does: there are wakers enough for everybody.
#[test]
fn loom_who_finds_the_slot_in_use_waits_in_the_list() {
    loom::model(|| {
        let readiness = Arc::new(Readiness::default());
        let other = mark();
        assert_eq!(
            readiness.wait(Wanted::Transfer, Place::Slot, &other),
            Look::Idle
        );
        let reader = {
            let readiness = readiness.clone();
            thread::spawn(move || {
                if let Look::Ready(seen) = readiness.look(Wanted::Transfer) {
                    readiness.clear(Wanted::Transfer, seen, Clear::All);
                }
                let waker = mark();
                (readiness.wait(Wanted::Transfer, Place::Slot, &waker), waker)
            })
        };
        let mut wakers = deliver(&readiness, EVENT);
        let (seen, waker) = reader.join().unwrap();
        wakers.extend(deliver(&readiness, EVENT));
        assert!(
            seen != Look::Idle || contains(&wakers, &waker),
            "the second event was lost"
        );
        let mut rest = Vec::new();
        readiness.shut_down(&mut rest);
        assert!(rest.is_empty(), "an event left a waker behind");
        assert!(wakers.len() <= 2, "a waker was handed out twice");
    });
}

/// An event that has taken the right to the slot, but not yet its waker, while the entry changes owner: the next owner's waker is
/// heard by the next owner's event.
#[test]
fn loom_a_late_taker_leaves_the_next_owner_its_waker() {
    loom::model(|| {
        let entry = Arc::new(Entry::default());
        let old = mark();
        wait_to_read(&entry, &old);
        let late = {
            let entry = entry.clone();
            thread::spawn(move || {
                let mut late = Vec::new();
                entry.deliver(0, Some(EVENT), None, &mut late);
                late
            })
        };
        let mut wakers = Vec::new();
        let generation = entry.release(0, &mut wakers);
        let waker = mark();
        wait_to_read(&entry, &waker);
        entry.deliver(generation, Some(EVENT), None, &mut wakers);
        wakers.extend(late.join().unwrap());
        assert!(contains(&wakers, &waker), "its own event did not reach it");
        assert!(contains(&wakers, &old), "a waker was lost");
        assert_eq!(wakers.len(), 2, "a waker was handed out twice");
    });
}
