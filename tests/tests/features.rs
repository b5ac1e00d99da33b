//! What the features bring along, tokio's names for them, and the channels and locks that are tokio's own.

use std::any::type_name;
use std::collections::BTreeSet;
use std::pin::pin;
use std::process::Command;
use std::task::Poll;
use std::thread;

use executor::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};

use crate::support::source::{read, root};
use crate::support::{block_on, current_thread, each_runtime, poll_once, within, workers};

/// The crates that users of the library build with these features, each as `name vX.Y.Z feature,feature`.
fn tree(arguments: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "executor-rt", "-e", "normal"])
        .args(["--prefix", "none", "--no-dedupe", "-f", "{p}|{f}"])
        .args(arguments.split_whitespace())
        .current_dir(root())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree {arguments}: {error}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// The features with which tokio is in the tree, if it is.
fn features_of_tokio(tree: &BTreeSet<String>) -> Option<String> {
    let tokio = tree.iter().find(|package| package.starts_with("tokio "))?;
    Some(tokio.rsplit_once('|').unwrap().1.to_owned())
}

#[test]
fn without_io_and_sync_no_crate_of_tokio_is_in_the_tree() {
    for arguments in [
        "--no-default-features",
        "--no-default-features --features macros,test-util",
        "--no-default-features --features rt-multi-thread,net,time,signal,process,fs,io-std,parking_lot,bytes",
    ] {
        let tree = tree(arguments);
        assert!(tree.iter().any(|package| package.starts_with("mio ")));
        let tokio = tree.iter().find(|package| package.starts_with("tokio"));
        assert_eq!(tokio, None, "{arguments}");
    }
}

#[test]
fn of_tokio_only_the_halves_without_a_runtime_are_compiled() {
    // tokio-util, which `sync` brings, asks for tokio's default features: there are none.
    let compiled = [
        ("", "bytes,default,io-util,sync"),
        ("--no-default-features --features io", "bytes,io-util"),
        ("--no-default-features --features sync", "default,sync"),
        ("--no-default-features --features io-util", "bytes,io-util"),
        ("--features full,test-util", "bytes,default,io-util,sync"),
    ];
    for (arguments, features) in compiled {
        let tokio = features_of_tokio(&tree(arguments));
        assert_eq!(tokio.as_deref(), Some(features), "{arguments}");
    }
}

#[test]
fn the_default_tree_is_as_large_as_its_decision_says() {
    let crates = tree("").len();
    assert!(crates <= 45, "{crates} crates");
    let decision = read("docs/decisions/008-dependencies.md");
    assert!(
        decision.contains(&format!("There are {crates} as of")),
        "{crates} crates: bring decision 008 up to date"
    );
}

#[test]
fn full_adds_nothing_to_the_default() {
    let names = |tree: BTreeSet<String>| -> BTreeSet<String> {
        let name = |package: String| package.split('|').next().unwrap().to_owned();
        tree.into_iter().map(name).collect()
    };
    assert_eq!(names(tree("--features full")), names(tree("")));
    assert_eq!(
        names(tree("--no-default-features --features full")),
        names(tree(""))
    );
}

#[test]
fn channels_and_locks_are_the_types_that_other_crates_exchange() {
    for name in [
        type_name::<Mutex<u8>>(),
        type_name::<Notify>(),
        type_name::<Semaphore>(),
        type_name::<mpsc::Sender<u8>>(),
        type_name::<oneshot::Receiver<u8>>(),
        type_name::<broadcast::Sender<u8>>(),
        type_name::<watch::Receiver<u8>>(),
    ] {
        assert!(name.starts_with("tokio::sync::"), "{name}");
    }
}

#[test]
fn values_travel_between_tasks_runtimes_and_threads() {
    within(60, || {
        let (one, two) = (workers(2), current_thread());
        let (sender, mut receiver) = mpsc::channel::<u32>(4);
        let plain = sender.clone();
        one.spawn(async move {
            for n in 0..1000 {
                sender.send(n).await.unwrap();
            }
        });
        let thread = thread::spawn(move || {
            (0..1000).for_each(|n| plain.blocking_send(n).unwrap());
        });
        let sum = two.block_on(async {
            let mut sum = 0;
            while let Some(n) = receiver.recv().await {
                sum += n;
            }
            sum
        });
        assert_eq!(sum, 999_000);
        thread.join().unwrap();
    });
}

#[test]
fn a_lock_is_handed_on_when_a_task_that_waits_for_it_is_aborted() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let lock = std::sync::Arc::new(Mutex::new(0));
                let held = lock.clone().lock_owned().await;
                let wait = |lock: std::sync::Arc<Mutex<u32>>| {
                    executor::spawn(async move { *lock.lock().await += 1 })
                };
                let (first, second) = (wait(lock.clone()), wait(lock.clone()));
                executor::task::yield_now().await;
                first.abort();
                assert!(first.await.unwrap_err().is_cancelled());
                drop(held);
                second.await.unwrap();
                assert_eq!(*lock.lock().await, 1);
            });
        });
    });
}

#[test]
fn the_budget_of_tokios_types_is_unlimited() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (0..10_000).for_each(|n| sender.send(n).unwrap());
    let all = pin!(async {
        for n in 0..10_000 {
            assert_eq!(receiver.recv().await, Some(n));
        }
    });
    let runtime = current_thread();
    let _entered = runtime.enter();
    assert_eq!(poll_once(all), Poll::Ready(()), "one poll receives all");
}

#[test]
fn a_method_that_blocks_holds_a_worker_and_does_not_panic() {
    within(60, || {
        let runtime = workers(2);
        let (sender, receiver) = oneshot::channel();
        let blocked = runtime.spawn(async move { receiver.blocking_recv() });
        sender.send(7).unwrap();
        assert_eq!(block_on(blocked).unwrap(), Ok(7));
    });
}
