//! The command `soak`: see docs/reliability/soak.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    executor_benches::report_failure("soak", executor_benches::soak::run(std::env::args_os()))
}
