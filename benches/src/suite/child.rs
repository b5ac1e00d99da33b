//! Runs a command of this program, or of another build of it, to its end, and collects the JSON lines that it prints.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;

/// What came of a command. Lines that it printed before it failed are kept.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    pub(super) lines: Vec<Value>,
    /// What it said of itself on standard error: a rival that is not there, say.
    pub(super) notes: Vec<String>,
    pub(super) failed: Option<String>,
}

/// `program` with these arguments.
pub(super) fn run(program: &Path, arguments: &[String], quick: bool) -> Outcome {
    let start = Instant::now();
    let mut outcome = attempt(program, arguments, if quick { QUICK_LIMIT } else { LIMIT })
        .unwrap_or_else(|error| Outcome {
            failed: Some(error.to_string()),
            ..Outcome::default()
        });
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome
}

fn attempt(program: &Path, arguments: &[String], limit: Duration) -> Result<Outcome> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let printed = lines(child.stdout.take().expect("it is a pipe"));
    let said = lines(child.stderr.take().expect("it is a pipe"));
    let status = wait(&mut child, limit)?;
    let [printed, said] = [printed, said].map(|lines| lines.join().unwrap_or_default());

    let mut outcome = Outcome::default();
    for line in printed {
        match serde_json::from_str(&line) {
            Ok(value) => outcome.lines.push(value),
            Err(_) => outcome.failed = Some(format!("it printed what is no JSON: {line}")),
        }
    }
    // What it takes back with its last words is no note.
    let ended_well = status.is_some_and(|status| status.success());
    let mut notes: Vec<_> = said
        .iter()
        .filter_map(|line| Some(line.strip_prefix(OURS)?.to_owned()))
        .collect();
    if !ended_well {
        let end = status.map_or(format!("nothing for {limit:?}"), |status| {
            status.to_string()
        });
        let last = notes.pop().or(said.last().cloned()).unwrap_or_default();
        outcome.failed = Some(format!("{end}: {last}"));
    }
    outcome.notes = notes;
    Ok(outcome)
}

/// Reads a pipe until its end.
fn lines(pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<String>> {
    thread::spawn(move || {
        BufReader::new(pipe)
            .lines()
            .map_while(|line| line.ok())
            .collect()
    })
}

/// How it ended. It is killed, and there is no answer, if it did not within `limit`.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // Seldom enough to disturb no measurement.
        thread::sleep(Duration::from_millis(100));
    }
}

impl Outcome {
    pub(super) fn to_json(&self) -> Value {
        json!({ "seconds": self.seconds, "failed": self.failed, "notes": self.notes, "lines": self.lines })
    }

    pub(super) fn from_json(value: &Value) -> Self {
        let texts = value["notes"].as_array().into_iter().flatten();
        Self {
            seconds: value["seconds"].as_f64().unwrap_or_default(),
            lines: value["lines"].as_array().cloned().unwrap_or_default(),
            notes: texts
                .filter_map(|text| Some(text.as_str()?.to_owned()))
                .collect(),
            failed: value["failed"].as_str().map(str::to_owned),
        }
    }
}

/// How the lines begin that this program, and no runtime in it, says on standard error.
const OURS: &str = "compare: ";
const LIMIT: Duration = Duration::from_secs(3600);
/// Who is only slow, beside other work and in a debug build, is done by then.
const QUICK_LIMIT: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_survives_its_json() {
        let outcome = Outcome {
            seconds: 1.5,
            lines: vec![json!({ "program": "fib" })],
            notes: vec!["without Go".to_owned()],
            failed: Some("exit status: 1: ".to_owned()),
        };
        assert_eq!(Outcome::from_json(&outcome.to_json()), outcome);
    }

    #[test]
    fn who_does_not_end_is_killed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(wait(&mut child, Duration::ZERO).unwrap().is_none());
    }
}
