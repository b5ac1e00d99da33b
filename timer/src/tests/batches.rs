//! A turn does bounded work, and leaves the wheel usable between its parts.

use std::{pin::Pin, task::Waker};

use super::Bench;
use crate::{BATCH, Entry};

fn registered(bench: &Bench, deadlines: impl Iterator<Item = u64>) -> Vec<Pin<Box<Entry>>> {
    let register = |deadline| {
        let mut entry = bench.entry(deadline);
        let _ = entry.as_mut().register(Waker::noop());
        entry
    };
    deadlines.map(register).collect()
}

const MILLION: usize = 1_000_000;

#[test]
fn a_million_entries_due_at_once_fire_in_batches() {
    let bench = Bench::new();
    let entries = registered(&bench, (0..MILLION as u64).map(|n| (1 << 41) + n % 7));
    let mut wakers = Vec::new();
    let (mut fired, mut more) = (0, true);
    while more {
        more = bench.wheel.turn(bench.at(1 << 42), &mut wakers);
        assert!(wakers.len() <= BATCH);
        fired += wakers.len();
        wakers.clear();
    }
    assert_eq!(fired, MILLION);
    assert!(entries.iter().all(|entry| entry.is_fired()));
}

#[test]
fn a_slot_of_a_million_is_sorted_in_small_parts() {
    // Spread over one slot of 18 minutes; only the first is due, the others have to be moved for it.
    let bench = Bench::new();
    let base = 1 << 42;
    let mut entries = registered(&bench, (0..MILLION as u64).map(|n| base + 1000 * n));
    assert_eq!(bench.next_wake(), Some(base));
    let (mut turns, mut fired) = (0, 0);
    loop {
        let (count, more) = bench.turn(base);
        fired += count;
        turns += 1;
        if !more {
            break;
        }
    }
    // At most 256 moves in a turn, each entry moves at least once.
    assert!(turns > MILLION / 256);
    assert_eq!(fired, 1);
    assert_eq!(bench.next_wake(), Some(base + 1000));
    entries.truncate(2);
    assert_eq!(bench.turn(base + 1000), (1, false));
}

#[test]
fn entries_may_come_and_go_while_a_slot_is_half_emptied() {
    let bench = Bench::new();
    let base = 5 << 36;
    let mut entries = registered(&bench, (0..2000).map(|n| base + 1_000_000 * n));
    let now = base + 1_000_000 * 1000;
    let (count, more) = bench.turn(now);
    assert!(more && count <= BATCH);
    bench.check();

    // The wheel's time is at the slot's minimum: sooner deadlines are past, later ones go below the slot.
    let mut between = registered(
        &bench,
        [base, base + 1, now, now + 1, base + (1 << 36)].into_iter(),
    );
    bench.check();
    assert!(between[0].is_fired() && !between[1].is_fired());
    // Cancelled: from the part that moved, from the part that did not, and the minimum.
    for index in [1999, 1500, 300, 200, 5] {
        let mut entry = entries.remove(index);
        assert!(!entry.is_fired());
        entry.as_mut().cancel();
        bench.check();
        entry.as_mut().reset(bench.at(now + 7));
        let _ = entry.as_mut().register(Waker::noop());
        bench.check();
        between.push(entry);
    }
    assert!(bench.next_wake().unwrap() <= base + 1);
    assert_eq!(bench.next_deadline(), Some(base));
    bench.turn_all(now);
    bench.check();
    let due = |entry: &Pin<Box<Entry>>| entry.deadline() <= bench.at(now);
    assert!(
        entries
            .iter()
            .chain(&between)
            .all(|entry| entry.is_fired() == due(entry))
    );
    assert_eq!(bench.next_wake(), Some(now + 1));

    // A half-emptied slot whose rest is cancelled.
    drop((entries, between));
    assert_eq!((bench.next_wake(), bench.wheel.len()), (None, 0));
    bench.check();
}

#[test]
fn refreshing_the_minimum_of_a_half_emptied_slot_hides_nothing_that_is_due() {
    let bench = Bench::new();
    let base = 5 << 36;
    let entries = registered(&bench, (0..1000).map(|n| base + (n << 26)));
    assert!(bench.turn(base).1);
    assert_eq!(bench.next_deadline(), Some(base));
    assert_eq!(bench.turn_all(base), 1);
    assert!(entries[0].is_fired());
    drop(entries);
}
