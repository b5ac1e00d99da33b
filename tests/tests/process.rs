//! Child processes. What counts processes or descriptors runs in a process of its own.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::process::Command;
use executor::signal::unix::{SignalKind, signal};
use executor::time::timeout;

use crate::support::{
    block_on, child, current_thread, each_runtime, fds, in_time, kind, pair, poll_once, until,
    within, workers,
};

#[test]
fn a_status_is_the_same_each_time() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let mut seven = shell("exit 7").spawn().unwrap();
                assert!(seven.id().is_some());
                for _ in 0..2 {
                    assert_eq!(seven.wait().await.unwrap().code(), Some(7));
                    assert_eq!(seven.try_wait().unwrap().unwrap().code(), Some(7));
                }
                assert_eq!(seven.id(), None);
                // There is nobody to kill any more.
                seven.start_kill().unwrap();
                seven.kill().await.unwrap();
                assert_eq!(seven.wait().await.unwrap().code(), Some(7));
            });
        });
    });
}

#[test]
fn a_signal_is_told_from_an_exit() {
    within(60, || {
        workers(1).block_on(async {
            let status = shell("kill -TERM $$").status().await.unwrap();
            assert_eq!(
                (status.code(), status.signal()),
                (None, Some(libc::SIGTERM))
            );
            let mut killed = endless().spawn().unwrap();
            assert_eq!(killed.try_wait().unwrap(), None);
            killed.kill().await.unwrap();
            let status = killed.wait().await.unwrap();
            assert_eq!(status.signal(), Some(libc::SIGKILL));
        });
    });
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    workers(1).block_on(async {
        let name = "there-is-no-such-program";
        for error in [
            Command::new(name).spawn().unwrap_err(),
            Command::new(name).status().await.unwrap_err(),
            Command::new(name).output().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
            assert!(error.to_string().contains(name), "{error}");
        }
        let elsewhere = Command::new("true").current_dir("/no/such/place").spawn();
        let error = elsewhere.unwrap_err().to_string();
        assert!(error.contains("true in /no/such/place"), "{error}");
    });
}

#[test]
fn a_megabyte_goes_through_both_pipes() {
    within(120, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let data: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();
                let mut cat = shell("tee /dev/stderr")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap();
                let mut stdin = cat.stdin.take().unwrap();
                let writer = executor::spawn({
                    let data = data.clone();
                    async move { stdin.write_all(&data).await }
                });
                let output = cat.wait_with_output().await.unwrap();
                writer.await.unwrap().unwrap();
                assert!(output.status.success());
                assert!(output.stdout == data && output.stderr == data);
            });
        });
    });
}

#[test]
fn pipes_speak_the_traits_of_futures_too() {
    within(60, || {
        workers(1).block_on(async {
            let mut cat = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (mut stdin, mut stdout) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
            futures::AsyncWriteExt::write_all(&mut stdin, b"hello")
                .await
                .unwrap();
            drop(stdin);
            let mut text = String::new();
            futures::AsyncReadExt::read_to_string(&mut stdout, &mut text)
                .await
                .unwrap();
            assert_eq!(text, "hello");
            assert!(cat.wait().await.unwrap().success());
        });
    });
}

#[test]
fn waiting_closes_standard_input() {
    within(60, || {
        workers(1).block_on(async {
            let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
            assert!(cat.wait().await.unwrap().success());
            assert!(cat.stdin.is_none());
        });
    });
}

#[test]
fn a_wait_that_was_given_up_loses_nothing() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
                let stdin = cat.stdin.take();
                for _ in 0..3 {
                    let waited = timeout(Duration::from_millis(1), cat.wait()).await;
                    assert!(waited.is_err(), "it still has its input");
                }
                assert!(poll_once(pin!(cat.wait())).is_pending());
                drop(stdin);
                assert!(cat.wait().await.unwrap().success());
            });
        });
    });
}

#[test]
fn one_childs_output_is_anothers_input() {
    within(60, || {
        workers(2).block_on(async {
            let mut first = shell("echo one; echo two")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let pipe: Stdio = first.stdout.take().unwrap().try_into().unwrap();
            let second = Command::new("wc").arg("-l").stdin(pipe).output();
            assert_eq!(second.await.unwrap().stdout.trim_ascii(), b"2");
            assert!(first.wait().await.unwrap().success());
        });
    });
}

#[test]
fn a_pipe_that_the_child_has_closed_is_an_error() {
    within(60, || {
        workers(1).block_on(async {
            let mut gone = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
            let mut stdin = gone.stdin.take().unwrap();
            gone.wait().await.unwrap();
            let broken = stdin.write_all(&[0; 1 << 20]).await;
            assert_eq!(kind(broken), std::io::ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn settings_reach_the_child() {
    within(60, || {
        workers(1).block_on(async {
            let text = async |command: &mut Command| {
                let output = command.output().await.unwrap();
                assert!(output.status.success(), "{output:?}");
                String::from_utf8(output.stdout).unwrap()
            };
            let mut shell =
                shell("echo $A $B $C; pwd; echo $0; ps -o pgid= -p $$ || echo $$; echo $$");
            shell
                .env("A", "a")
                .envs([("B", "b"), ("C", "c")])
                .env_remove("C")
                .current_dir("/")
                .arg("name")
                .process_group(0);
            let all = text(&mut shell).await;
            let lines: Vec<_> = all.lines().map(str::trim).collect();
            assert_eq!(lines[..3], ["a b", "/", "name"]);
            assert_eq!(lines[3], lines[4], "it leads its group: {all}");

            let clear = text(Command::new("/usr/bin/env").env_clear().env("A", "a")).await;
            assert_eq!(clear, "A=a\n");
            let arg0 = text(
                Command::new("sh")
                    .arg0("renamed")
                    .args(["-c", "cat /proc/$$/cmdline"]),
            )
            .await;
            assert!(arg0.starts_with("renamed\0"), "{arg0:?}");
            // SAFETY: they ask for numbers.
            let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
            let ids = text(Command::new("id").arg("-u").uid(uid).gid(gid)).await;
            assert_eq!(ids.trim(), uid.to_string());
            let mut prepared = Command::from(std::process::Command::new("sh"));
            prepared.as_std_mut().args(["-c", "umask"]);
            // SAFETY: it makes one system call.
            unsafe {
                prepared.pre_exec(|| {
                    libc::umask(0o027);
                    Ok(())
                })
            };
            assert!(text(&mut prepared).await.trim().ends_with("27"));
            assert_eq!(prepared.as_std().get_program(), "sh");
            assert!(!prepared.get_kill_on_drop());
        });
    });
}

#[test]
fn many_children_at_once() {
    within(120, || {
        workers(2).block_on(async {
            let tasks: Vec<_> = (0..64)
                .map(|i| {
                    executor::spawn(async move {
                        let output = Command::new("echo")
                            .arg(i.to_string())
                            .output()
                            .await
                            .unwrap();
                        assert_eq!(output.stdout.trim_ascii(), i.to_string().as_bytes());
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

#[test]
fn a_thousand_short_children_leave_no_zombie() {
    child("process::a_thousand_short_children_leave_no_zombie", || {
        workers(2).block_on(async {
            for _ in 0..100 {
                let mut waited: Vec<_> = (0..10)
                    .map(|_| Command::new("true").spawn().unwrap())
                    .collect();
                // Half of them nobody waits for.
                waited.truncate(5);
                for mut child in waited {
                    assert!(child.wait().await.unwrap().success());
                }
            }
            until(|| children().is_empty());
        });
    });
}

#[test]
fn no_descriptor_stays_behind() {
    child("process::no_descriptor_stays_behind", || {
        let runtime = workers(1);
        let round = || {
            runtime.block_on(async {
                Command::new("true").output().await.unwrap();
                Command::new("no-such-program").output().await.unwrap_err();
                drop(
                    endless()
                        .kill_on_drop(true)
                        .stdin(Stdio::piped())
                        .spawn()
                        .unwrap(),
                );
            });
            until(|| children().is_empty());
        };
        // The first starts the default runtime.
        round();
        // Once more if the count before was none to come back to: the last of a round closes late, or the default runtime has made what it needs
        // from then on.
        in_time(|time| {
            let before = fds();
            (0..10).for_each(|_| round());
            let end = Instant::now() + time;
            while fds() != before && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
            fds() == before
        });
    });
}

#[test]
fn kill_on_drop_kills_and_reaps() {
    child("process::kill_on_drop_kills_and_reaps", || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                drop(endless().kill_on_drop(true).spawn().unwrap());
                until(|| children().is_empty());
                let waits = timeout(
                    Duration::from_millis(1),
                    endless().kill_on_drop(true).status(),
                );
                assert!(waits.await.is_err());
                until(|| children().is_empty());
            });
        });
    });
}

// Where the end of a child is heard by SIGCHLD, the handler ends that the signal is ignored.
#[cfg(not(executor_fallbacks))]
#[test]
fn a_child_that_somebody_else_has_reaped_is_not_killed() {
    let test = "process::a_child_that_somebody_else_has_reaped_is_not_killed";
    child(test, || {
        // SAFETY: no handler is given. From here on the system reaps children itself.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        workers(1).block_on(async {
            let mut ended = shell("exit 0").kill_on_drop(true).spawn().unwrap();
            until(|| children().is_empty());
            for _ in 0..2 {
                // ESRCH would say that the signal was sent, to whoever has the number.
                let error = ended.start_kill().unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
                let error = ended.wait().await.unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
            }
        });
    });
}

#[test]
fn children_outlive_their_runtime_and_are_reaped() {
    child(
        "process::children_outlive_their_runtime_and_are_reaped",
        || {
            each_runtime(outlive);
        },
    );
}

/// Children that are dropped before, with, and after their runtime.
fn outlive(runtime: executor::runtime::Runtime) {
    let cat = || {
        let _entered = runtime.enter();
        let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        (cat.stdin.take().unwrap().into_owned_fd().unwrap(), cat)
    };
    let ((first_in, first), (second_in, mut second), (third_in, mut third)) = (cat(), cat(), cat());
    drop(first);
    let _never = runtime.spawn(async move { second.wait().await });
    drop(runtime);
    assert_eq!(children().len(), 3, "a runtime's end kills nobody");
    let error = block_on(third.wait()).unwrap_err();
    assert!(executor::runtime::is_rt_shutdown_err(&error), "{error}");
    drop((first_in, second_in));
    until(|| children().len() == 1);
    drop(third_in);
    // A child that has ended can be asked, though nobody tells of it any more.
    until(|| third.try_wait().unwrap().is_some());
    assert!(block_on(third.wait()).unwrap().success());
    assert_eq!(children().len(), 0);
}

#[test]
fn a_runtime_that_has_ended_starts_nothing() {
    child("process::a_runtime_that_has_ended_starts_nothing", || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        assert!(endless().spawn().is_err());
        assert!(endless().stdin(Stdio::piped()).spawn().is_err());
        until(|| children().is_empty());
    });
}

/// What the standard library's child has before there is a runtime, ours has beside one: nothing of it leaks.
#[test]
fn children_inherit_standard_streams_and_nothing_else() {
    child(
        "process::children_inherit_standard_streams_and_nothing_else",
        || {
            let descriptors = ["ls", "/proc/self/fd"];
            let signals = ["grep", "^Sig[BIC]", "/proc/self/status"];
            let expected = [&descriptors[..], &signals[..]].map(|command| {
                let mut std = std::process::Command::new(command[0]);
                std.args(&command[1..]).stdin(Stdio::null());
                std.output().unwrap().stdout
            });
            workers(2).block_on(async {
                let _sockets = pair().await;
                // One that is hardly ever ignored: a child does not ignore what its parent listens to.
                let _signal = signal(SignalKind::user_defined2()).unwrap();
                let _other = endless()
                    .kill_on_drop(true)
                    .stdin(Stdio::piped())
                    .spawn()
                    .unwrap();
                executor::time::sleep(Duration::from_micros(1)).await;
                for (command, expected) in [&descriptors[..], &signals[..]].iter().zip(expected) {
                    let mut ours = Command::new(command[0]);
                    ours.args(&command[1..]).stdin(Stdio::null());
                    let found = ours.output().await.unwrap().stdout;
                    assert_eq!(
                        String::from_utf8_lossy(&found),
                        String::from_utf8_lossy(&expected)
                    );
                }
            });
        },
    );
}

#[test]
fn interrupted_calls_disturb_nobody() {
    child("process::interrupted_calls_disturb_nobody", || {
        workers(2).block_on(async {
            let mut heard = signal(SignalKind::user_defined1()).unwrap();
            let stop = Arc::new(AtomicBool::new(false));
            let storm = std::thread::spawn({
                let stop = stop.clone();
                move || {
                    while !stop.load(SeqCst) {
                        // SAFETY: the signal has a handler.
                        unsafe { libc::kill(std::process::id() as i32, libc::SIGUSR1) };
                        std::thread::sleep(Duration::from_micros(50));
                    }
                }
            });
            for _ in 0..30 {
                let mut cat = Command::new("cat")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                cat.stdin
                    .as_mut()
                    .unwrap()
                    .write_all(b"hello")
                    .await
                    .unwrap();
                let mut five = [0; 5];
                cat.stdout
                    .as_mut()
                    .unwrap()
                    .read_exact(&mut five)
                    .await
                    .unwrap();
                assert!(cat.wait_with_output().await.unwrap().status.success());
            }
            stop.store(true, SeqCst);
            storm.join().unwrap();
            heard.recv().await.unwrap();
        });
    });
}

/// As on an old kernel, or below a filter of system calls: SIGCHLD tells of the end.
#[cfg(target_os = "linux")]
#[test]
fn a_system_without_process_descriptors_will_do() {
    child(
        "process::a_system_without_process_descriptors_will_do",
        || {
            refuse_pidfd_open();
            for runtime in [workers(2), current_thread()] {
                runtime.block_on(async {
                    let before = fds();
                    let mut child = shell("exit 7").spawn().unwrap();
                    assert_eq!(
                        fds(),
                        before + 2,
                        "the signals' pair, and no descriptor of the process"
                    );
                    assert_eq!(child.wait().await.unwrap().code(), Some(7));
                    let tasks: Vec<_> = (0..20)
                        .map(|_| {
                            executor::spawn(async { Command::new("echo").output().await.unwrap() })
                        })
                        .collect();
                    for task in tasks {
                        assert_eq!(task.await.unwrap().stdout, b"\n");
                    }
                    drop(endless().kill_on_drop(true).spawn().unwrap());
                    until(|| children().is_empty());
                });
                outlive(runtime);
            }
        },
    );
}

/// Makes the system call fail, for this thread and those that it starts, as a sandbox would.
#[cfg(target_os = "linux")]
fn refuse_pidfd_open() {
    let code = |code: u32| u16::try_from(code).unwrap();
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        // The number of the call is the first field of what the filter sees.
        step(code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0, 0, 0),
        step(
            code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K),
            0,
            1,
            u32::try_from(libc::SYS_pidfd_open).unwrap(),
        ),
        step(
            code(libc::BPF_RET | libc::BPF_K),
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        ),
        step(
            code(libc::BPF_RET | libc::BPF_K),
            0,
            0,
            libc::SECCOMP_RET_ALLOW,
        ),
    ];
    let program = libc::sock_fprog {
        len: 4,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the program outlives the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let result = libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        );
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        assert_eq!(libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0), -1);
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn endless() -> Command {
    let mut command = Command::new("sleep");
    command.arg("100000");
    command
}

/// The processes whose parent this one is, zombies included.
fn children() -> BTreeSet<u32> {
    let numbers = fs::read_dir("/proc").unwrap();
    let numbers = numbers.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    numbers
        .filter(|number: &u32| {
            // Gone since it was listed: no child of ours, whose end we would have waited for.
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            // Behind the name, which may contain anything: the state and the parent.
            let parent = stat
                .rsplit(')')
                .next()
                .and_then(|rest| rest.split_whitespace().nth(1));
            parent == Some(&std::process::id().to_string())
        })
        .collect()
}
