//! Prints a row: for each metric the medians of the rounds, and how much more the others have than the first.

use serde_json::Value;

use super::Row;
use crate::figures::{self, Figures, cell};
use crate::report;
use crate::stats::{Spread, ratios};

/// A line for each metric: the median and the extremes of each runtime; for each but the first the median and the quartiles of the ratios of
/// the rounds, its figure to that of the first.
pub(super) fn print(row: &Row, results: &[Figures]) {
    let Some((first, others)) = results.split_first() else {
        return;
    };
    println!("\n{}: {}", row.full_name(), row.title);
    print!(
        "{:28}",
        report::counted(first.rounds.len(), "round") + ", medians"
    );
    for Figures { name, .. } in results {
        print!(" {name:>26}");
    }
    for Figures { name, .. } in others {
        print!(" {:>30}", format!("{name}/{} (quartiles)", first.name));
    }
    println!();
    for (index, metric) in row.metrics.iter().enumerate() {
        print!("{metric:28}");
        for figures in results {
            print!(" {:>26}", cell(&figures.metric(index)));
        }
        for other in others {
            let ratio = ratio(first, other, index);
            let text = ratio.map_or(
                "-".to_owned(),
                |Spread {
                     low, median, high, ..
                 }| { format!("{median:.3} ({low:.3} to {high:.3})") },
            );
            print!(" {text:>30}");
        }
        println!();
    }
}

/// The same as one JSON object: as [`figures::json`], with the row's number, and a `ratio` in each metric of each runtime but the first.
pub(super) fn json(table: &str, row: &Row, results: &[Figures]) -> Value {
    let mut value = figures::json(table, &row.name, &row.metrics(), results);
    if let Some((what, number)) = row.number {
        value[what] = number.into();
    }
    let Some((first, others)) = results.split_first() else {
        return value;
    };
    for other in others {
        for (index, metric) in row.metrics.iter().enumerate() {
            if let Some(ratio) = ratio(first, other, index) {
                value["runtimes"][other.name][metric]["ratio"] = report::spread(&ratio);
            }
        }
    }
    value
}

/// Nothing where it would mean nothing, as with a count that is 0.
fn ratio(first: &Figures, other: &Figures, metric: usize) -> Option<Spread> {
    let ratios = ratios(&first.metric(metric), &other.metric(metric));
    ratios
        .iter()
        .all(|ratio| ratio.is_finite())
        .then(|| Spread::of(&ratios))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(name: &'static str, rounds: &[&[f64]]) -> Figures {
        let mut figures = Figures::new(name);
        figures.rounds = rounds.iter().map(|round| round.to_vec()).collect();
        figures
    }

    #[test]
    fn ratios_are_those_of_the_rounds_and_not_of_the_medians() {
        let row = Row::new("row", "", &["time", "count"], |_| Ok(Vec::new())).with("threads", 4);
        assert_eq!(row.full_name(), "row-4");
        let ours = figures("ours", &[&[1.0, 0.0], &[4.0, 0.0], &[2.0, 1.0]]);
        let theirs = figures("theirs", &[&[3.0, 1.0], &[4.0, 1.0], &[4.0, 1.0]]);
        let value = json("table", &row, &[ours, theirs]);
        assert_eq!(value["scenario"], "row");
        assert_eq!(value["threads"], 4);
        assert_eq!(value["runtimes"]["theirs"]["time"]["ratio"]["median"], 2.0);
        assert_eq!(value["runtimes"]["theirs"]["time"]["median"], 4.0);
        assert!(
            value["runtimes"]["theirs"]["count"]["ratio"].is_null(),
            "a ratio to 0 says nothing"
        );
        assert!(value["runtimes"]["ours"]["time"]["ratio"].is_null());
    }
}
