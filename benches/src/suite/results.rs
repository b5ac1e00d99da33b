//! `results.json`: the runs of the sections, each with what it was measured under.
//!
//! ```text
//! { "runs": [ { "section", "command", "conditions": { commit, date, load, machine, .. }, "outcome" }, .. ] }
//! ```
//!
//! Files from before sections had conditions have one `"conditions"` for all runs. It becomes that of each.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::child::Outcome;
use super::conditions::Conditions;
use super::plan::Section;
use crate::Result;

/// A section, and what came of its command.
pub(super) struct Run {
    pub(super) section: &'static Section,
    pub(super) command: Value,
    pub(super) conditions: Conditions,
    pub(super) outcome: Outcome,
}

pub(super) fn read(file: &Path) -> Result<Vec<Run>> {
    let of_file = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| of_file(&error))?;
    let results = serde_json::from_str(&text).map_err(|error| of_file(&error))?;
    parse(&results)
}

pub(super) fn write(file: &Path, runs: &[Run]) -> Result {
    let results = json(runs);
    Ok(fs::write(file, format!("{results:#}\n"))?)
}

/// New runs take the place of the old ones of the same section; all are in the order of the plan.
pub(super) fn merged(old: Vec<Run>, new: Vec<Run>) -> Vec<Run> {
    let replaced = |run: &Run| new.iter().any(|each| each.section.name == run.section.name);
    let mut runs: Vec<_> = old.into_iter().filter(|run| !replaced(run)).collect();
    runs.extend(new);
    runs.sort_by_key(|run| {
        Section::ALL
            .iter()
            .position(|section| section.name == run.section.name)
    });
    runs
}

fn parse(results: &Value) -> Result<Vec<Run>> {
    let runs = results["runs"].as_array().ok_or("no runs")?.iter();
    runs.map(|run| {
        let own = run["conditions"].as_object();
        let of_all = results["conditions"].as_object();
        Ok(Run {
            section: Section::named(run["section"].as_str().unwrap_or_default())?,
            command: run["command"].clone(),
            conditions: Conditions(own.or(of_all).cloned().unwrap_or_default()),
            outcome: Outcome::from_json(&run["outcome"]),
        })
    })
    .collect()
}

fn json(runs: &[Run]) -> Value {
    let runs = runs.iter().map(|run| {
        json!({
            "section": run.section.name,
            "command": run.command,
            "conditions": run.conditions.0,
            "outcome": run.outcome.to_json(),
        })
    });
    json!({ "runs": runs.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(section: &str, commit: &str) -> Run {
        let conditions = json!({ "commit": commit });
        Run {
            section: Section::named(section).unwrap(),
            command: json!(["programs"]),
            conditions: Conditions(conditions.as_object().unwrap().clone()),
            outcome: Outcome::default(),
        }
    }

    fn commits(runs: &[Run]) -> Vec<(&str, &str)> {
        let runs = runs.iter();
        runs.map(|run| {
            (
                run.section.name,
                run.conditions.0["commit"].as_str().unwrap(),
            )
        })
        .collect()
    }

    #[test]
    fn what_was_measured_anew_replaces_its_section_and_no_other() {
        let old = vec![
            run("programs", "old"),
            run("echo", "old"),
            run("memory", "old"),
        ];
        let new = vec![run("echo", "new"), run("http", "new")];
        let expected = [
            ("programs", "old"),
            ("http", "new"),
            ("echo", "new"),
            ("memory", "old"),
        ];
        assert_eq!(commits(&merged(old, new)), expected);
    }

    #[test]
    fn runs_survive_their_file() {
        let runs = [run("programs", "a"), run("echo", "b")];
        let again = parse(&json(&runs)).unwrap();
        assert_eq!(json(&again), json(&runs));
        assert_eq!(commits(&again), [("programs", "a"), ("echo", "b")]);
    }

    #[test]
    fn conditions_that_were_written_once_are_those_of_each() {
        let old = json!({ "conditions": { "commit": "1" }, "runs": [
            { "section": "echo", "outcome": {} }, { "section": "udp", "outcome": {}, "conditions": { "commit": "2" } },
        ] });
        assert_eq!(
            commits(&parse(&old).unwrap()),
            [("echo", "1"), ("udp", "2")]
        );
    }
}
