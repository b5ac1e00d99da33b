//! The figures of a round.

use super::Service;
use super::round::Round;
use super::seen::{LATE, LOAD, QUANTILES, QUANTILES_OF_OPEN};
use crate::Result;
use crate::cli::Options;

/// Their names.
pub(super) fn names(options: &Options) -> Vec<String> {
    let unit = options.service.unit();
    let mut names = vec![format!("{unit}s/s")];
    names.extend(seen(options).map(str::to_owned));
    names.extend(["user us", "system us", "CPU us", "switches"].map(|of| format!("{of}/{unit}")));
    names
}

/// A figure for each name.
pub(super) fn figures(options: &Options, round: &Round) -> Result<Vec<f64>> {
    let [user, system] =
        [round.used.user, round.used.system].map(|time| time.as_secs_f64() * 1e6 / round.requests);
    let mut figures = vec![round.requests_per_second];
    for name in seen(options) {
        figures.push(round.seen(name)?);
    }
    let switches = round.used.voluntary_switches as f64 / round.requests;
    figures.extend([user, system, user + system, switches]);
    Ok(figures)
}

/// What the load has seen, beside the rate.
fn seen(options: &Options) -> impl Iterator<Item = &'static str> {
    let (quantiles, more) = match options.rate {
        None if options.service == Service::Udp => (QUANTILES, Some("sent again")),
        None => (QUANTILES, None),
        Some(_) => (QUANTILES_OF_OPEN, Some(LATE)),
    };
    let names = quantiles.iter().map(|(name, _)| *name);
    names.chain(more).chain([LOAD])
}
