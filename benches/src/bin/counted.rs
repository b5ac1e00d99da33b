//! The command `compare` with an allocator that counts. `compare counts` starts it.

use std::process::ExitCode;

use executor_benches::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    executor_benches::report_failure("counted", executor_benches::run(std::env::args_os()))
}
