//! How many workers are tried on this machine.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

/// Powers of 2 up to `up_to`, and those of `more` that are not above it either.
pub(super) fn worker_counts(up_to: usize, more: &[usize]) -> Vec<usize> {
    let powers = (0..usize::BITS).map(|exponent| 1 << exponent);
    let mut counts: BTreeSet<usize> = powers.take_while(|count| *count <= up_to).collect();
    counts.extend(more.iter().filter(|count| **count <= up_to));
    counts.into_iter().collect()
}

pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Cores, of which hyper-threads share one, as far as the system tells.
pub(super) fn real_cores() -> usize {
    let told = fs::read_to_string("/proc/cpuinfo").map_or(0, |text| cores_in(&text));
    match told {
        0 => processors(),
        told => told.min(processors()),
    }
}

/// The number of different pairs of `physical id` and `core id`.
fn cores_in(cpuinfo: &str) -> usize {
    let value = |block: &str, key: &str| {
        let line = block.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let blocks = cpuinfo.split("\n\n");
    let cores: BTreeSet<_> = blocks
        .filter_map(|block| Some((value(block, "physical id")?, value(block, "core id")?)))
        .collect();
    cores.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_powers_of_2_and_what_the_machine_has() {
        assert_eq!(worker_counts(64, &[2, 4]), [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(worker_counts(8, &[6, 12]), [1, 2, 4, 6, 8]);
        assert_eq!(worker_counts(12, &[6, 12]), [1, 2, 4, 6, 8, 12]);
        assert_eq!(worker_counts(4, &[96, 192]), [1, 2, 4]);
    }

    #[test]
    fn hyper_threads_share_a_core() {
        let processor = |package: u32, core: u32| {
            format!(
                "processor\t: 0\nphysical id\t: {package}\nsiblings\t: 2\ncore id\t\t: {core}\n\n"
            )
        };
        let text = [(0, 0), (0, 0), (0, 1), (1, 0)]
            .map(|(package, core)| processor(package, core))
            .concat();
        assert_eq!(cores_in(&text), 3);
        assert_eq!(cores_in("model name : x\n"), 0);
    }
}
