//! The command `soak`: see docs/reliability/soak.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    match executor_benches::soak::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}
