//! The library's examples as processes, built by cargo.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::source::root;

/// An example, as a command.
///
/// It is one of the whole workspace with all features, which `cargo test --workspace --all-features` has built already.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(build);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new(target.join("debug/examples").join(name));
    command.args(arguments);
    command
}

fn build() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-build");
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(root())
        .args(["build", "--workspace", "--all-features", "--examples"])
        .stderr(File::create(&log).unwrap());
    // What cargo tells the tests of their package. It is no package's here, and build scripts that look at it (ring's does) would run again, now and
    // at the next command from outside, with all that depends on them.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
            command.env_remove(&*name);
        }
    }
    Running(command.spawn().unwrap()).succeed_within("the build", BUILD_LIMIT, || {
        std::fs::read_to_string(&log).unwrap()
    });
}

/// A process that is killed when dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
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

/// After a test command for less than the workspace, some libraries are built once more.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
