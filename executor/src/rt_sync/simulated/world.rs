//! What there is once in a simulation besides its threads: the clock, and the faults that may happen.
//!
//! The clock moves in two ways. Who reads it finds that a little time has passed. And a thread of its own, which the schedule runs when all
//! others wait, and now and then before, moves it to the next deadline and ends the sleep that waits for it. So a simulation in which
//! nothing can happen any more is a deadlock, which shuttle reports, and not a wait for ever.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use shuttle::rand::RngCore;

use super::bed::{Bed, End};

/// What may happen in an execution that has it, at places that every program must expect it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// A wait on a condition variable ends for nothing.
    SpuriousWake,
    /// A wake takes effect late.
    LateWake,
    /// A steal meets another thief, and begins again.
    StealRetry,
    /// A turn of the reactor ends early, with nothing to show.
    EarlyTurn,
}

struct World {
    /// Since the beginning of the simulation.
    now: Cell<Duration>,
    /// Who sleeps until when. The number tells apart those of one instant.
    alarms: RefCell<BTreeMap<(Duration, u64), Arc<Bed>>>,
    next_alarm: Cell<u64>,
    /// The clock's thread, while it waits for an alarm.
    clock: RefCell<Option<Arc<Bed>>>,
    ended: Cell<bool>,
    /// The faults that this execution has, a bit for each.
    faults: Cell<u64>,
    threads_are_refused: Cell<bool>,
}

// The standard library's: all threads of a simulation run on one thread of the system.
std::thread_local! {
    static WORLD: World = const {
        World {
            now: Cell::new(Duration::ZERO),
            alarms: RefCell::new(BTreeMap::new()),
            next_alarm: Cell::new(0),
            clock: RefCell::new(None),
            ended: Cell::new(false),
            faults: Cell::new(0),
            threads_are_refused: Cell::new(false),
        }
    };
}

/// Runs `main` with a clock of its own, and with some faults or none.
pub(super) fn run(main: impl FnOnce()) {
    WORLD.with(|world| {
        world.now.set(Duration::ZERO);
        world.alarms.take();
        world.clock.take();
        world.ended.set(false);
        // Of two executions one has none at all.
        let choice = random();
        world
            .faults
            .set(if choice % 2 == 0 { 0 } else { choice / 2 });
        world.threads_are_refused.set(false);
    });
    let clock = shuttle::thread::spawn(run_clock);
    main();
    WORLD.with(|world| world.ended.set(true));
    wake_clock();
    clock.join().expect("the clock does not panic");
}

/// A choice that the seed has made.
pub(crate) fn random() -> u64 {
    shuttle::rand::thread_rng().next_u64()
}

/// True if `fault` happens here and now.
pub(crate) fn happens(fault: Fault) -> bool {
    let is_possible = WORLD.with(|world| world.faults.get()) >> fault as u64 & 1 == 1;
    is_possible && random() % 16 == 0
}

/// From now on the system starts no thread, or does so again.
pub(crate) fn refuse_threads(refuse: bool) {
    WORLD.with(|world| world.threads_are_refused.set(refuse));
}

pub(super) fn threads_are_refused() -> bool {
    WORLD.with(|world| world.threads_are_refused.get())
}

/// The time. Some has passed since the last call.
pub(crate) fn now() -> Instant {
    let passed = match random() % 8 {
        0 => Duration::from_micros(20),
        1 => Duration::from_micros(200),
        _ => Duration::from_nanos(50),
    };
    WORLD.with(|world| world.now.set(world.now.get() + passed));
    origin() + elapsed()
}

/// How long the simulation has run, by its own clock.
pub(crate) fn elapsed() -> Duration {
    WORLD.with(|world| world.now.get())
}

/// Unset when dropped.
pub(super) struct Alarm((Duration, u64));

/// Ends the sleep in `bed` at `deadline`.
pub(super) fn set_alarm(bed: &Arc<Bed>, deadline: Instant) -> Alarm {
    let key = WORLD.with(|world| {
        let number = world.next_alarm.get();
        world.next_alarm.set(number + 1);
        let key = (deadline.saturating_duration_since(origin()), number);
        world.alarms.borrow_mut().insert(key, bed.clone());
        key
    });
    wake_clock();
    Alarm(key)
}

impl Drop for Alarm {
    fn drop(&mut self) {
        WORLD.with(|world| world.alarms.borrow_mut().remove(&self.0));
    }
}

/// True if an alarm is so near that a busy machine may well be late for it.
pub(super) fn alarm_is_near() -> bool {
    WORLD.with(|world| {
        let alarms = world.alarms.borrow();
        let next = alarms.keys().next();
        next.is_some_and(|(deadline, _)| *deadline < world.now.get() + NEAR)
    })
}

fn run_clock() {
    while !WORLD.with(|world| world.ended.get()) {
        let next = WORLD.with(|world| world.alarms.borrow_mut().pop_first());
        if let Some(((deadline, _), bed)) = next {
            WORLD.with(|world| world.now.set(world.now.get().max(deadline)));
            bed.end(End::TimedOut);
            // A switch: those who can run come first, see `seeded`.
            super::switch();
        } else {
            let bed = Bed::new();
            WORLD.with(|world| world.clock.replace(Some(bed.clone())));
            let _ = bed.sleep(None);
        }
    }
}

fn wake_clock() {
    if let Some(bed) = WORLD.with(|world| world.clock.take()) {
        bed.end(End::Woken);
    }
}

/// An instant that all times of all simulations are counted from: only differences matter.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// Also the most that time gets ahead while threads could run.
const NEAR: Duration = Duration::from_secs(1);
