//! What a line of JSON says: metrics, the samples of each runtime, and who is how much better.

use serde_json::Value;

use super::plan::Section;
use super::results::Run;
use crate::net;
use crate::stats::{self, Spread};

/// One line of a command: some metrics under one heading.
pub(super) struct Line {
    /// Its texts: `fib`.
    pub(super) group: String,
    /// Its numbers, as text and by name: `64 connections`.
    pub(super) counts: String,
    pub(super) numbers: Vec<(String, f64)>,
    pub(super) metrics: Vec<Metric>,
}

pub(super) struct Metric {
    pub(super) name: String,
    /// Ours first. A sample that never came is infinite.
    pub(super) runtimes: Vec<(String, Vec<f64>)>,
    /// Of work that is done more is better, of most other things less.
    pub(super) more_is_better: bool,
    /// Whether its ratios belong to the geometric mean of its section, if that has one.
    pub(super) in_mean: bool,
    /// How many rounds each life of a process had, where it was several.
    pub(super) lives: Vec<usize>,
}

/// How many times better the first of the runtimes is than another: the ratios of the rounds.
pub(super) struct Advantage {
    pub(super) spread: Spread,
    /// See [`stats::lower_bound_by_lives`].
    pub(super) at_least: Option<f64>,
}

impl Line {
    /// Those of a run that have figures.
    pub(super) fn all(run: &Run) -> Vec<Self> {
        let lines = run.outcome.lines.iter();
        lines
            .filter_map(|line| Self::parse(line, run.section.name))
            .collect()
    }

    fn parse(line: &Value, section: &str) -> Option<Self> {
        let (mut words, mut counts, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in line.as_object()? {
            match value {
                Value::String(text)
                    if !NO_WORDS.contains(&&**key) && !section.starts_with(text) =>
                {
                    words.push(text.clone());
                }
                Value::Number(number) => {
                    let number = number.as_f64()?;
                    let unit = match number {
                        1.0 => key.trim_end_matches('s'),
                        _ => key,
                    };
                    counts.push(match &**key {
                        "rate" => format!("{number} due each second"),
                        _ => format!("{number} {unit}"),
                    });
                    numbers.push((key.clone(), number));
                }
                _ => {}
            }
        }
        let runtimes = line["runtimes"].as_object()?;
        let (first, unit) = (runtimes.values().next()?, line["unit"].as_str());
        // Either one metric, which has the line's unit as its name, or several with names.
        let names: Vec<&str> = match first.get("samples") {
            Some(_) => vec![unit.unwrap_or_default()],
            None => first.as_object()?.keys().map(String::as_str).collect(),
        };
        let lives = line["lives"].as_array().into_iter().flatten();
        let lives: Vec<_> = lives
            .filter_map(|rounds| Some(rounds.as_u64()? as usize))
            .collect();
        let metrics = names.into_iter().map(|name| Metric {
            name: name.to_owned(),
            lives: lives.clone(),
            in_mean: line["mean"] != false,
            more_is_better: line["better"] == "more" || WORK.contains(&name),
            runtimes: runtimes
                .iter()
                .filter_map(|(runtime, values)| {
                    let values = values
                        .get("samples")
                        .or_else(|| values.get(name)?.get("samples"));
                    Some((runtime.clone(), samples(values?)?))
                })
                .collect(),
        });
        // Said in words already.
        counts.retain(|count| !words.contains(count));
        Some(Self {
            group: words.join(", "),
            counts: counts.join(", "),
            numbers,
            metrics: metrics.collect(),
        })
    }

    /// What tells it from the other lines of its section: `64 connections`, `fib, 2 workers`.
    pub(super) fn label(&self) -> String {
        let both = [&*self.group, &*self.counts];
        let parts: Vec<_> = both.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }

    /// Whether it is a row of a table, with other lines of its group.
    pub(super) fn is_row_of(&self, section: &Section) -> bool {
        section.rows.is_some_and(|key| self.number(key).is_some())
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        let mut numbers = self.numbers.iter();
        Some(numbers.find(|(name, _)| name == key)?.1)
    }

    pub(super) fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}

fn samples(values: &Value) -> Option<Vec<f64>> {
    let values = values.as_array()?.iter();
    let samples: Vec<_> = values
        .map(|value| value.as_f64().unwrap_or(f64::INFINITY))
        .collect();
    (!samples.is_empty()).then_some(samples)
}

impl Metric {
    /// For each runtime but the first. There is none of what is the load's, nor if a round has no ratio that is a number: 0 is twice nothing.
    pub(super) fn advantage(&self, peer: &str) -> Option<Advantage> {
        if NO_MERIT.contains(&&*self.name) {
            return None;
        }
        let (_, ours) = self.runtimes.first()?;
        let (_, theirs) = self.runtimes[1..].iter().find(|(name, _)| name == peer)?;
        let ratios = match self.more_is_better {
            true => stats::ratios(theirs, ours),
            false => stats::ratios(ours, theirs),
        };
        let sound =
            !ratios.is_empty() && ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0);
        sound.then(|| Advantage {
            spread: Spread::of(&ratios),
            at_least: stats::lower_bound_by_lives(&ratios, &self.lives),
        })
    }
}

/// The runtimes of all these metrics, in the order in which they come up.
pub(super) fn runtimes<'a>(metrics: impl Iterator<Item = &'a Metric>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in metrics.flat_map(|metric| &metric.runtimes) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Rates of work that is done. Wake-ups or processor time each second are none.
const WORK: [&str; 4] = ["requests/s", "messages/s", "connections/s", "ops/s"];

/// What is said of the load, and is no server's merit or fault.
const NO_MERIT: [&str; 2] = [net::LATE, net::LOAD];

/// Keys of a line whose texts are no part of its label.
const NO_WORDS: [&str; 2] = ["unit", "better"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_times_less_is_better_and_of_rates_more() {
        for (name, better) in [("ns/op", 2.0), ("requests/s", 0.5)] {
            let metric = Metric {
                name: name.to_owned(),
                more_is_better: better < 1.0,
                lives: Vec::new(),
                in_mean: true,
                runtimes: vec![
                    ("executor".to_owned(), vec![10.0; 5]),
                    ("tokio".to_owned(), vec![20.0; 5]),
                    ("stuck".to_owned(), vec![f64::INFINITY; 5]),
                ],
            };
            let advantage = metric.advantage("tokio").unwrap();
            assert_eq!(advantage.spread.median, better, "{name}");
            assert_eq!(advantage.at_least, Some(better), "{name}");
            assert!(metric.advantage("stuck").is_none());
            assert!(metric.advantage("absent").is_none());
        }
    }

    #[test]
    fn what_is_the_loads_is_no_advantage() {
        let metric = Metric {
            name: net::LOAD.to_owned(),
            more_is_better: false,
            runtimes: vec![
                ("executor".to_owned(), vec![50.0; 5]),
                ("tokio".to_owned(), vec![100.0; 5]),
            ],
            lives: Vec::new(),
            in_mean: true,
        };
        assert!(metric.advantage("tokio").is_none());
    }

    #[test]
    fn a_line_of_one_metric_and_a_line_of_several_are_understood() {
        let line = json!({ "program": "fib", "unit": "ns/op", "runtimes": { "executor": { "median": 2.0, "samples": [1.0, null] } } });
        let line = Line::parse(&line, "programs").unwrap();
        assert_eq!(line.label(), "fib");
        assert_eq!(line.metrics[0].name, "ns/op");
        let samples = vec![1.0, f64::INFINITY];
        assert_eq!(line.metrics[0].runtimes, [("executor".to_owned(), samples)]);

        let line = json!({ "program": "http", "connections": 64, "stall_every": null, "lives": [3, 4], "runtimes": {
            "executor": { "requests/s": { "samples": [5.0] }, "p99 us": { "samples": [1.0] } },
            "tokio": { "requests/s": { "samples": [4.0] } },
        } });
        let line = Line::parse(&line, "http").unwrap();
        assert_eq!(line.label(), "64 connections");
        assert!(line.metric("requests/s").unwrap().more_is_better);
        assert!(!line.metric("p99 us").unwrap().more_is_better);
        assert_eq!(line.number("connections"), Some(64.0));
        assert_eq!(line.metric("requests/s").unwrap().lives, [3, 4]);
        assert_eq!(line.metric("requests/s").unwrap().runtimes.len(), 2);
        assert_eq!(line.metric("p99 us").unwrap().runtimes.len(), 1);
    }
}
