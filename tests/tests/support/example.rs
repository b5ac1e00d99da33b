//! The library's examples as processes, built and run by cargo.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// `cargo run` for an example that is built already.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
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
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// cargo has become the example, so the number is that of its process.
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the call uses no memory of ours; and the process was not waited for yet, so the number is still its own.
        assert_eq!(unsafe { libc::kill(self.0.id() as i32, signal) }, 0);
    }

    #[track_caller]
    pub(crate) fn succeed(self, name: &str, output: impl Fn() -> String) {
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
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Other features than the tests need, so some libraries are built once more.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
