//! `Builder::cancel_on_ctrl_c`: real signals, to processes of their own.

use std::future::pending;
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, Runtime};
use executor::task::{FutureExt, shield};

use crate::support::{is_child, spawn_child, within};

fn both() -> [Runtime; 2] {
    let build = |mut builder: Builder| builder.cancel_on_ctrl_c(true).build().unwrap();
    let mut two = Builder::new_multi_thread();
    two.worker_threads(2);
    [build(two), build(Builder::new_current_thread())]
}

/// A task that hears of its end, and says so after a while.
fn spawn_session() {
    executor::spawn(async {
        let error = pending::<()>().or_cancelled().await.unwrap_err();
        let clean_up = executor::time::sleep(Duration::from_millis(5));
        shield(Duration::from_secs(60), clean_up).await.unwrap();
        println!("\nthe session ends by {}", error.reason());
    });
}

fn interrupt(process: u32) {
    // SAFETY: it is a child of ours that was not waited for.
    assert_eq!(unsafe { libc::kill(process as i32, libc::SIGINT) }, 0);
}

#[test]
fn the_first_ctrl_c_is_heard_in_the_future_of_block_on_and_then_in_the_tasks() {
    const NAME: &str =
        "ctrl_c::the_first_ctrl_c_is_heard_in_the_future_of_block_on_and_then_in_the_tasks";
    if is_child(NAME) {
        return within(30, || {
            for runtime in both() {
                let output = runtime.block_on(async {
                    spawn_session();
                    println!("\nready");
                    let error = pending::<()>().or_cancelled().await.unwrap_err();
                    // In the same scope, also in a call that is not async.
                    assert!(executor::task::check_cancelled().is_err());
                    error.reason().to_owned()
                });
                println!("\nblock_on returns {output}");
            }
        });
    }
    let mut child = spawn_child(NAME, &[]);
    for _ in 0..2 {
        child.wait_for_line("ready");
        interrupt(child.id());
        child.wait_for_line("the session ends by Ctrl-C");
        child.wait_for_line("block_on returns Ctrl-C");
    }
    assert!(child.status().success());
}

#[test]
fn a_future_in_which_nothing_hears_of_ctrl_c_is_dropped_and_the_process_exits() {
    const NAME: &str =
        "ctrl_c::a_future_in_which_nothing_hears_of_ctrl_c_is_dropped_and_the_process_exits";
    struct SaysSo;
    impl Drop for SaysSo {
        fn drop(&mut self) {
            println!("\nthe future is dropped");
        }
    }
    if is_child(NAME) {
        return within(30, || {
            let [runtime, _] = both();
            runtime.block_on(async {
                let _value = SaysSo;
                spawn_session();
                println!("\nready");
                pending::<()>().await;
            });
        });
    }
    let mut child = spawn_child(NAME, &[]);
    child.wait_for_line("ready");
    interrupt(child.id());
    child.wait_for_line("the future is dropped");
    child.wait_for_line("the session ends by Ctrl-C");
    assert_eq!(child.status().code(), Some(130));
}

#[test]
fn a_second_ctrl_c_ends_a_process_whose_threads_are_busy() {
    const NAME: &str = "ctrl_c::a_second_ctrl_c_ends_a_process_whose_threads_are_busy";
    if is_child(NAME) {
        return within(30, || {
            let [_, runtime] = both();
            runtime.block_on(async {
                println!("\nready");
                let _ = pending::<()>().or_cancelled().await;
                println!("\nclean-up that hangs");
                loop {
                    thread::sleep(Duration::from_secs(1));
                }
            });
        });
    }
    let mut child = spawn_child(NAME, &[]);
    child.wait_for_line("ready");
    interrupt(child.id());
    child.wait_for_line("clean-up that hangs");
    interrupt(child.id());
    assert_eq!(child.status().code(), Some(130));
}

#[test]
fn without_it_block_on_leaves_ctrl_c_alone() {
    use std::os::unix::process::ExitStatusExt;
    const NAME: &str = "ctrl_c::without_it_block_on_leaves_ctrl_c_alone";
    if is_child(NAME) {
        // Whoever started the tests may have it ignored, as a shell does for what runs in the background.
        // SAFETY: no handler is installed, and nobody else is in this process yet.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        return within(30, || {
            crate::support::workers(1).block_on(async {
                println!("\nready");
                pending::<()>().or_cancelled().await
            })
        })
        .unwrap();
    }
    let mut child = spawn_child(NAME, &[]);
    child.wait_for_line("ready");
    interrupt(child.id());
    assert_eq!(child.status().signal(), Some(libc::SIGINT));
}
