//! What all threads of another process together have used, as the system tells under `/proc`.

use std::fs;

use crate::Result;
use crate::process::field;

pub(crate) struct Used {
    /// Nanoseconds on a processor, by the scheduler's clock and not by ticks.
    pub(crate) cpu: u64,
    /// How often a thread went to sleep.
    pub(crate) switches: u64,
}

impl Used {
    pub(crate) fn of(process: u32) -> Result<Self> {
        let mut used = Self {
            cpu: 0,
            switches: 0,
        };
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let directory = thread?.path().to_string_lossy().into_owned();
            // A thread may end just now. In an idle process none does.
            let schedstat = fs::read_to_string(format!("{directory}/schedstat"))?;
            used.cpu += schedstat
                .split(' ')
                .next()
                .unwrap_or_default()
                .parse::<u64>()?;
            used.switches += field(&format!("{directory}/status"), "voluntary_ctxt_switches")?;
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use std::process::id;

    use super::*;

    #[test]
    fn this_process_has_used_something() {
        // Threads of other tests may end just now.
        let used = (0..100).find_map(|_| Used::of(id()).ok()).unwrap();
        assert!(used.cpu > 0);
    }
}
