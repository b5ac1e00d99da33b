//! Who a server runs as, and where its programs are.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user of the system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Nobody else where this process is not root. Else the user of that name, or `nobody`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        // SAFETY: `geteuid` takes nothing, and always succeeds.
        if unsafe { libc::geteuid() } != 0 {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("this system has users");
        let entry = [name, "nobody"]
            .iter()
            .find_map(|name| Self::among(&users, name));
        Some(entry.expect("this system has a user `nobody`"))
    }

    /// By the lines `name:password:user:group:..` of the file of users.
    fn among(users: &str, name: &str) -> Option<Self> {
        let mut fields = users.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(rest.split(':').skip(1))
        })?;
        Some(Self {
            user: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        })
    }

    pub(crate) fn own(self, path: &Path) {
        chown(path, Some(self.user), Some(self.group)).unwrap();
    }

    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

/// A program by any of its names: in `PATH`, or where Debian keeps servers.
///
/// # Errors
///
/// The first of its names, where there is no such program.
pub(crate) fn program(names: &[&str]) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.push("/usr/sbin".into());
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort();
    // The newest that is installed.
    directories.extend(versions.iter().rev().map(|version| version.join("bin")));
    let files = names.iter().flat_map(|name| {
        let files = directories
            .iter()
            .map(move |directory| directory.join(name));
        files.collect::<Vec<_>>()
    });
    let mut found = files.filter(|file| file.is_file());
    found.next().ok_or_else(|| names[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nredisser:x:7:8::/:\nredis:x:101:104::/var:/bin/false\n";
        let redis = Account::among(users, "redis").unwrap();
        assert_eq!((redis.user, redis.group), (101, 104));
        assert!(Account::among(users, "red").is_none());
    }
}
