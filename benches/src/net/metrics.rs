//! The figures of a round.

use super::Service;
use super::round::Round;
use crate::Result;

/// Their names.
pub(super) fn names(service: Service) -> Vec<String> {
    let unit = service.unit();
    vec![
        format!("{unit}s/s"),
        "p50 us".to_owned(),
        "p99 us".to_owned(),
        format!("user us/{unit}"),
        format!("system us/{unit}"),
        format!("CPU us/{unit}"),
        format!("switches/{unit}"),
    ]
}

/// A figure for each name.
pub(super) fn figures(round: &Round) -> Result<Vec<f64>> {
    let [user, system] =
        [round.used.user, round.used.system].map(|time| time.as_secs_f64() * 1e6 / round.requests);
    Ok(vec![
        round.requests_per_second,
        round.seen("p50_us")?,
        round.seen("p99_us")?,
        user,
        system,
        user + system,
        round.used.voluntary_switches as f64 / round.requests,
    ])
}
