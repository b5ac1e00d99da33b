//! The programs in Go, where there is a Go: `benches/go/*.go`, each built when it is needed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::apart::Apart;
use crate::cli::Options;
use crate::contestants::Flavour;

pub(crate) const NAME: &str = "go";

/// Builds `benches/go/<name>.go` with the `go` that the variable `GO` names, or that is found in `PATH`.
pub(crate) fn build(name: &str) -> Result<PathBuf> {
    let go = env::var_os("GO").unwrap_or_else(|| "go".into());
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("go")
        .join(format!("{name}.go"));
    let program = env::current_exe()?.with_file_name(format!("compare-go-{name}"));
    let status = Command::new(&go)
        .args(["build", "-o"])
        .args([&program, &source])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{} does not start: {error}", go.display()))?;
    match status.success() {
        true => Ok(program),
        false => Err(format!("{} build: {status}", go.display()).into()),
    }
}

/// What builds: `go1.27.3`.
pub(crate) fn version() -> Option<String> {
    let go = env::var_os("GO").unwrap_or_else(|| "go".into());
    let output = Command::new(go).args(["env", "GOVERSION"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Builds the seven programs, if Go takes part. If there is no Go, a line says so, and the others are compared without it.
pub(crate) fn programs(options: &Options) -> Option<PathBuf> {
    let asked = match &options.only[..] {
        [] => options.flavour == Flavour::MultiThread,
        only => only.iter().any(|name| name == NAME),
    };
    if !asked {
        return None;
    }
    let built = build("programs");
    if let Err(error) = &built {
        eprintln!("compare: without Go: {error}; the variable GO may name one");
    }
    built.ok()
}

/// The programs that [`programs`] has built, on as many processors as others have workers.
pub(crate) fn start(program: &Path, workers: usize) -> Result<Apart> {
    let mut command = Command::new(program);
    Apart::start(command.arg(workers.to_string()))
}
