//! Indices, pages, generations and free lists, without an operating system.

use std::collections::HashSet;

use super::*;
use crate::readiness::{Look, Wanted};

const EVENT: Event = Event::new(false, false);

#[test]
fn every_index_has_one_place() {
    assert_eq!(page_of(0), (0, 0));
    assert_eq!(page_of(63), (0, 63));
    assert_eq!(page_of(64), (1, 0));
    assert_eq!(page_of(191), (1, 127));
    assert_eq!(page_of(192), (2, 0));
    let last = (CAPACITY - 1) as u32;
    assert_eq!(page_of(last), (PAGES - 1, (CHUNK << (PAGES - 1)) - 1));
    // The reactor's own tokens have all ones in the lower half, or all but the last.
    assert!(last < u32::MAX - 1);
}

#[test]
fn an_entry_is_two_cache_lines() {
    assert_eq!(size_of::<Entry>(), 128);
}

#[test]
fn tokens_survive_the_way_through_mio() {
    for (index, generation) in [
        (0, 0),
        (1, 2),
        (u32::MAX - 64, u32::MAX - 1),
        (7, u32::MAX - 1),
    ] {
        let token = Token { index, generation };
        assert_eq!(Token::from_mio(token.to_mio()), token);
    }
}

#[test]
fn no_two_owners_share_an_entry() {
    let registry = Registry::default();
    let tokens: Vec<_> = (0..1000).map(|_| registry.acquire().unwrap()).collect();
    assert_eq!(
        tokens
            .iter()
            .map(|token| token.index)
            .collect::<HashSet<_>>()
            .len(),
        1000
    );
    assert!(registry.created() < 1000 + BATCH);
}

#[test]
fn a_token_of_the_last_owner_fits_nobody() {
    let registry = Registry::default();
    let old = registry.acquire().unwrap();
    registry.release(old, &mut Vec::new());
    let new = registry.acquire().unwrap();
    assert_eq!(new.index, old.index);
    assert_ne!(new.generation, old.generation);

    registry.deliver(old, Some(EVENT), Some(EVENT), &mut Vec::new());
    let entry = registry.entry(new.index);
    assert_eq!(
        (
            entry.read.look(Wanted::Transfer),
            entry.write.look(Wanted::Transfer)
        ),
        (Look::Idle, Look::Idle)
    );
    registry.deliver(new, Some(EVENT), None, &mut Vec::new());
    assert!(matches!(entry.read.look(Wanted::Transfer), Look::Ready(_)));
    assert_eq!(entry.write.look(Wanted::Transfer), Look::Idle);
}

#[test]
fn a_look_of_the_last_owner_clears_nothing_of_the_next() {
    let registry = Registry::default();
    let old = registry.acquire().unwrap();
    let entry = registry.entry(old.index);
    registry.deliver(old, Some(EVENT), None, &mut Vec::new());
    let Look::Ready(seen) = entry.read.look(Wanted::Transfer) else {
        panic!("an event was delivered")
    };
    registry.release(old, &mut Vec::new());
    let new = registry.acquire().unwrap();
    registry.deliver(new, Some(EVENT), None, &mut Vec::new());
    entry
        .read
        .clear(Wanted::Transfer, seen, crate::readiness::Clear::All);
    assert!(matches!(entry.read.look(Wanted::Transfer), Look::Ready(_)));
}

#[test]
fn an_event_of_one_direction_neither_stops_nor_suffers_a_clear_of_the_other() {
    let entry = Entry::default();
    entry.deliver(0, Some(EVENT), None, &mut Vec::new());
    let Look::Ready(seen) = entry.read.look(Wanted::Transfer) else {
        panic!("an event was delivered")
    };
    entry.deliver(0, None, Some(EVENT), &mut Vec::new());
    entry
        .read
        .clear(Wanted::Transfer, seen, crate::readiness::Clear::All);
    assert_eq!(entry.read.look(Wanted::Transfer), Look::Idle);
    assert!(matches!(entry.write.look(Wanted::Transfer), Look::Ready(_)));
}

#[test]
fn more_events_than_a_narrow_tick_could_count_leave_an_old_clear_old() {
    let entry = Entry::default();
    entry.deliver(0, Some(EVENT), None, &mut Vec::new());
    let Look::Ready(seen) = entry.read.look(Wanted::Transfer) else {
        panic!("an event was delivered")
    };
    for power in [8, 16, 20] {
        for _ in 0..1 << power {
            entry.deliver(0, Some(EVENT), None, &mut Vec::new());
        }
        entry
            .read
            .clear(Wanted::Transfer, seen, crate::readiness::Clear::All);
        assert!(matches!(entry.read.look(Wanted::Transfer), Look::Ready(_)));
    }
}

#[test]
fn an_entry_whose_generations_ran_out_never_comes_back() {
    let registry = Registry::default();
    let token = registry.acquire().unwrap();
    registry
        .entry(token.index)
        .generation
        .store(RETIRED - 1, Ordering::Relaxed);
    let last = Token {
        index: token.index,
        generation: RETIRED - 1,
    };
    registry.release(last, &mut Vec::new());
    let tokens: Vec<_> = (0..200).map(|_| registry.acquire().unwrap()).collect();
    assert!(tokens.iter().all(|token| token.index != last.index));
}

#[test]
fn an_entry_stays_shut_down_for_the_next_owner() {
    let registry = Registry::default();
    let token = registry.acquire().unwrap();
    registry.shut_down(&mut Vec::new());
    registry.release(token, &mut Vec::new());
    let next = registry.acquire().unwrap();
    assert_eq!(
        registry.entry(next.index).read.look(Wanted::Transfer),
        Look::Shutdown
    );
}
