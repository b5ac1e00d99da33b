//! Under what was measured: machine, versions, commit, date.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Map, Value, json};

use crate::cli::Options;
use crate::go;

/// As JSON, whose keys are also the words of the page.
pub(super) fn now(options: &Options) -> Value {
    json!({
        "date": said_by("date", &["-u", "+%Y-%m-%d"]),
        "commit": commit(),
        "processor": processor(),
        "processors": thread::available_parallelism().map_or(0, usize::from),
        "kernel": line_of("/proc/sys/kernel/osrelease"),
        "load average before": line_of("/proc/loadavg"),
        "workers": options.workers,
        "compiler": env!("BUILT_BY"),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
        "allocator": allocator(),
        "versions": versions(include_str!("../../../Cargo.lock")),
        "quick": options.smoke,
    })
}

/// The commit of the sources, and whether they are those of the commit.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let here = ["-C", env!("CARGO_MANIFEST_DIR")];
        said_by("git", &[&here[..], arguments].concat())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    Some(
        match git(&["status", "--porcelain", "--untracked-files=no"]) {
            None => commit,
            Some(_) => format!("{commit}, with changes"),
        },
    )
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The system's, since this program names no other.
fn allocator() -> String {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: the call has no conditions, and returns a text that is there as long as the program.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        format!("the system's, glibc {}", version.to_string_lossy())
    }
    #[cfg(not(target_env = "gnu"))]
    "the system's".to_owned()
}

/// Of the peers and of what matters below them.
fn versions(lock: &str) -> Map<String, Value> {
    let version = |name: &str| {
        let after = lock
            .split_once(&format!("\nname = \"{name}\"\nversion = \""))?
            .1;
        Some(after.split_once('"')?.0.into())
    };
    let mut versions: Map<_, _> = PACKAGES
        .iter()
        .map(|name| ((*name).to_owned(), version(name).unwrap_or(Value::Null)))
        .collect();
    versions.extend(go::version().map(|version| ("Go".to_owned(), version.into())));
    versions
}

/// The first line that a program prints; nothing if it prints none, fails or does not exist.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next().map(str::to_owned);
    line.filter(|_| output.status.success())
}

fn line_of(path: impl AsRef<Path>) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

const PACKAGES: [&str; 7] = [
    "executor-rt",
    "tokio",
    "async-executor",
    "mio",
    "hyper",
    "futures",
    "crossbeam-deque",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let versions = versions(include_str!("../../../Cargo.lock"));
        for name in PACKAGES {
            assert!(versions[name].is_string(), "{name} is not in Cargo.lock");
        }
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(said_by("surely-no-such-program", &[]), None);
        assert_eq!(said_by("false", &[]), None);
        assert_eq!(said_by("echo", &["a"]).as_deref(), Some("a"));
    }
}
