//! The contention ledger: what several workers write, counted; what a contended line costs, measured; and what follows for more cores.
//!
//! ```text
//! cases      what is counted: single operations while all workers are busy, and while all sleep; the programs   only with --cfg executor_ledger
//! line       the cost of a line that several threads write                                                      ┐
//! measured   what one worker and two do                                                                         │ only without: a build that
//! model      the curves that follow from cost and counts, where they are true of two workers                    ┘ counts is good for no times
//! ```

use crate::Result;
use crate::cli::Options;

#[cfg(executor_ledger)]
mod cases;
#[cfg(not(executor_ledger))]
mod line;
#[cfg(not(executor_ledger))]
mod measured;
#[cfg(not(executor_ledger))]
mod model;

pub(crate) fn compare(options: &Options) -> Result {
    #[cfg(executor_ledger)]
    return cases::compare(options);
    #[cfg(not(executor_ledger))]
    {
        eprintln!("compare: {HOW_TO_COUNT}");
        model::compare(options)
    }
}

#[cfg(not(executor_ledger))]
const HOW_TO_COUNT: &str = "this build does not count what workers write: RUSTFLAGS='--cfg executor_ledger' cargo run --release -p executor-benches \
    --bin compare --target-dir target/ledger -- ledger does";
