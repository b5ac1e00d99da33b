//! Models of sleeping and waking: the idle protocol, the duty's hand-over, the guard's deep sleep, the next slot. And of a seat that
//! is handed over.
//!
//! Shipped code that runs here: `Idle`, `Parker`, `Slot`, `Vacancy`, `Spares`. Not shipped: the queue (`queue::model`), the reactor, which is
//! a parker that an event unparks, and the workers' and the guard's loops, which are the few lines of `park`, `wait`, `take_vacant_duty`,
//! `sleep_deeply` and `leave_seat` that touch the protocol, in their order. A lost wake-up shows as a model in which every thread waits: loom
//! fails it.

use std::ptr::NonNull;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicBool, AtomicUsize, fence};
use loom::thread;

use super::hand_over::Vacancy;
use super::idle::{Idle, Left};
use super::parker::{Parker, Unparked, Unparker};
use super::running::Running;
use super::spares::Spares;
use crate::queue::{Injector, OneWord, Slot};
use crate::rt_sync::{Condvar, Mutex, wait};
use crate::task::{Id, Origin};

/// Workers that consume from an injector until so many values came.
struct Pool {
    idle: Idle,
    injector: Injector<usize>,
    unparkers: Vec<Unparker>,
    left: AtomicUsize,
    /// Workers call others, too. If not, it is as if as many were awake as there are processors, and nothing left of the allowance.
    workers_call: bool,
}

impl Pool {
    fn new(parkers: &[Parker], values: usize) -> Arc<Self> {
        Self::with(parkers, values, true)
    }

    fn with(parkers: &[Parker], values: usize, workers_call: bool) -> Arc<Self> {
        Arc::new(Self {
            workers_call,
            idle: Idle::new(parkers.len()),
            injector: Injector::new(),
            unparkers: parkers.iter().map(Parker::unparker).collect(),
            left: AtomicUsize::new(values),
        })
    }

    fn wake_for_work(&self) {
        if self.idle.should_wake() {
            self.idle
                .wake_one(|worker| assert_eq!(self.unparkers[worker].unpark(), Unparked::Done));
        }
    }

    fn push(&self, value: usize) {
        self.injector.push(value);
        self.wake_for_work();
    }

    fn end_search(&self) {
        if self.idle.stop_searching() && !self.injector.is_empty() && self.workers_call {
            self.wake_for_work();
        }
    }

    fn is_done(&self) -> bool {
        self.left.load(SeqCst) == 0
    }

    /// A spare worker's life: once it finds nothing it leaves, as `retire` does it.
    fn work_and_retire(&self) {
        let mut searching = self.idle.start_searching();
        while self.injector.steal().is_some() {
            if std::mem::take(&mut searching) {
                self.end_search();
            }
            self.count_done();
        }
        self.retire(searching);
    }

    fn retire(&self, searching: bool) {
        self.idle.retire(searching);
        if self.idle.counts().awake() == 0
            || (!self.injector.is_empty() && self.idle.nobody_looks())
        {
            self.idle
                .wake_one(|worker| assert_eq!(self.unparkers[worker].unpark(), Unparked::Done));
        }
    }

    fn count_done(&self) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            // The end of the model, as `close` does it.
            self.unparkers
                .iter()
                .for_each(|unparker| assert_eq!(unparker.unpark(), Unparked::Done));
        }
    }

    fn work(&self, me: usize, parker: &Parker) {
        let mut searching = false;
        while !self.is_done() {
            if self.injector.steal().is_some() {
                if std::mem::take(&mut searching) {
                    self.end_search();
                }
                self.count_done();
                continue;
            }
            self.idle.sleep(me, searching);
            if self.injector.is_empty() && !self.is_done() {
                parker.park();
            } else {
                // Another worker may be half through taking the value that is in sight: let it.
                thread::yield_now();
            }
            searching = self.idle.leave(me) == Left::Woken;
        }
        if searching {
            let _ = self.idle.stop_searching();
        }
    }
}

fn consume(workers: usize, values: usize, workers_call: bool) {
    let parkers: Vec<_> = (0..workers).map(|_| Parker::new()).collect();
    let pool = Pool::with(&parkers, values, workers_call);
    let threads: Vec<_> = parkers
        .into_iter()
        .enumerate()
        .map(|(me, parker)| {
            let pool = pool.clone();
            thread::spawn(move || pool.work(me, &parker))
        })
        .collect();
    (0..values).for_each(|value| pool.push(value));
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(
        pool.idle.counts().searching(),
        0,
        "the count of searchers did not return to zero"
    );
}

#[test]
fn loom_no_push_is_forgotten_by_one_worker() {
    loom::model(|| consume(1, 2, true));
}

#[test]
fn loom_no_push_is_forgotten_by_two_workers() {
    loom::model(|| consume(2, 1, true));
}

/// Beyond the allowance, or of what a worker keeps: whoever is awake takes it all in the end, because nobody blocks here.
#[test]
fn loom_no_push_is_forgotten_though_workers_call_nobody() {
    loom::model(|| consume(2, 2, false));
}

/// Each worker puts something into its own queue, takes it out, and falls asleep.
#[test]
fn loom_who_sleeps_last_knows_that_the_others_queues_are_empty() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let queues = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let work = |me: usize| {
            let (idle, queues) = (idle.clone(), queues.clone());
            move || {
                queues[me].store(1, Relaxed);
                queues[me].store(0, Relaxed);
                let last = idle.sleep(me, false);
                if last {
                    assert_eq!(queues[1 - me].load(Relaxed), 0);
                }
                last
            }
        };
        let other = thread::spawn(work(1));
        let last = work(0)();
        assert_ne!(last, other.join().unwrap(), "one of them is");
    });
}

#[test]
fn loom_two_pushers_and_one_worker() {
    loom::model(|| {
        let parker = Parker::new();
        let pool = Pool::new(std::slice::from_ref(&parker), 2);
        let (first, second) = (pool.clone(), pool.clone());
        let working = thread::spawn(move || first.work(0, &parker));
        let pushing = thread::spawn(move || second.push(1));
        pool.push(2);
        pushing.join().unwrap();
        working.join().unwrap();
    });
}

/// A worker that does not search moves a task to its own queue, and its next poll blocks until another worker has run that task.
#[test]
fn loom_a_task_that_was_in_a_workers_hand_is_seen() {
    loom::model(|| {
        let (parkers, blocked) = ([Parker::new(), Parker::new()], Parker::new());
        let unblock = blocked.unparker();
        let pool = Pool::new(&parkers, 1);
        let own = Arc::new(Injector::new());
        pool.injector.push(1);
        let (pool2, own2) = (pool.clone(), own.clone());
        let [_, parker] = parkers;
        let other = thread::spawn(move || {
            while pool2.injector.steal().or_else(|| own2.steal()).is_none() {
                pool2.idle.sleep(1, false);
                if pool2.injector.is_empty() && own2.is_empty() {
                    parker.park();
                } else {
                    thread::yield_now();
                }
                let _ = pool2.idle.leave(1);
            }
            let _ = unblock.unpark();
        });
        if let Some(task) = pool.injector.steal() {
            own.push(task);
            // `announce_taken`: without it the other one may sleep for ever.
            pool.wake_for_work();
        }
        blocked.park();
        other.join().unwrap();
    });
}

/// What is pushed while a worker searches is announced to nobody. The worker finds something else, whose poll blocks until another worker has run
/// what was pushed.
#[test]
fn loom_what_came_during_a_search_is_announced_when_it_ends() {
    loom::model(|| search_while_somebody_pushes(Pool::end_search));
}

/// The same, but the searcher is a spare worker that retires, and another one blocks.
#[test]
fn loom_what_came_during_a_search_is_announced_by_a_spare_worker_that_retires() {
    loom::model(|| {
        search_while_somebody_pushes(|pool| {
            pool.idle.enroll();
            pool.retire(true);
        });
    });
}

/// Of two workers the first searches, until `end`, and then blocks until the second has run what was pushed.
fn search_while_somebody_pushes(end: impl Fn(&Pool)) {
    let (parkers, blocked) = ([Parker::new(), Parker::new()], Parker::new());
    let unblock = blocked.unparker();
    let pool = Pool::new(&parkers, 1);
    assert!(pool.idle.start_searching());
    let (pool2, pool3) = (pool.clone(), pool.clone());
    let [_, parker] = parkers;
    let other = thread::spawn(move || {
        while pool2.injector.steal().is_none() {
            pool2.idle.sleep(1, false);
            if pool2.injector.is_empty() {
                parker.park();
            } else {
                thread::yield_now();
            }
            let _ = pool2.idle.leave(1);
        }
        let _ = unblock.unpark();
    });
    let pushing = thread::spawn(move || pool3.push(1));
    end(&pool);
    blocked.park();
    other.join().unwrap();
    pushing.join().unwrap();
}

/// A worker, and a spare one that is enrolled, comes, and leaves again, while somebody pushes.
#[test]
fn loom_no_push_is_forgotten_while_a_spare_worker_comes_and_goes() {
    loom::model(|| {
        let parker = Parker::new();
        let pool = Pool::new(std::slice::from_ref(&parker), 1);
        let (first, spare) = (pool.clone(), pool.clone());
        let working = thread::spawn(move || first.work(0, &parker));
        let starting = thread::spawn(move || {
            spare.idle.enroll();
            spare.work_and_retire();
        });
        pool.push(1);
        starting.join().unwrap();
        working.join().unwrap();
        assert_eq!(pool.idle.counts().workers(), 1);
        assert_eq!(pool.idle.counts().searching(), 0);
    });
}

#[test]
fn loom_parker_keeps_a_notification() {
    loom::model(|| {
        let parker = Parker::new();
        let unparker = parker.unparker();
        let news = Arc::new(AtomicUsize::new(0));
        let news2 = news.clone();
        let waking = thread::spawn(move || {
            news2.store(1, Relaxed);
            let _ = unparker.unpark();
        });
        parker.park();
        // The notification carries what its sender wrote before.
        assert_eq!(news.load(Relaxed), 1);
        waking.join().unwrap();
    });
}

/// One worker, a reactor, and somebody else who takes the duty for a moment.
struct Shared {
    idle: Idle,
    /// The duty's lock: one word, taken by compare-and-exchange, as parking_lot's `try_lock` does. (loom's own `try_lock` waits.)
    duty: AtomicBool,
    reactor: Parker,
    /// The event, which ends the wait of whoever polls.
    event: Unparker,
    unparker: Unparker,
    deep: AtomicBool,
    blocking: AtomicBool,
}

impl Shared {
    fn new(parker: &Parker) -> Arc<Self> {
        let reactor = Parker::new();
        Arc::new(Self {
            idle: Idle::new(1),
            event: reactor.unparker(),
            reactor,
            duty: AtomicBool::new(false),
            unparker: parker.unparker(),
            deep: AtomicBool::new(false),
            blocking: AtomicBool::new(false),
        })
    }

    fn try_duty(&self) -> bool {
        self.duty
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_ok()
    }

    fn leave_duty(&self) {
        self.duty.store(false, Release);
    }

    /// `Worker::park` and `wait`, until the event was seen.
    fn park_until_event(&self, parker: &Parker) {
        loop {
            self.idle.sleep(0, false);
            let seen = self.try_duty();
            if seen {
                self.reactor.park();
                self.leave_duty();
            } else {
                parker.park();
            }
            let _ = self.idle.leave(0);
            if seen {
                return;
            }
        }
    }
}

fn hand_over() {
    let parker = Parker::new();
    let shared = Shared::new(&parker);
    let shared2 = shared.clone();
    let working = thread::spawn(move || shared2.park_until_event(&parker));
    // `take_vacant_duty`.
    if shared.try_duty() {
        shared.leave_duty();
        fence(SeqCst);
        if shared.idle.counts().awake() == 0 {
            shared
                .idle
                .wake_one(|_| assert_eq!(shared.unparker.unpark(), Unparked::Done));
        }
    }
    assert_eq!(shared.event.unpark(), Unparked::Done);
    working.join().unwrap();
}

#[test]
fn loom_a_duty_given_back_finds_its_next_holder() {
    // Without the look after the fence this model deadlocks, as it should; loom cannot catch that within a test.
    loom::model(hand_over);
}

#[test]
fn loom_the_guard_sleeps_deeply_only_while_nobody_is_awake() {
    loom::model(|| {
        let parker = Parker::new();
        let guard = Parker::new();
        let guard_unparker = guard.unparker();
        let shared = Shared::new(&parker);
        // The worker sleeps in the driver.
        shared.idle.sleep(0, false);
        shared.blocking.store(true, Relaxed);
        let shared2 = shared.clone();
        let guarding = thread::spawn(move || {
            // `sleep_deeply`.
            shared2.deep.store(true, Relaxed);
            fence(SeqCst);
            if shared2.idle.counts().awake() == 0 && shared2.blocking.load(Relaxed) {
                guard.park();
            }
            shared2.deep.store(false, Relaxed);
        });
        // The worker leaves the driver with an event, and its task may be stuck from here on: the guard must come.
        shared.blocking.store(false, Relaxed);
        if shared.idle.leave(0) == (Left::Myself { first: true }) {
            // `somebody_awoke`.
            fence(SeqCst);
            if shared.deep.load(Relaxed) {
                let _ = guard_unparker.unpark();
            }
        }
        guarding.join().unwrap();
    });
}

/// Who looks at a poll from outside sees one poll, not half of one and half of the next.
#[test]
fn loom_a_look_at_what_runs_is_of_one_poll() {
    fn poll(n: u64) -> (Id, Origin, Option<&'static str>) {
        let name = (n == 2).then_some("second");
        let location = std::panic::Location::caller();
        (Id::from_number(n), Origin::new(name, location), name)
    }
    loom::model(|| {
        let running = Arc::new(Running::new());
        let owner = running.clone();
        let polling = thread::spawn(move || {
            for n in 1..=3 {
                let (id, origin, _) = poll(n);
                owner.begin(id, &origin);
            }
            owner.end();
        });
        if let Some((seq, seen)) = running.look() {
            let (_, _, name) = poll(seen.id.to_number());
            assert_eq!(seq, 2 * seen.id.to_number(), "half of another poll");
            assert_eq!(seen.name.as_deref(), name, "the name of another poll");
        }
        polling.join().unwrap();
        assert!(running.look().is_none());
    });
}

struct Value(usize);

impl OneWord for Value {
    fn into_raw(self) -> NonNull<()> {
        NonNull::without_provenance(std::num::NonZeroUsize::new(self.0).unwrap())
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self(raw.addr().get())
    }
}

#[test]
fn loom_each_value_leaves_the_slot_once() {
    loom::model(|| {
        let slot = Arc::new(Slot::<Value>::new());
        let thief = slot.clone();
        let stealing = thread::spawn(move || {
            thief
                .steal()
                .into_iter()
                .chain(thief.steal())
                .map(|value| value.0)
                .sum::<usize>()
        });
        let mut owned = 0;
        for value in [1, 10] {
            owned += slot.put(Value(value)).map_or(0, |value| value.0);
        }
        owned += slot.take().map_or(0, |value| value.0);
        owned += slot.put(Value(100)).map_or(0, |value| value.0);
        let stolen = stealing.join().unwrap();
        let left = slot.take().map_or(0, |value| value.0);
        assert_eq!(owned + stolen + left, 111, "a value was lost or came twice");
    });
}

/// One seat, and threads that have it in turn. Its core counts polls, in a cell that loom watches: two owners at once, or one who does not
/// see what the other did, fail the model. Every poll blocks; from the second on until the last poll is done, by somebody else: if the
/// seat is lost, all wait.
struct Office {
    vacancy: Vacancy<Core>,
    spares: Spares<usize>,
    /// The system refuses threads.
    refuses: bool,
    /// One that is short, those that are long, and the last.
    polls: usize,
    /// The last poll is done.
    done: Mutex<bool>,
    changed: Condvar,
}

struct Core(UnsafeCell<usize>);

impl Office {
    fn new(refuses: bool, polls: usize) -> Arc<Self> {
        Arc::new(Self {
            vacancy: Vacancy::new(),
            spares: Spares::new(std::time::Duration::ZERO),
            refuses,
            polls,
            done: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    /// `Worker::run`, until the last poll, after which the runtime closes.
    fn sit(office: &Arc<Self>, mut core: Core) {
        loop {
            // SAFETY: loom checks it.
            let polls = core.0.with_mut(|polls| unsafe {
                *polls += 1;
                *polls
            });
            if polls == office.polls {
                *office.done.lock() = true;
                office.changed.notify_all();
                return office.spares.close();
            }
            // `leave_seat`.
            if office.vacancy.offer(core) && !office.spares.call(0) {
                if !office.refuses {
                    let office = office.clone();
                    thread::spawn(move || Self::run_spare(&office));
                } else if let Some(kept) = office.vacancy.nobody_comes() {
                    core = kept;
                    continue;
                }
            }
            if polls > 1 {
                let mut done = office.done.lock();
                while !*done {
                    done = wait(&office.changed, done);
                }
            }
            // The drop of `Away`.
            match office.vacancy.take_back() {
                Some(back) => core = back,
                None => return,
            }
        }
    }

    fn run_spare(office: &Arc<Self>) {
        if let Some(core) = office.vacancy.answer() {
            Self::sit(office, core);
        }
        Self::stand_by(office);
    }

    fn stand_by(office: &Arc<Self>) {
        while office.spares.wait().is_some() {
            if let Some(core) = office.vacancy.answer() {
                Self::sit(office, core);
            }
        }
    }
}

#[test]
fn loom_a_seat_that_is_handed_over_has_one_owner() {
    loom::model(|| {
        let office = Office::new(false, 3);
        Office::sit(&office, Core(UnsafeCell::new(0)));
        Office::stand_by(&office);
    });
}

#[test]
fn loom_a_thread_that_stands_by_takes_a_vacant_seat() {
    loom::model(|| {
        let office = Office::new(false, 3);
        let waiting = office.clone();
        let standing_by = thread::spawn(move || Office::stand_by(&waiting));
        Office::sit(&office, Core(UnsafeCell::new(0)));
        Office::stand_by(&office);
        standing_by.join().unwrap();
    });
}

/// A thread that was called to a seat, and comes when that is not in use any more, gets nothing; or it comes later still, and gets what is
/// offered then.
#[test]
fn loom_a_thread_that_comes_late_does_not_take_a_core_that_rests() {
    loom::model(|| {
        let vacancy = Arc::new(Vacancy::new());
        assert!(vacancy.offer(Core(UnsafeCell::new(0))));
        let late = vacancy.clone();
        let coming = thread::spawn(move || late.answer());
        if let Some(core) = vacancy.take_back() {
            vacancy.rest(core);
            // The guard: the seat is in use again. If the first thread is still on its way, no other is called.
            let core = vacancy.take_resting().expect("a core that rests was taken");
            let call = vacancy.offer(core);
            let first = coming.join().unwrap();
            let second = if call { vacancy.answer() } else { None };
            assert!(first.is_some() != second.is_some(), "none, or two owners");
        } else {
            assert!(coming.join().unwrap().is_some());
        }
    });
}

#[test]
fn loom_a_seat_that_nobody_comes_for_stays() {
    loom::model(|| {
        let office = Office::new(true, 4);
        let waiting = office.clone();
        // It may or may not wait in time.
        let standing_by = thread::spawn(move || Office::stand_by(&waiting));
        Office::sit(&office, Core(UnsafeCell::new(0)));
        Office::stand_by(&office);
        standing_by.join().unwrap();
    });
}
