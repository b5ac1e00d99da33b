//! The command `compare`: see README.md beside the manifest.

use std::process::ExitCode;

fn main() -> ExitCode {
    executor_benches::report_failure("compare", executor_benches::run(std::env::args_os()))
}
