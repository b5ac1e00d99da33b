//! What the levels record about slots, and where the wheel's time goes: what costs a walk or a detour when it is wrong, not an event.

use crate::levels::Levels;

/// The start of a slot on level 3, so that there are digits above those in use.
const BASE: u64 = 5 << 18;

fn levels_at(now: u64) -> Levels {
    let mut levels = Levels::new();
    levels.allocate();
    levels.advance(now);
    assert_eq!(levels.elapsed(), now, "nothing is in the way");
    levels
}

#[test]
fn a_minimum_is_stale_from_its_removal_to_the_next_refresh_or_earlier_entry() {
    let mut levels = levels_at(BASE);
    let slot = levels.place(BASE + 70);
    assert_eq!((slot.level(), slot), (1, levels.place(BASE + 100)));
    for deadline in [70, 90, 100] {
        levels.added(slot, BASE + deadline);
    }
    levels.removed(slot, BASE + 90, false);
    assert!(!levels.is_stale(slot), "the minimum is still there");
    levels.removed(slot, BASE + 70, false);
    assert!(levels.is_stale(slot));
    assert_eq!(levels.earliest(), BASE + 70, "a lower bound");
    levels.refresh(slot, BASE + 100);
    assert!(!levels.is_stale(slot));
    assert_eq!(levels.earliest(), BASE + 100);

    levels.added(slot, BASE + 110);
    levels.removed(slot, BASE + 100, false);
    assert!(levels.is_stale(slot));
    levels.added(slot, BASE + 80);
    assert!(!levels.is_stale(slot), "a new minimum is exact");
}

#[test]
fn an_empty_slot_is_not_stale_and_neither_is_its_next_entry() {
    let mut levels = levels_at(BASE);
    let slot = levels.place(BASE + 70);
    levels.added(slot, BASE + 70);
    levels.added(slot, BASE + 71);
    levels.removed(slot, BASE + 70, false);
    levels.removed(slot, BASE + 71, true);
    assert!(!levels.is_stale(slot));
    assert_eq!(levels.first(), None);
    levels.added(slot, BASE + 100);
    assert!(!levels.is_stale(slot));
}

#[test]
fn slots_of_one_deadline_are_never_stale() {
    let mut levels = levels_at(BASE);
    let slot = levels.place(BASE + 3);
    assert_eq!(slot.level(), 0);
    levels.added(slot, BASE + 3);
    levels.added(slot, BASE + 3);
    levels.removed(slot, BASE + 3, false);
    assert!(!levels.is_stale(slot));
}

#[test]
fn time_goes_on_to_just_before_the_first_slot() {
    for (start, level) in [
        (BASE + (7 << 12), 2),
        (BASE + (9 << 6), 1),
        (7 << 18, 3),
        (7 << 24, 4),
        (100 << 24, 4),
        (7 << 36, 5),
        (1 << 60, 9),
    ] {
        let mut levels = levels_at(BASE);
        let slot = levels.place(start + 3);
        assert_eq!(slot.level(), level);
        levels.added(slot, start + 3);
        levels.advance(start + 2);
        assert_eq!(levels.elapsed(), start - 1, "level {level}");
    }
}
