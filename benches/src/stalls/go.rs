//! The ticker as a program in Go, where there is a Go.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::milliseconds;
use super::ticker::{Beside, figures, first_second};
use crate::Result;
use crate::cli::Options;
use crate::go;

/// `benches/go/ticker.go`, built.
pub(super) struct Twin {
    program: PathBuf,
    beside: Beside,
}

impl Twin {
    pub(super) fn build(beside: Beside) -> Result<Self> {
        let program = go::build("ticker")?;
        Ok(Self { program, beside })
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
