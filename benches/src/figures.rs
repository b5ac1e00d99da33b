//! What child processes measured, one array of numbers a round, and how it is printed.
//!
//! A figure that has no value, because what it counts never happened, is infinite here, `null` in JSON, and `never` in a table.

use serde_json::{Value, json};

use crate::Result;
use crate::stats::Spread;

/// The rounds of one contestant: in each, a figure for each of the metrics.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<Vec<f64>>,
}

impl Figures {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            rounds: Vec::new(),
        }
    }

    pub(crate) fn metric(&self, index: usize) -> Vec<f64> {
        self.rounds.iter().map(|round| round[index]).collect()
    }
}

/// A round as the line that a child process prints.
pub(crate) fn line(round: &[f64]) -> String {
    json!(round).to_string()
}

/// Reads such a line.
pub(crate) fn parse(line: &str, metrics: &[&str]) -> Result<Vec<f64>> {
    let values: Vec<Option<f64>> = serde_json::from_str(line)?;
    if values.len() != metrics.len() {
        return Err(format!("{} figures for {metrics:?}", values.len()).into());
    }
    Ok(values
        .into_iter()
        .map(|value| value.unwrap_or(f64::INFINITY))
        .collect())
}

/// A row for each metric: each contestant's median of the rounds, and the extremes.
pub(crate) fn print(title: &str, metrics: &[&str], results: &[Figures]) {
    println!("\n{title}");
    print!("{:34}", "median (min to max of the rounds)");
    for Figures { name, rounds } in results {
        print!(
            " {:>28}",
            format!("{name}, {}", crate::report::counted(rounds.len(), "round"))
        );
    }
    println!();
    for (index, metric) in metrics.iter().enumerate() {
        print!("{metric:34}");
        for figures in results {
            print!(" {:>28}", cell(&figures.metric(index)));
        }
        println!();
    }
}

/// The same as one JSON object.
pub(crate) fn json(program: &str, name: &str, metrics: &[&str], results: &[Figures]) -> Value {
    let mut runtimes = serde_json::Map::new();
    for figures in results {
        let mut values = serde_json::Map::new();
        for (index, metric) in metrics.iter().enumerate() {
            let samples = figures.metric(index);
            let Spread {
                min, median, max, ..
            } = Spread::of(&samples);
            values.insert(
                (*metric).to_owned(),
                json!({ "median": median, "min": min, "max": max, "samples": samples }),
            );
        }
        runtimes.insert(figures.name.to_owned(), values.into());
    }
    json!({ "program": program, "scenario": name, "runtimes": runtimes })
}

/// The median, and the extremes if they differ.
pub(crate) fn cell(values: &[f64]) -> String {
    let Spread {
        min, median, max, ..
    } = Spread::of(values);
    match min == max {
        true => shown(median),
        false => format!("{} ({} to {})", shown(median), shown(min), shown(max)),
    }
}

/// Three digits that count.
pub(crate) fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        infinite if infinite.is_infinite() => return "never".to_owned(),
        value => (2.0 - value.log10().floor()).clamp(0.0, 6.0) as usize,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_survives_its_line() {
        let round = [1.5, f64::INFINITY];
        assert_eq!(parse(&line(&round), &["a", "b"]).unwrap(), round);
        assert!(parse(&line(&round), &["a"]).is_err());
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.001_234, "0.00123"),
            (1.056, "1.06"),
            (94.06, "94.1"),
            (12_345.6, "12346"),
            (f64::INFINITY, "never"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn a_median_is_never_if_more_than_half_are() {
        assert_eq!(
            cell(&[2.0, f64::INFINITY, f64::INFINITY]),
            "never (2.00 to never)"
        );
        assert_eq!(cell(&[2.0, 2.0, f64::INFINITY]), "2.00 (2.00 to never)");
        assert_eq!(cell(&[f64::INFINITY]), "never");
    }
}
