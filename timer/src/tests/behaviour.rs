//! What an entry answers in each state, and what happens to wakers.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{RawWaker, RawWakerVTable, Wake, Waker},
};

use super::{Bench, Log};
use crate::{BATCH, Entry, Status, Wheel, levels::LATEST};

#[test]
fn auto_traits_are_those_promised() {
    fn send_sync<T: Send + Sync>() {}
    send_sync::<Wheel>();
    send_sync::<Entry>();

    // Two impls apply to an Unpin type, and then this does not compile.
    trait NotUnpin<A> {
        fn holds() {}
    }
    impl<T> NotUnpin<()> for T {}
    impl<T: Unpin> NotUnpin<u8> for T {}
    <Entry as NotUnpin<_>>::holds();
}

#[test]
fn statuses_follow_the_life_of_an_entry() {
    let bench = Bench::new();
    let log = Log::default();
    let mut first = bench.entry(1_000_000);
    assert_eq!(first.deadline(), bench.at(1_000_000));
    assert!(!first.is_fired() && bench.wheel.is_empty());
    assert_eq!(first.as_mut().register(&log.waker(0)), Status::Earliest);

    let mut later = bench.entry(2_000_000);
    assert_eq!(later.as_mut().register(&log.waker(1)), Status::Waiting);
    let mut same = bench.entry(1_000_000);
    assert_eq!(same.as_mut().register(&log.waker(2)), Status::Waiting);
    let mut earlier = bench.entry(999_000);
    assert_eq!(earlier.as_mut().register(&log.waker(3)), Status::Earliest);
    assert_eq!(bench.wheel.len(), 4);

    assert_eq!(bench.turn(1_000_000), (3, false));
    assert_eq!(log.take(), [3, 0, 2]);
    assert!(first.is_fired() && earlier.is_fired() && same.is_fired() && !later.is_fired());
    assert_eq!(first.as_mut().register(Waker::noop()), Status::Fired);
    assert_eq!((bench.wheel.len(), bench.next_wake()), (1, Some(2_000_000)));
}

#[test]
fn a_deadline_the_wheel_has_passed_fires_at_registration() {
    let bench = Bench::new();
    let mut first = bench.entry(500);
    let _ = first.as_mut().register(Waker::noop());
    // All that is due has fired, so the wheel's time goes on to that of the turn.
    bench.turn_all(90_000_000);
    let mut past = bench.entry(90_000_000);
    assert_eq!(past.as_mut().register(Waker::noop()), Status::Fired);
    assert!(past.is_fired() && bench.wheel.is_empty());
}

#[test]
fn the_last_waker_given_is_the_one_handed_out() {
    let bench = Bench::new();
    let log = Log::default();
    let mut entry = bench.entry(1 << 40);
    let waker = log.waker(1);
    assert_eq!(entry.as_mut().register(&waker), Status::Earliest);
    assert_eq!(entry.as_mut().register(&waker), Status::Waiting);
    assert_eq!(entry.as_mut().register(&log.waker(2)), Status::Waiting);
    assert_eq!(bench.turn(1 << 40), (1, false));
    assert_eq!(log.take(), [2]);
}

#[test]
fn wakers_made_at_the_same_address_are_not_taken_for_each_other() {
    // A borrowed waker on the stack, whose clones own what they wake.
    fn clone(data: *const ()) -> RawWaker {
        // SAFETY: the data is the test's waker, which is alive.
        let waker = unsafe { &*data.cast::<Waker>() }.clone();
        let (data, vtable) = (waker.data(), waker.vtable());
        std::mem::forget(waker);
        RawWaker::new(data, vtable)
    }
    fn nothing(_: *const ()) {}
    static BORROWED: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);

    let bench = Bench::new();
    let log = Log::default();
    let mut entry = bench.entry(5);
    let mut place = Waker::noop().clone();
    for number in 0..3 {
        place.clone_from(&log.waker(number));
        // SAFETY: `place` outlives it, and the clones own their data.
        let borrowed = unsafe { Waker::new((&raw const place).cast(), &BORROWED) };
        let _ = entry.as_mut().register(&borrowed);
    }
    bench.turn(5);
    assert_eq!(log.take(), [2]);
}

#[test]
fn cancelled_entries_leave_at_once_and_can_register_again() {
    let bench = Bench::new();
    let mut entry = bench.entry(700);
    let _ = entry.as_mut().register(Waker::noop());
    entry.as_mut().cancel();
    assert_eq!((bench.next_wake(), bench.wheel.len()), (None, 0));
    assert_eq!(bench.turn(1000), (0, false));
    assert!(!entry.is_fired());
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
    drop(entry);
    assert_eq!((bench.next_wake(), bench.wheel.len()), (None, 0));
}

#[test]
fn reset_works_in_every_state() {
    let bench = Bench::new();
    let mut entry = bench.entry(100);
    assert_eq!(entry.as_mut().reset(bench.at(200)), None);
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
    assert_eq!(entry.as_mut().reset(bench.at(150)), Some(Status::Earliest));
    assert_eq!(bench.next_wake(), Some(150));
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Waiting);
    // Later: it waits on, and the wheel may come upon it once before.
    assert_eq!(entry.as_mut().reset(bench.at(300)), Some(Status::Waiting));
    assert_eq!(bench.wheel.len(), 1);
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Waiting);
    assert_eq!(bench.turn(299), (0, false));
    assert_eq!(bench.next_wake(), Some(300));
    assert_eq!(bench.turn(300), (1, false));
    entry.as_mut().reset(bench.at(400));
    assert!(!entry.is_fired());
    assert_eq!(entry.as_mut().register(Waker::noop()), Status::Earliest);
    assert_eq!(bench.turn(400), (1, false));
    entry.as_mut().cancel();
    assert!(entry.is_fired());
}

#[test]
fn a_waiting_entry_that_is_put_off_keeps_its_waker_and_fires_in_order() {
    let bench = Bench::new();
    let log = Log::default();
    let mut entries: Vec<_> = (0..3)
        .map(|number| bench.entry((1 << 30) + 1000 * number))
        .collect();
    for (number, entry) in entries.iter_mut().enumerate() {
        let _ = entry.as_mut().register(&log.waker(number));
    }
    // To between the others; far behind them; and again, to a time beyond all that the wheel can tell.
    let mut put_off = |number: usize, time| {
        let status = entries[number].as_mut().reset(bench.at(time));
        assert_eq!(status, Some(Status::Waiting));
    };
    put_off(0, (1 << 30) + 1500);
    put_off(1, 1 << 50);
    assert_eq!(bench.next_deadline(), Some((1 << 30) + 1500));
    assert_eq!(bench.next_wake(), Some((1 << 30) + 1500));
    bench.check();
    assert_eq!(bench.turn_all((1 << 30) + 1499), 0);
    assert_eq!(bench.turn_all((1 << 30) + 2000), 2);
    assert_eq!(log.take(), [0, 2]);
    assert_eq!(bench.next_deadline(), Some(1 << 50));
    put_off(1, u64::MAX);
    assert_eq!(bench.next_deadline(), Some(LATEST));
    // One that has fired is not put off, and one that is not registered neither.
    assert_eq!(entries[0].as_mut().reset(bench.at(1 << 50)), None);
    assert_eq!(entries[0].as_mut().reset(bench.at(1 << 51)), None);
    drop(entries);
    assert!(bench.wheel.is_empty());
}

#[test]
fn a_waiting_entry_that_is_brought_forward_keeps_its_waker() {
    let bench = Bench::new();
    let log = Log::default();
    let mut entries: Vec<_> = (1..5).map(|number| bench.entry(number << 30)).collect();
    for (number, entry) in entries.iter_mut().enumerate() {
        let _ = entry.as_mut().register(&log.waker(number));
    }
    let mut bring_forward = |number: usize, time| {
        let status = entries[number].as_mut().reset(bench.at(time));
        bench.check();
        (status, entries[number].is_fired())
    };
    assert_eq!(bring_forward(2, 3000), (Some(Status::Earliest), false));
    assert_eq!(bring_forward(1, 5000), (Some(Status::Waiting), false));
    assert_eq!(bench.next_deadline(), Some(3000));
    assert_eq!(bench.turn_all(4000), 1);
    assert_eq!(log.take(), [2]);
    // To a time that the wheel has left behind: it fires at once.
    assert_eq!(bring_forward(3, 4000), (Some(Status::Fired), true));
    assert_eq!(log.take(), [3]);
    assert_eq!(bench.turn_all(5000), 1);
    assert_eq!(log.take(), [1]);
    assert_eq!(bench.next_deadline(), Some(1 << 30));
}

#[test]
fn closing_ends_all_entries_in_batches_and_refuses_new_ones() {
    let bench = Bench::new();
    let mut entries: Vec<_> = (1..=2 * BATCH as u64 + 1)
        .map(|n| bench.entry(n << 20))
        .collect();
    for entry in &mut entries {
        let _ = entry.as_mut().register(Waker::noop());
    }
    let mut wakers = Vec::new();
    assert!(bench.wheel.close(&mut wakers));
    assert_eq!(wakers.len(), BATCH);
    let mut late = bench.entry(1);
    assert_eq!(late.as_mut().register(Waker::noop()), Status::Closed);
    // One that is still registered between the batches may go as it likes.
    drop(entries.pop());
    assert!(!bench.wheel.close(&mut wakers));
    assert_eq!(wakers.len(), 2 * BATCH);
    assert!(!bench.wheel.close(&mut wakers));
    assert_eq!((wakers.len(), bench.next_wake()), (2 * BATCH, None));
    for entry in &mut entries {
        assert_eq!(entry.as_mut().register(Waker::noop()), Status::Closed);
        assert!(!entry.is_fired());
    }
    entries[0].as_mut().reset(bench.at(5));
    assert_eq!(entries[0].as_mut().register(Waker::noop()), Status::Closed);
}

#[test]
fn a_waker_may_drop_and_reset_other_entries() {
    struct Reenter(Bench, Mutex<Vec<std::pin::Pin<Box<Entry>>>>);
    impl Wake for Reenter {
        fn wake(self: Arc<Self>) {
            let mut entries = self.1.lock().unwrap();
            drop(entries.pop());
            let mut entry = entries.pop().unwrap();
            entry.as_mut().reset(self.0.at(9000));
            let _ = entry.as_mut().register(Waker::noop());
            entries.push(entry);
        }
    }
    let bench = Bench::new();
    let mut others: Vec<_> = (0..4).map(|n| bench.entry(100 + n * 2000)).collect();
    for other in &mut others {
        let _ = other.as_mut().register(Waker::noop());
    }
    let wheel = Bench {
        origin: bench.origin,
        wheel: bench.wheel.clone(),
    };
    let reenter = Arc::new(Reenter(wheel, Mutex::new(others)));
    let mut entry = bench.entry(50);
    let _ = entry.as_mut().register(&reenter.clone().into());
    // Fires this one and the first of the others.
    assert_eq!(bench.turn(100), (2, false));
    assert_eq!(bench.wheel.len(), 2);
    assert_eq!(bench.turn_all(8999), 1);
    assert_eq!(bench.turn_all(9000), 1);
    bench.check();
}

#[test]
fn wakers_are_cloned_and_dropped_without_the_lock() {
    // Each function takes the wheel's lock: under it the test would hang.
    fn use_wheel(data: *const ()) {
        // SAFETY: the wheel outlives the test's wakers, which borrow it.
        let wheel = unsafe { &*data.cast::<Wheel>() };
        let _ = wheel.len();
    }
    fn clone(data: *const ()) -> RawWaker {
        use_wheel(data);
        RawWaker::new(data, &VTABLE)
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, use_wheel, use_wheel, use_wheel);

    let bench = Bench::new();
    let wheel = bench.wheel.clone();
    // SAFETY: the functions are those of a waker whose data is borrowed from `wheel`, which lives longer.
    let one = unsafe { Waker::new(Arc::as_ptr(&wheel).cast(), &VTABLE) };
    let two = Waker::noop();
    let mut entry = bench.entry(10);
    let _ = entry.as_mut().register(&one);
    let _ = entry.as_mut().register(two);
    let _ = entry.as_mut().register(&one);
    entry.as_mut().cancel();
    let _ = entry.as_mut().register(&one);
    entry.as_mut().reset(bench.at(20));
    let _ = entry.as_mut().register(&one);
    drop(entry);
    let mut entry = bench.entry(30);
    let _ = entry.as_mut().register(&one);
    assert_eq!(bench.turn(30), (1, false));
}

#[test]
fn a_panic_in_clone_or_drop_of_a_waker_leaves_the_wheel_sound() {
    fn fail(_: *const ()) {
        panic!("a foreign waker panics");
    }
    fn nothing(_: *const ()) {}
    fn clone(_: *const ()) -> RawWaker {
        RawWaker::new(std::ptr::null(), &DROP_FAILS)
    }
    fn clone_fails(_: *const ()) -> RawWaker {
        panic!("a foreign waker panics");
    }
    static DROP_FAILS: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, fail);
    static CLONE_FAILS: RawWakerVTable =
        RawWakerVTable::new(clone_fails, nothing, nothing, nothing);

    let panics = |f: &mut dyn FnMut()| {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err());
    };
    let bench = Bench::new();
    // SAFETY: neither looks at its data.
    let clone_fails = unsafe { Waker::new(std::ptr::null(), &CLONE_FAILS) };
    // SAFETY: as above.
    let drop_fails =
        std::mem::ManuallyDrop::new(unsafe { Waker::new(std::ptr::null(), &DROP_FAILS) });

    let mut entry = bench.entry(100);
    panics(&mut || {
        let _ = entry.as_mut().register(&clone_fails);
    });
    assert!(bench.wheel.is_empty());
    let _ = entry.as_mut().register(&drop_fails);
    // The new waker is in place before the old one's drop panics.
    let log = Log::default();
    panics(&mut || {
        let _ = entry.as_mut().register(&log.waker(7));
    });
    bench.check();
    assert_eq!(bench.turn(100), (1, false));
    assert_eq!(log.take(), [7]);

    entry.as_mut().reset(bench.at(200));
    let _ = entry.as_mut().register(&drop_fails);
    panics(&mut || entry.as_mut().cancel());
    assert!(bench.wheel.is_empty());
}

#[test]
fn asking_again_with_the_same_waker_clones_nothing() {
    static CLONES: AtomicUsize = AtomicUsize::new(0);
    fn clone(data: *const ()) -> RawWaker {
        CLONES.fetch_add(1, Ordering::Relaxed);
        RawWaker::new(data, &VTABLE)
    }
    fn nothing(_: *const ()) {}
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);
    // SAFETY: the functions do nothing with the data.
    let waker = unsafe { Waker::new(std::ptr::null(), &VTABLE) };
    let bench = Bench::new();
    let mut entry = bench.entry(7);
    assert_eq!(entry.as_mut().register(&waker), Status::Earliest);
    for _ in 0..3 {
        assert_eq!(entry.as_mut().register(&waker), Status::Waiting);
    }
    assert_eq!(CLONES.load(Ordering::Relaxed), 1);
}

#[test]
fn an_entry_shows_its_state_and_a_wheel_when_it_wakes() {
    let bench = Bench::new();
    assert!(format!("{:?}", bench.wheel).contains("next_wake: None"));
    let mut entry = bench.entry(7);
    assert!(format!("{entry:?}").contains("Idle"));
    let _ = entry.as_mut().register(Waker::noop());
    assert!(format!("{entry:?}").contains("Registered"));
    assert!(format!("{:?}", bench.wheel).contains("next_wake: Some"));
}
