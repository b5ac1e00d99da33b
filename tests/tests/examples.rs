//! The examples do what they say: each is built and run by cargo, as its first lines tell users to.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

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
    // cargo has become the example, so this is its number; and it was not waited for yet.
    // SAFETY: the call uses no memory of ours.
    assert_eq!(unsafe { libc::kill(server.0.id() as i32, libc::SIGINT) }, 0);
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
fn chat_tells_everybody_and_waits_for_nobody() {
    let output = run("chat", &["check"]);
    assert!(output.contains("everybody has been sent home"), "{output}");
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

/// `cargo run` for an example that is built already.
fn example(name: &str, arguments: &[&str]) -> Command {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut command = cargo("build", &["--examples"]);
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-build");
        command.stderr(File::create(&log).unwrap());
        let build = Running(command.spawn().unwrap());
        build.succeed_within("the build", BUILD_LIMIT, || {
            std::fs::read_to_string(&log).unwrap()
        });
    });
    let mut command = cargo("run", &["--example", name, "--"]);
    command.args(arguments);
    command
}

fn cargo(verb: &str, arguments: &[&str]) -> Command {
    let workspace: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(workspace)
        .args([verb, "--quiet", "-p", "executor-rt", "--features", "hyper"])
        .args(arguments);
    command
}

/// A process that is killed when dropped.
struct Running(Child);

impl Running {
    #[track_caller]
    fn succeed(self, name: &str, output: impl Fn() -> String) {
        self.succeed_within(name, RUN_LIMIT, output);
    }

    #[track_caller]
    fn succeed_within(mut self, name: &str, limit: Duration, output: impl Fn() -> String) {
        let end = Instant::now() + limit;
        loop {
            match self.0.try_wait().unwrap() {
                Some(status) if status.success() => return,
                Some(status) => panic!("{name}: {status}:\n{}", output()),
                None if Instant::now() > end => {
                    panic!("{name} has not ended after {limit:?}:\n{}", output())
                }
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended, and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The machine may be busy with the other tests.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Other features than the tests need, so some libraries are built once more.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
