//! Models of a seat that is handed over: it has one owner at any time, and is not lost.
//!
//! Shipped code that runs here: `Vacancy`, `Spares`. Not shipped: the worker's loop, which is the few lines of `leave_seat` and of the drop
//! of `Away` that touch the protocol, in their order. A seat that is lost shows as a model in which every thread waits: loom fails it.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::hand_over::Vacancy;
use super::spares::Spares;
use crate::rt_sync::{Condvar, Mutex, wait};

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
