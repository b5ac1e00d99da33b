//! Standard input, output and error: in processes of their own, whose other ends the tests hold.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process::Stdio;
use std::task::Context;
use std::thread;
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt, copy, stderr, stdin, stdout};

use crate::support::{
    Child, PanicIn, block_on, current_thread, each_runtime, is_child, kind, panicking_waker,
    poll_once, spawn_child_as, thread_names, until, within, workers,
};

/// Runs `body` in a process whose standard input is `input`, and `outside` with the process, here.
fn with_input(
    test: &str,
    input: impl Into<Stdio>,
    body: impl FnOnce(),
    outside: impl FnOnce(&mut Child),
) -> String {
    if is_child(test) {
        within(60, body);
        return String::new();
    }
    within(60, || {
        let mut child = spawn_child_as(test, |command| command.stdin(input));
        outside(&mut child);
        child.finish()
    })
}

/// Both ends of a terminal: ours, and the one for the process.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: the first two point to where the descriptors go; the others may be null.
    let opened = unsafe { libc::openpty(&mut ours, &mut theirs, null, null.cast(), null.cast()) };
    assert_eq!(opened, 0);
    // SAFETY: they are open, and nobody else's.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

async fn read_some() -> Vec<u8> {
    let mut buffer = [0; 100];
    let count = stdin().read(&mut buffer).await.unwrap();
    buffer[..count].to_vec()
}

/// What [`with_input`] needs to know of the process is on lines of their own.
fn say(line: &str) {
    println!("\n{line}");
}

#[test]
fn a_runtime_and_a_process_end_while_input_is_awaited() {
    let mut input = None;
    with_input(
        "stdio::a_runtime_and_a_process_end_while_input_is_awaited",
        Stdio::piped(),
        || {
            each_runtime(|runtime| {
                let read = runtime.spawn(read_some());
                runtime.block_on(async {
                    assert!(poll_once(pin!(stdin().read(&mut [0; 8]))).is_pending());
                });
                // The thread blocks in the system's `read`, or will. It is not one of the runtime's.
                until(|| thread_names().iter().any(|name| name == "executor-stdin"));
                runtime.shutdown_timeout(Duration::from_secs(3600));
                assert!(block_on(read).unwrap_err().is_cancelled());
            });
        },
        // Held until the process has ended.
        |child| input = Some(child.input()),
    );
}

#[test]
fn a_megabyte_is_echoed() {
    let line: String = ('a'..='z').cycle().take(1 << 20).collect();
    let found = with_input(
        "stdio::a_megabyte_is_echoed",
        Stdio::piped(),
        || {
            let copied = workers(2).block_on(async {
                let copied = copy(&mut stdin(), &mut stdout()).await.unwrap();
                stdout().flush().await.unwrap();
                copied
            });
            assert_eq!(copied, 1 << 20);
        },
        |child| {
            let (mut input, line) = (child.input(), line.clone());
            thread::spawn(move || input.write_all(line.as_bytes()).unwrap());
        },
    );
    assert!(found.is_empty() || found.contains(&line));
}

#[test]
fn a_terminal_goes_on_after_its_end() {
    let (mut ours, theirs) = terminal();
    with_input(
        "stdio::a_terminal_goes_on_after_its_end",
        theirs,
        || {
            current_thread().block_on(async {
                say("ready");
                assert_eq!(read_some().await, b"one\n");
                say("one");
                assert_eq!(read_some().await, b"", "Ctrl-D");
                say("end");
                assert_eq!(read_some().await, b"two\n");
            });
        },
        |child| {
            child.wait_for_line("ready");
            ours.write_all(b"one\n").unwrap();
            child.wait_for_line("one");
            ours.write_all(b"\x04").unwrap();
            child.wait_for_line("end");
            ours.write_all(b"two\n").unwrap();
        },
    );
}

#[test]
fn the_end_of_a_pipe_is_told_as_often_as_somebody_asks() {
    with_input(
        "stdio::the_end_of_a_pipe_is_told_as_often_as_somebody_asks",
        Stdio::null(),
        || {
            workers(1).block_on(async {
                let readers: Vec<_> = (0..10).map(|_| executor::spawn(read_some())).collect();
                for reader in readers {
                    assert_eq!(reader.await.unwrap(), b"");
                }
            });
        },
        |_| {},
    );
}

/// Reads a line, with the descriptor's flags looked at before and after.
fn flags_stay() {
    // SAFETY: the call takes no pointer.
    let flags = || unsafe { libc::fcntl(stdin().as_raw_fd(), libc::F_GETFL) };
    let before = flags();
    assert!(before >= 0 && before & libc::O_NONBLOCK == 0);
    workers(1).block_on(async {
        let mut read = pin!(read_some());
        assert!(poll_once(read.as_mut()).is_pending());
        assert_eq!(flags(), before, "while somebody reads");
        say("ready");
        assert_eq!(read.await, b"line\n");
    });
    assert_eq!(flags(), before);
}

#[test]
fn the_flags_of_a_pipe_stay() {
    let mut input = None;
    with_input(
        "stdio::the_flags_of_a_pipe_stay",
        Stdio::piped(),
        flags_stay,
        |child| {
            child.wait_for_line("ready");
            let input = input.insert(child.input());
            input.write_all(b"line\n").unwrap();
        },
    );
}

#[test]
fn the_flags_of_a_socket_stay() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    with_input(
        "stdio::the_flags_of_a_socket_stay",
        OwnedFd::from(theirs),
        flags_stay,
        |child| {
            child.wait_for_line("ready");
            ours.write_all(b"line\n").unwrap();
        },
    );
}

#[test]
fn the_flags_of_a_terminal_stay() {
    let (mut ours, theirs) = terminal();
    with_input(
        "stdio::the_flags_of_a_terminal_stay",
        theirs,
        flags_stay,
        |child| {
            child.wait_for_line("ready");
            ours.write_all(b"line\n").unwrap();
        },
    );
}

#[test]
fn what_was_read_and_not_taken_stays_for_the_next_handle() {
    let mut input = None;
    with_input(
        "stdio::what_was_read_and_not_taken_stays_for_the_next_handle",
        Stdio::piped(),
        || {
            let one = workers(1);
            one.block_on(async {
                let mut buffer = [0; 100];
                assert!(poll_once(pin!(stdin().read(&mut buffer))).is_pending());
            });
            drop(one);
            say("gave up");
            let mut five = [0; 5];
            let read = async { stdin().read_exact(&mut five).await };
            current_thread().block_on(read).unwrap();
            assert_eq!(&five, b"hello");
            // Outside of any runtime, and by the other family.
            let mut six = [0; 6];
            let mut last = stdin();
            block_on(futures::AsyncReadExt::read_exact(&mut last, &mut six)).unwrap();
            assert_eq!(&six, b" world");
            assert_eq!(format!("{last:?}"), "Stdin { .. }");
        },
        |child| {
            child.wait_for_line("gave up");
            let input = input.insert(child.input());
            input.write_all(b"hello world").unwrap();
        },
    );
}

#[test]
fn every_reader_gets_its_share_and_a_waker_that_panics_takes_nobody_along() {
    let mut input = None;
    with_input(
        "stdio::every_reader_gets_its_share_and_a_waker_that_panics_takes_nobody_along",
        Stdio::piped(),
        || {
            let runtime = workers(2);
            let (mut bad, waker) = (stdin(), panicking_waker(PanicIn::Wake));
            let mut byte = [0];
            let mut read = pin!(bad.read(&mut byte));
            let mut context = Context::from_waker(&waker);
            assert!(read.as_mut().poll(&mut context).is_pending());
            let tasks: Vec<_> = (0..10)
                .map(|_| runtime.spawn(async { stdin().read_u8().await.unwrap() }))
                .collect();
            say("ready");
            let mut found: Vec<_> = tasks
                .into_iter()
                .map(|task| block_on(task).unwrap())
                .collect();
            found.sort();
            assert_eq!(found, b"0123456789");
        },
        |child| {
            child.wait_for_line("ready");
            let input = input.insert(child.input());
            for byte in b"0123456789".chunks(3) {
                input.write_all(byte).unwrap();
            }
        },
    );
}

#[test]
fn what_all_handles_write_appears_in_order_and_before_the_runtime_has_ended() {
    let wanted: String = (0..1000).map(|n| format!("line {n}\n")).collect();
    let found = with_input(
        "stdio::what_all_handles_write_appears_in_order_and_before_the_runtime_has_ended",
        Stdio::null(),
        || {
            say("");
            workers(2).block_on(async {
                for n in 0..1000 {
                    let line = format!("line {n}\n");
                    // Neither flushed nor kept.
                    assert_eq!(stdout().write(line.as_bytes()).await.unwrap(), line.len());
                }
            });
            say("after");
        },
        |_| {},
    );
    assert!(
        found.is_empty() || found.contains(&format!("{wanted}\nafter")),
        "{found}"
    );
}

#[test]
fn what_was_flushed_is_written_when_the_process_exits() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let test = "stdio::what_was_flushed_is_written_when_the_process_exits";
    if is_child(test) {
        within(60, || {
            workers(1).block_on(async {
                let mut output = stderr();
                futures::AsyncWriteExt::write_all(&mut output, b"no end of a line")
                    .await
                    .unwrap();
                futures::AsyncWriteExt::flush(&mut output).await.unwrap();
                // Instead of the harness, whose end is not reached: nobody's destructor runs.
                say("1 passed");
                std::process::exit(0);
            });
        });
    }
    within(60, || {
        let theirs = OwnedFd::from(theirs);
        spawn_child_as(test, |command| command.stderr(theirs)).finish();
        let mut found = String::new();
        ours.read_to_string(&mut found).unwrap();
        assert_eq!(found, "no end of a line");
    });
}

#[test]
fn an_output_that_takes_nothing_is_an_error_of_the_next_write_or_flush() {
    let test = "stdio::an_output_that_takes_nothing_is_an_error_of_the_next_write_or_flush";
    if is_child(test) {
        return within(60, || {
            workers(1).block_on(async {
                let mut output = stderr();
                output.write_all(b"x").await.unwrap();
                assert_eq!(kind(output.flush().await), ErrorKind::StorageFull);
                output.flush().await.unwrap();
                assert_eq!(output.write(b"x").await.unwrap(), 1);
                assert_eq!(kind(output.write(b"y").await), ErrorKind::StorageFull);
                stderr().flush().await.unwrap();
            });
        });
    }
    within(60, || {
        let full = File::options().write(true).open("/dev/full").unwrap();
        spawn_child_as(test, |command| command.stderr(full)).finish();
    });
}

#[test]
fn a_runtime_that_has_ended_writes_nothing_and_says_so() {
    within(60, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let mut output = stdout();
        let text = b"this must not appear\n";
        assert_eq!(block_on(output.write(text)).unwrap(), text.len());
        let error = block_on(output.shutdown()).unwrap_err();
        assert!(error.to_string().contains("runtime has ended"), "{error}");
        assert_eq!(output.as_raw_fd(), 1);
    });
}
