//! The command `compare` with an allocator that counts. `compare counts` starts it.

use std::process::ExitCode;

use executor_benches::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    match executor_benches::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("counted: {error}");
            ExitCode::FAILURE
        }
    }
}
