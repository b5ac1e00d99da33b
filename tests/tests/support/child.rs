//! Runs a test in a process of its own: for those that count threads and descriptors, change limits or the environment, or fork.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};

use super::within;

/// Runs `body` in a new process, which must succeed. `test` is the full name of the calling test.
///
/// In the new process the same test runs again, alone; there this function calls `body`, under a hang limit.
pub(crate) fn child(test: &str, body: impl FnOnce()) {
    child_with(test, &[], body);
}

/// As [`child`], with additions to the environment.
pub(crate) fn child_with(test: &str, environment: &[(&str, &str)], body: impl FnOnce()) {
    if is_child(test) {
        within(60, body);
    } else {
        spawn_child(test, environment).finish();
    }
}

/// True in the process that [`spawn_child`] started for `test`.
pub(crate) fn is_child(test: &str) -> bool {
    env::var(MARK).is_ok_and(|mark| mark == test)
}

/// Runs `body` in a process that is started by `tool`, a program with arguments that takes a command: `strace`, say.
///
/// See [`works`] for what happens where the program does not do its work.
pub(crate) fn child_under(tool: &[&str], test: &str, body: impl FnOnce()) {
    if is_child(test) {
        return within(60, body);
    }
    if works(tool, test) {
        let (program, arguments) = tool.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg(env::current_exe().unwrap());
        start(command, test).finish();
    }
}

/// Whether `tool`, a program with arguments that takes a command, does its work here. If not, the test is to do nothing, which this
/// says; or it fails, where `EXECUTOR_TEST_TOOLS=required` says that the tools are there.
pub(crate) fn works(tool: &[&str], test: &str) -> bool {
    let (program, arguments) = tool.split_first().unwrap();
    let tried = Command::new(program)
        .args(arguments)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    let works = tried.is_ok_and(|status| status.success());
    if !works {
        let message = format!("{test}: `{}` does not work here", tool.join(" "));
        let required = env::var("EXECUTOR_TEST_TOOLS").is_ok_and(|tools| tools == "required");
        assert!(!required, "{message}");
        eprintln!("SKIPPED {message}");
    }
    works
}

/// Starts the process for a test that also looks at it from outside.
pub(crate) fn spawn_child(test: &str, environment: &[(&str, &str)]) -> Child {
    spawn_child_as(test, |command| command.envs(environment.iter().copied()))
}

/// As [`spawn_child`], after `change` has had the command, which it may give another input or standard error.
pub(crate) fn spawn_child_as(
    test: &str,
    change: impl FnOnce(&mut Command) -> &mut Command,
) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    change(&mut command);
    start(command, test)
}

fn start(mut command: Command, test: &str) -> Child {
    command
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(MARK, test)
        .stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    Child { process, output }
}

/// A test in a process of its own. Killed when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Child {
    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The other end of its standard input, if that is a pipe.
    pub(crate) fn input(&mut self) -> ChildStdin {
        self.process.stdin.take().expect("its input is no pipe")
    }

    /// Waits until the child has printed a line that contains `text`.
    pub(crate) fn wait_for_line(&mut self, text: &str) {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if line.contains(text) {
                return;
            }
            line.clear();
        }
        panic!("the child ended without printing {text:?}");
    }

    /// Waits for the end, whatever it is.
    pub(crate) fn status(mut self) -> ExitStatus {
        std::io::copy(&mut self.output, &mut std::io::sink()).unwrap();
        self.process.wait().unwrap()
    }

    /// Waits for the end, which must be a success of exactly one test. What it printed, and no line was waited for, is returned.
    pub(crate) fn finish(mut self) -> String {
        let mut output = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut output).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}: {output}");
        assert!(
            output.contains("1 passed"),
            "the name of the test is wrong: {output}"
        );
        output
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that it has ended, and was waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const MARK: &str = "EXECUTOR_TEST_CHILD";
