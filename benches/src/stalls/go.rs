//! The ticker as a program in Go, where there is a Go.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::milliseconds;
use super::ticker::{Beside, figures, first_second};
use crate::Result;
use crate::cli::Options;

/// `benches/go/ticker.go`, built.
pub(super) struct Twin {
    program: PathBuf,
    beside: Beside,
}

impl Twin {
    /// Builds it with the `go` that the variable `GO` names, or that is found in `PATH`.
    pub(super) fn build(beside: Beside) -> Result<Self> {
        let go = env::var_os("GO").unwrap_or_else(|| "go".into());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/ticker.go");
        let program = env::current_exe()?.with_file_name("compare-go-ticker");
        let status = Command::new(&go)
            .args(["build", "-o"])
            .args([&program, &source])
            .stdout(Stdio::null())
            .status()
            .map_err(|error| format!("{} does not start: {error}", go.display()))?;
        match status.success() {
            true => Ok(Self { program, beside }),
            false => Err(format!("{} build: {status}", go.display()).into()),
        }
    }

    pub(super) fn round(&self, options: &Options) -> Result<Vec<f64>> {
        let (first, length) = (first_second(options), options.length);
        let output = Command::new(&self.program)
            .arg(match self.beside {
                Beside::Blocking => "blocking",
                Beside::Spinning => "spinning",
            })
            .arg(options.workers.to_string())
            .arg((first + length).as_millis().to_string())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.program.display(), output.status).into());
        }
        // The end, and then the ticks, in milliseconds since the stalls began.
        let times: Vec<f64> = serde_json::from_slice(&output.stdout)?;
        let (end, ticks) = times.split_first().ok_or("the ticker printed nothing")?;
        Ok(figures(ticks, milliseconds(first), *end))
    }
}
