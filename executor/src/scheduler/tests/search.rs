//! Tests of the search: where a worker finds tasks, and when it does not look.

use super::super::worker::Worker;
use super::{ThreadlessRuntime, a_task};

/// The first worker of the runtime; the others are the test's.
fn first_worker(runtime: &mut ThreadlessRuntime) -> Worker {
    Worker::new(runtime.shared.clone(), runtime.cores.remove(0))
}

/// True: it has found a task.
fn finds(worker: &Worker) -> bool {
    worker.search().map(|task| task.cancel()).is_some()
}

#[test]
fn a_search_takes_half_of_a_queue_and_counts_itself_and_what_it_took() {
    let mut runtime = ThreadlessRuntime::new(2, 0);
    let worker = first_worker(&mut runtime);
    (0..6).for_each(|_| runtime.cores[0].queue.push(a_task()));
    assert!(finds(&worker));
    assert_eq!(
        (worker.core.queue.len(), runtime.cores[0].queue.len()),
        (2, 3)
    );
    let counters = &worker.seat().counters;
    assert_eq!((counters.steals.get(), counters.stolen.get()), (1, 3));
    worker.count_stolen(0);
    assert_eq!(counters.steals.get(), 1, "one that took nothing");
    assert_eq!(runtime.shared.idle.counts().searching(), 1);
    worker.found_work();
    assert_eq!(runtime.shared.idle.counts().searching(), 0);
    worker.drain();
}

#[test]
fn a_search_finds_what_was_injected_and_what_is_in_the_next_slot_of_a_long_poll() {
    let mut runtime = ThreadlessRuntime::new(2, 0);
    let worker = first_worker(&mut runtime);
    runtime.shared.injector.push(a_task());
    assert!(finds(&worker));
    runtime.begin_poll(1);
    assert!(runtime.shared.seats[1].slot.put(a_task()).is_none());
    assert!(finds(&worker));
    assert_eq!(worker.seat().counters.stolen.get(), 1);
    assert!(!finds(&worker));
    assert_eq!(runtime.shared.idle.counts().searching(), 1, "counted once");
}

#[test]
fn a_search_begins_at_one_seat_or_another_and_comes_to_all() {
    let mut runtime = ThreadlessRuntime::new(4, 0);
    let worker = first_worker(&mut runtime);
    for seat in 0..3 {
        for _ in 0..20 {
            runtime.cores[seat].queue.push(a_task());
            assert!(finds(&worker), "at the seat {seat}");
        }
    }
    let mut taken = [0; 3];
    for _ in 0..60 {
        runtime
            .cores
            .iter()
            .for_each(|core| core.queue.push(a_task()));
        assert!(finds(&worker));
        for (core, taken) in runtime.cores.iter().zip(&mut taken) {
            match core.queue.pop() {
                Some(task) => task.cancel(),
                None => *taken += 1,
            }
        }
    }
    assert!(taken.iter().all(|&taken| taken > 5), "{taken:?}");
}

#[test]
fn a_worker_does_not_search_if_enough_others_do_or_if_all_others_sleep() {
    let mut runtime = ThreadlessRuntime::new(2, 0);
    let worker = first_worker(&mut runtime);
    let idle = &runtime.shared.idle;
    assert!(idle.start_searching());
    runtime.shared.injector.push(a_task());
    assert!(!finds(&worker));
    assert!(!worker.searching.get());
    let _ = idle.sleep(1, true);
    assert!(!finds(&worker), "its own look at the injector is enough");
    assert_eq!(idle.counts().searching(), 0);
}
