//! The figures of a round.

use super::Service;
use super::round::Round;
use super::seen::QUANTILES;
use crate::Result;

/// Their names.
pub(super) fn names(service: Service) -> Vec<String> {
    let unit = service.unit();
    let mut names = vec![format!("{unit}s/s")];
    names.extend(QUANTILES.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(["user us", "system us", "CPU us", "switches"].map(|of| format!("{of}/{unit}")));
    if service == Service::Udp {
        names.push(SENT_AGAIN.to_owned());
    }
    names
}

/// A figure for each name.
pub(super) fn figures(service: Service, round: &Round) -> Result<Vec<f64>> {
    let [user, system] =
        [round.used.user, round.used.system].map(|time| time.as_secs_f64() * 1e6 / round.requests);
    let mut figures = vec![round.requests_per_second];
    for (name, _) in QUANTILES {
        figures.push(round.seen(name)?);
    }
    let switches = round.used.voluntary_switches as f64 / round.requests;
    figures.extend([user, system, user + system, switches]);
    if service == Service::Udp {
        figures.push(round.seen(SENT_AGAIN)?);
    }
    Ok(figures)
}

const SENT_AGAIN: &str = "sent again";
