//! Under what a section was measured: machine, versions, commit, date, load.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Map, Value, json};

use crate::cli::Options;
use crate::go;

/// As JSON, whose keys are also the words of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Conditions(pub(super) Map<String, Value>);

impl Conditions {
    pub(super) fn now(options: &Options) -> Self {
        let value = json!({
            "date": said_by("date", &["-u", "+%Y-%m-%d"]),
            "time": said_by("date", &["-u", "+%H:%M UTC"]),
            "commit": git(&["rev-parse", "--short", "HEAD"]).map(|lines| lines.trim().to_owned()),
            "working tree": working_tree(),
            "processor": processor(),
            "processors": thread::available_parallelism().map_or(0, usize::from),
            "kernel": line_of("/proc/sys/kernel/osrelease"),
            "load average before": load_average(),
            "workers": options.workers,
            "compiler": env!("BUILT_BY"),
            "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
            "allocator": allocator(),
            "versions": versions(include_str!("../../../Cargo.lock")),
            "quick": options.smoke,
        });
        match value {
            Value::Object(map) => Self(map),
            _ => unreachable!("it is written as an object above"),
        }
    }

    /// What holds for all sections.
    pub(super) fn common(all: &[&Self]) -> Self {
        let mut maps = all.iter().map(|each| &each.0);
        let first = maps.next().cloned().unwrap_or_default();
        Self(maps.fold(first, |common, each| shared(&common, each)))
    }

    /// What is said here and does not hold for all.
    pub(super) fn beside(&self, of_all: &Self) -> Self {
        Self(without(&self.0, &of_all.0))
    }

    pub(super) fn is_quick(&self) -> bool {
        self.0.get("quick") == Some(&Value::Bool(true))
    }

    /// For who looks on.
    pub(super) fn in_short(&self) -> String {
        let keys = ["commit", "working tree", "load average before"].iter();
        let words =
            keys.map(|key| format!("{key}: {}", self.0.get(*key).map_or_else(String::new, text)));
        words.collect::<Vec<_>>().join("; ")
    }
}

/// What both say. Of versions that is each of its own.
fn shared(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let pairs = one
        .iter()
        .filter_map(|(key, value)| match (value, other.get(key)?) {
            (Value::Object(one), Value::Object(other)) => {
                let both = shared(one, other);
                (!both.is_empty()).then(|| (key.clone(), both.into()))
            }
            (one, other) => (one == other).then(|| (key.clone(), one.clone())),
        });
    pairs.collect()
}

/// What one says, and the other says nothing of.
fn without(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let pairs = one
        .iter()
        .filter_map(|(key, value)| match (value, other.get(key)) {
            (Value::Object(one), Some(Value::Object(other))) => {
                let rest = without(one, other);
                (!rest.is_empty()).then(|| (key.clone(), rest.into()))
            }
            (_, Some(_)) => None,
            (value, None) => Some((key.clone(), value.clone())),
        });
    pairs.collect()
}

/// A condition in words.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or("unknown")));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Whether the sources are those of the commit. The page of the suite is none of them: it changes while one section comes after another.
fn working_tree() -> Option<&'static str> {
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let changes = git(&[&status[..], &[":(top)", ":(top,exclude)docs/benchmarks"]].concat())?;
    Some(if changes.is_empty() {
        "clean"
    } else {
        "with changes"
    })
}

/// What git says of the sources; nothing if it cannot.
fn git(arguments: &[&str]) -> Option<String> {
    let here = ["-C", env!("CARGO_MANIFEST_DIR")];
    let output = Command::new("git")
        .args(here)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Of the last one, five and fifteen minutes.
fn load_average() -> Option<String> {
    let line = line_of("/proc/loadavg")?;
    Some(line.split(' ').take(3).collect::<Vec<_>>().join(" "))
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
    fn what_differs_is_said_of_a_section_and_what_does_not_of_all() {
        let of = |value: Value| Conditions(value.as_object().unwrap().clone());
        let versions = json!({ "tokio": "1", "Go": "2" });
        let one = of(json!({ "commit": "a", "kernel": "6", "versions": versions }));
        let two = of(json!({ "commit": "b", "kernel": "6", "versions": { "tokio": "1" } }));
        let of_all = Conditions::common(&[&one, &two]);
        assert_eq!(
            of_all,
            of(json!({ "kernel": "6", "versions": { "tokio": "1" } }))
        );
        assert_eq!(
            one.beside(&of_all),
            of(json!({ "commit": "a", "versions": { "Go": "2" } }))
        );
        assert_eq!(two.beside(&of_all), of(json!({ "commit": "b" })));
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(said_by("surely-no-such-program", &[]), None);
        assert_eq!(said_by("false", &[]), None);
        assert_eq!(said_by("echo", &["a"]).as_deref(), Some("a"));
    }
}
