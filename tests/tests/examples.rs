//! The examples do what they say, and so do programs of these tests.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

use crate::support::source::files;
use crate::support::{RUN_LIMIT, Running, example};

#[test]
fn http_puts_load_on_itself_and_loses_no_request_when_interrupted() {
    let arguments = ["--seconds", "1", "--connections", "8", "--own-client"];
    let output = run("http", &arguments);
    for line in [
        "requests/s",
        "new connections are refused",
        "32 of 32 requests were answered completely",
        "PASSED",
    ] {
        assert!(output.contains(line), "no {line:?} in:\n{output}");
    }
}

#[test]
fn http_serves_until_it_is_interrupted() {
    let mut command = example("http", &["--serve", "127.0.0.1:0"]);
    let mut server = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut output = BufReader::new(server.0.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();

    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(RUN_LIMIT)).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"Hello, World!") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    server.signal(libc::SIGINT);
    assert_eq!(
        client.read(&mut [0]).unwrap(),
        0,
        "the idle connection is closed"
    );
    server.succeed("http", || String::from("serving"));
}

#[test]
fn http_refuses_what_it_does_not_understand() {
    let mut command = example("http", &["--sevre"]);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("unknown argument --sevre"), "{text}");
}

#[test]
fn echo_sends_back_what_it_gets() {
    let output = run("echo", &["check"]);
    assert!(output.contains("hello came back"), "{output}");
}

#[test]
fn fetch_fetches_all_pages() {
    let output = run("fetch", &["check"]);
    assert!(output.contains("8 of 8 pages"), "{output}");
}

#[test]
fn embed_runs_a_runtime_inside_three_other_things() {
    let output = run("embed", &[]);
    let expected = [
        "the library has ticked 5 times or more",
        "the other runtime has answered [120, 3628800, 2432902008176640000]",
        "the threads were told [0, 6, 12, 18]",
        "a thread that had entered it spawned on MultiThread",
    ];
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
}

/// Not for readers. What becomes of it where panics do not unwind, `ci/panic-abort` shows.
#[test]
fn panics_ends_though_its_task_has_panicked() {
    let output = example("panics", &[]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, "before: true\nafter: true\n");
}

/// Not for readers, either.
#[test]
fn allocator_may_spawn_when_it_is_asked_for_tasks_memory_and_when_it_gets_it_back() {
    let output = run("allocator", &[]);
    assert!(
        output.contains("asked: true\nreturned: true\nall back: true\n"),
        "{output}"
    );
}

#[test]
fn seed_e21_tells_who_was_slow_who_failed_and_who_was_left() {
    let output = run("seed_e21_debug", &[]);
    let lines: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("executor: ") || line.starts_with("  task "))
        .filter(|line| !line.contains(" has held its worker"))
        // To panic takes long if the environment asks for a backtrace.
        .filter(|line| !(line.contains("a poll of") && line.contains("\"clerk\"")))
        .collect();
    let expected = [
        ("executor: a poll of task ", "\"report\", spawned at "),
        ("executor: task ", "panicked with message \"out of paper\""),
        (
            "executor: the runtime has ended",
            "dropped 1 task that had not:",
        ),
        ("  task ", "\"monitor\", spawned at "),
    ];
    assert_eq!(lines.len(), expected.len(), "{output}");
    for (line, (start, part)) in lines.iter().zip(expected) {
        assert!(line.starts_with(start) && line.contains(part), "{output}");
    }
    assert!(output.contains("main is done\n"), "{output}");
}

/// What they refuse, and how, is in `tests/compile`, too.
#[test]
fn attributes_accept_what_they_document() {
    let programs = files("tests/compile/examples", "rs");
    assert!(!programs.is_empty());
    for program in programs {
        let name = Path::new(&program).file_stem().unwrap();
        run(name.to_str().unwrap(), &[]);
    }
}

/// Runs an example, which must succeed in time, and returns what it has printed.
fn run(name: &str, arguments: &[&str]) -> String {
    let mut command = example(name, arguments);
    // In a file, because nobody reads while this waits, and a pipe could fill. The arguments tell the tests apart.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("example-{name}-{}", arguments.concat()));
    let file = File::create(&path).unwrap();
    command.stderr(file.try_clone().unwrap()).stdout(file);
    let read = || std::fs::read_to_string(&path).unwrap();
    Running(command.spawn().unwrap()).succeed(name, read);
    read()
}
