//! What operations cost: wall time, processor time of the whole process, and how often a thread went to sleep.

use std::time::Duration;

use crate::Result;
use crate::cli::Options;
use crate::process::Usage;
use crate::rounds::repeats_for;

/// What [`per_operation`] finds.
pub(super) const COST: [&str; 3] = ["ns/op", "CPU ns/op", "sleeps/op"];

/// Repeats `run` until it lasts long enough, which warms up, too; then once more as often, which counts.
///
/// One run does `operations` on each of `parallel` workers at once. Time is that of one operation on one worker: where workers do not
/// disturb each other, it is the same however many there are. The other two are for each of all operations.
pub(super) fn per_operation(
    options: &Options,
    operations: u64,
    parallel: usize,
    run: impl Fn(u32) -> Duration,
) -> Result<Vec<f64>> {
    let length = if options.smoke { SHORT } else { LENGTH };
    let repeats = repeats_for(length, |repeats| Ok(run(repeats)))?;
    let before = Usage::of_this_process()?;
    let taken = run(repeats);
    let used = Usage::of_this_process()?.since(before);
    let one = operations as f64 * f64::from(repeats);
    let all = one * parallel as f64;
    Ok(vec![
        taken.as_nanos() as f64 / one,
        (used.user + used.system).as_nanos() as f64 / all,
        used.voluntary_switches as f64 / all,
    ])
}

const LENGTH: Duration = Duration::from_millis(100);
const SHORT: Duration = Duration::from_millis(2);
