//! Compares the library as it is with the library of another commit, with the programs as they are now.
//!
//! ```text
//! target/against/worktree/   the other commit, by `git worktree`, gone afterwards
//! target/against/now/        ┐ workspaces with a link to these benches and this Cargo.lock; the paths in their manifest
//! target/against/other/      ┘ lead to the library here, or to that in the worktree
//! target/against/build-*/    what was built, kept for the next time
//! ```
//!
//! Both are built in the same way, with the same dependencies. Then processes of the two alternate, and each makes a few samples of
//! each program.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;
use crate::cli::Options;
use crate::programs::Program;
use crate::report;
use crate::rounds::order;

pub(crate) fn compare(options: &Options) -> Result {
    let revision = options
        .against
        .as_deref()
        .ok_or("--against needs a commit")?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("no repository")?;
    let directory = repository.join("target").join("against");
    fs::create_dir_all(&directory)?;
    let worktree = Worktree::add(repository, directory.join("worktree"), revision)?;
    let builds = [
        build(repository, repository, &directory, "now")?,
        build(repository, &worktree.path, &directory, "other")?,
    ];
    let results = alternate(&builds, options)?;
    println!(
        "{}, each a process with {SAMPLES} samples",
        report::conditions(options)
    );
    let rows = options
        .programs
        .iter()
        .zip(&results)
        .map(|(program, [now, other])| (*program, &now[..], &other[..]));
    report::ratio_table("ns/op", "now", revision, rows);
    Ok(())
}

/// Nanoseconds per operation, for each program, of both builds: a value for each round.
fn alternate(builds: &[PathBuf; 2], options: &Options) -> Result<Vec<[Vec<f64>; 2]>> {
    let mut results = vec![[Vec::new(), Vec::new()]; options.programs.len()];
    for round in 0..options.rounds {
        for index in order(round, builds.len()) {
            for (result, median) in results.iter_mut().zip(run(&builds[index], options)?) {
                result[index].push(median);
            }
        }
    }
    Ok(results)
}

/// The median of each program, in a process of its own.
fn run(build: &Path, options: &Options) -> Result<Vec<f64>> {
    let programs: Vec<_> = options
        .programs
        .iter()
        .copied()
        .map(Program::name)
        .collect();
    let mut command = Command::new(build);
    command.args(["--only", "executor", "--json", "--rounds", SAMPLES]);
    command.args([
        "--workers",
        &options.workers.to_string(),
        "--programs",
        &programs.join(","),
    ]);
    command.args(options.smoke.then_some("--smoke"));
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", build.display(), output.status).into());
    }
    let lines = str::from_utf8(&output.stdout)?.lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line)?;
            let median = line["runtimes"]["executor"]["median"].as_f64();
            median.ok_or_else(|| "a build printed no median".into())
        })
        .collect()
}

/// Builds these benches with the library in `library`, and returns the path of the program.
fn build(repository: &Path, library: &Path, directory: &Path, name: &str) -> Result<PathBuf> {
    let workspace = directory.join(name);
    fs::create_dir_all(&workspace)?;
    let manifest = fs::read_to_string(repository.join("Cargo.toml"))?;
    fs::write(
        workspace.join("Cargo.toml"),
        manifest_with(&manifest, repository, library)?,
    )?;
    fs::copy(repository.join("Cargo.lock"), workspace.join("Cargo.lock"))?;
    match symlink(repository.join("benches"), workspace.join("benches")) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let target = directory.join(format!("build-{name}"));
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    // Without the sockets, which the programs do not need and early commits do not have.
    cargo.args([
        "build",
        "--release",
        "--no-default-features",
        "--bin",
        "compare",
    ]);
    cargo.current_dir(&workspace);
    checked(cargo.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("release").join("compare"))
}

/// The workspace's manifest with the benches as the only member, and all paths leading to `library`, but for those to what tests and benches
/// share, which is that of `repository`.
fn manifest_with(manifest: &str, repository: &Path, library: &Path) -> Result<String> {
    let [repository, library] = [repository, library].map(|path| path.to_str());
    let repository = repository.ok_or("the path is not UTF-8")?;
    let library = library.ok_or("the path is not UTF-8")?;
    let lines = manifest
        .lines()
        .map(|line| match line.starts_with("members = [") {
            true => "members = [\"benches\"]".to_owned(),
            false if line.contains("path = \"tests/") => {
                line.replace("path = \"", &format!("path = \"{repository}/"))
            }
            false => line.replace("path = \"", &format!("path = \"{library}/")),
        });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Another commit's files, until this is dropped.
struct Worktree<'a> {
    repository: &'a Path,
    path: PathBuf,
}

impl<'a> Worktree<'a> {
    fn add(repository: &'a Path, path: PathBuf, revision: &str) -> Result<Self> {
        let worktree = Self { repository, path };
        // One that an interrupted run has left.
        worktree.remove();
        let mut git = worktree.git();
        git.args(["add", "--detach"])
            .arg(&worktree.path)
            .arg(revision);
        checked(&mut git)?;
        Ok(worktree)
    }

    fn remove(&self) {
        if self.path.exists() {
            // If it fails, so does the next `add`, with a message.
            let _ = self
                .git()
                .args(["remove", "--force"])
                .arg(&self.path)
                .status();
        }
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.repository).arg("worktree");
        git
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

fn checked(command: &mut Command) -> Result {
    let status = command
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

const SAMPLES: &str = "3";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_leads_to_the_other_library() {
        let manifest = "members = [\"a\", \"benches\"]\na = { path = \"a\" }\nb = \"1\"\nc = { path = \"tests/c\" }";
        let changed = manifest_with(manifest, Path::new("/here"), Path::new("/elsewhere")).unwrap();
        assert_eq!(
            changed,
            "members = [\"benches\"]\na = { path = \"/elsewhere/a\" }\nb = \"1\"\nc = { path = \"/here/tests/c\" }"
        );
    }
}
