//! Names of hosts are looked up on threads of their own: closures of the user keep none waiting, and the other way round.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use executor::net::lookup_host;
use executor::runtime::{Builder, Runtime};
use executor::task::JoinHandle;

use crate::support::{block_on, current_thread, until, within, workers};

/// Keeps threads until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let (open, changed) = &*self.0;
        let open = open.lock().unwrap();
        drop(changed.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        let (open, changed) = &*self.0;
        *open.lock().unwrap() = true;
        changed.notify_all();
    }
}

/// A runtime whose pool's threads hang when they start, as if the resolver did.
fn hanging(gate: &Gate, most_threads: usize) -> Runtime {
    let gate = gate.clone();
    Builder::new_current_thread()
        .max_blocking_threads(most_threads)
        .on_thread_start(move || gate.pass())
        .build()
        .unwrap()
}

/// Spawns tasks that look a name up, and returns when they wait, because all threads hang.
fn spawn_lookups(runtime: &Runtime, count: usize) -> Vec<JoinHandle<usize>> {
    let lookups = (0..count)
        .map(|_| runtime.spawn(async { lookup_host("localhost:80").await.unwrap().count() }))
        .collect();
    let metrics = runtime.metrics();
    runtime.block_on(async {
        while metrics.blocking_queue_depth() < count {
            executor::task::yield_now().await;
        }
    });
    lookups
}

#[test]
fn ten_thousand_closures_that_sleep_keep_no_lookup_waiting() {
    within(60, || {
        for runtime in [workers(2), current_thread()] {
            let sleepers: Vec<_> = (0..10_000)
                .map(|_| runtime.spawn_blocking(|| thread::sleep(Duration::from_secs(1000))))
                .collect();
            let found =
                runtime.block_on(async { lookup_host("localhost:80").await.unwrap().count() });
            assert!(found > 0);
            assert!(sleepers.iter().all(|sleeper| !sleeper.is_finished()));
            runtime.shutdown_background();
        }
    });
}

#[test]
fn lookups_that_hang_keep_no_closure_waiting() {
    within(60, || {
        let (gate, first) = (Gate::default(), Mutex::new(true));
        let hanging = Arc::new(AtomicBool::new(false));
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .on_thread_start({
                let (gate, hanging) = (gate.clone(), hanging.clone());
                move || {
                    if std::mem::take(&mut *first.lock().unwrap()) {
                        hanging.store(true, SeqCst);
                        gate.pass();
                    }
                }
            })
            .build()
            .unwrap();
        let lookups = spawn_lookups(&runtime, 100);
        // Or the closure's thread might be the first.
        until(|| hanging.load(SeqCst));
        assert_eq!(block_on(runtime.spawn_blocking(|| 7)).unwrap(), 7);
        assert!(lookups.iter().all(|lookup| !lookup.is_finished()));
        gate.open();
        for lookup in lookups {
            assert!(runtime.block_on(lookup).unwrap() > 0);
        }
    });
}

#[test]
fn lookups_have_a_limit_of_their_own_and_show_in_the_metrics() {
    within(60, || {
        for (most_threads, expected) in [(2, 2), (512, 64)] {
            let gate = Gate::default();
            let runtime = hanging(&gate, most_threads);
            let metrics = runtime.metrics();
            let lookups = spawn_lookups(&runtime, 1000);
            assert_eq!(metrics.num_blocking_threads(), expected);
            assert_eq!(metrics.num_idle_blocking_threads(), 0);
            assert_eq!(metrics.blocking_queue_depth(), 1000);
            let closure = runtime.spawn_blocking(|| ());
            assert_eq!(metrics.num_blocking_threads(), expected + 1);
            assert_eq!(metrics.blocking_queue_depth(), 1001);
            gate.open();
            for lookup in lookups {
                assert!(runtime.block_on(lookup).unwrap() > 0);
            }
            block_on(closure).unwrap();
            until(|| metrics.num_idle_blocking_threads() == expected + 1);
            assert_eq!(metrics.blocking_queue_depth(), 0);
        }
    });
}

#[test]
fn lookups_that_hang_keep_no_runtime_from_ending() {
    within(60, || {
        let gate = Gate::default();
        let runtime = hanging(&gate, 1);
        let handle = runtime.handle().clone();
        let waiting = thread::spawn(move || {
            // Polled from outside, so the end of the runtime does not drop the future: it must answer.
            let _entered = handle.enter();
            block_on(async { lookup_host("localhost:80").await.map(Iterator::count) })
        });
        until(|| runtime.metrics().blocking_queue_depth() == 1);
        runtime.shutdown_timeout(Duration::from_millis(10));
        let error = waiting.join().unwrap().unwrap_err();
        assert!(error.to_string().contains("cancelled"), "{error}");
        gate.open();
    });
}
