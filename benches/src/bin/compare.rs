//! The command `compare`: see README.md beside the manifest.

use std::process::ExitCode;

fn main() -> ExitCode {
    match executor_benches::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}
