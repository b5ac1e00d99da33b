//! What the system tells of this process.

use std::fmt;
use std::fs;
use std::process;

use crate::Result;
use crate::process::field;

/// Descriptors, threads, and children that nobody has reaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) descriptors: usize,
    pub(super) threads: usize,
    children: usize,
}

impl Counts {
    pub(super) fn now() -> Result<Self> {
        let mut children = 0;
        let mut threads = 0;
        for thread in fs::read_dir("/proc/self/task")? {
            threads += 1;
            // Not there if the thread has just ended, or the system was built without it.
            let file = thread?.path().join("children");
            let list = fs::read_to_string(file).unwrap_or_default();
            children += list.split_whitespace().count();
        }
        Ok(Self {
            // The one that reads the directory is always there.
            descriptors: fs::read_dir(format!("/proc/{}/fd", process::id()))?.count() - 1,
            threads,
            children,
        })
    }

    /// With so many threads more.
    pub(super) fn and_threads(self, more: usize) -> Self {
        Self {
            threads: self.threads + more,
            ..self
        }
    }

    pub(super) fn none_above(&self, other: &Self) -> bool {
        self.descriptors <= other.descriptors
            && self.threads <= other.threads
            && self.children <= other.children
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            descriptors,
            threads,
            children,
        } = self;
        write!(
            f,
            "{descriptors} descriptors, {threads} threads, {children} children"
        )
    }
}

/// What the descriptors lead to.
pub(super) fn open_files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for descriptor in fs::read_dir("/proc/self/fd")? {
        let target = fs::read_link(descriptor?.path()).unwrap_or_default();
        files.push(target.to_string_lossy().into_owned());
    }
    Ok(files)
}

/// The resident size in KiB.
pub(super) fn resident() -> Result<u64> {
    field("/proc/self/status", "VmRSS")
}
