//! A process whose runtime has nothing to do makes no system calls: its threads sleep, and stay asleep.

use std::fs;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use executor::net::TcpListener;
use executor::time::sleep;

use crate::support::{is_child, spawn_child, within, workers};

/// In the child: a runtime with a listener and a far timer, after some work. Ends when the parent closes the input.
fn child() {
    let runtime = workers(2);
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        drop(executor::spawn(async move {
            let _ = listener.accept().await;
        }));
        drop(executor::spawn(sleep(Duration::from_secs(24 * 3600))));
        for _ in 0..100 {
            executor::spawn(sleep(Duration::from_micros(50)))
                .await
                .unwrap();
            executor::task::spawn_blocking(|| ()).await.unwrap();
        }
    });
    println!("\nidle from now on");
    // The parent kills this process, or closes the pipe by its own end.
    let mut input = String::new();
    let _ = std::io::stdin().read_to_string(&mut input);
    thread::sleep(Duration::from_secs(120));
}

/// How often the threads of a process went to sleep by themselves: each time is at least one system call.
fn sleeps(process: u32) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut sleeps: Vec<_> = tasks
        .map(|task| {
            let path = task.unwrap().path();
            let status = fs::read_to_string(path.join("status")).unwrap_or_default();
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            (
                path.display().to_string(),
                line.map_or(0, |count| count.trim().parse().unwrap()),
            )
        })
        .collect();
    sleeps.sort();
    sleeps
}

/// Waits until the counts have not changed for `quiet`; panics after `limit`.
fn falls_silent(test: &str, quiet: Duration, limit: Duration) {
    let mut process = spawn_child(test, &[]);
    process.wait_for_line("idle from now on");
    let start = Instant::now();
    let mut before = sleeps(process.id());
    loop {
        thread::sleep(quiet);
        let now = sleeps(process.id());
        if now == before {
            return;
        }
        assert!(
            start.elapsed() < limit,
            "still awake: {before:?}, then {now:?}"
        );
        before = now;
    }
}

#[test]
fn an_idle_runtime_falls_silent() {
    const TEST: &str = "idle::an_idle_runtime_falls_silent";
    if is_child(TEST) {
        return child();
    }
    within(60, || {
        falls_silent(TEST, Duration::from_secs(1), Duration::from_secs(30))
    });
}

#[test]
#[ignore = "takes 20 s; .ci/run runs it"]
fn fifteen_seconds_after_its_last_work_nothing_moves() {
    const TEST: &str = "idle::fifteen_seconds_after_its_last_work_nothing_moves";
    if is_child(TEST) {
        return child();
    }
    within(60, || {
        let mut process = spawn_child(TEST, &[]);
        process.wait_for_line("idle from now on");
        thread::sleep(Duration::from_secs(15));
        let before = sleeps(process.id());
        thread::sleep(Duration::from_secs(5));
        assert_eq!(sleeps(process.id()), before);
    });
}
