//! Runs the other subcommands one after the other, and writes a page of what they measured.
//!
//! ```text
//! plan         the table of sections: which command, how it is shown
//! child        runs one, and collects the JSON lines that it prints
//! conditions   machine, versions, commit, date
//! figures      what a line of JSON says: metrics, samples, who is how much better
//! page         README.md, Markdown
//! pictures     SVG: ratios of all rows, and curves over connections or workers
//! ```
//!
//! `results.json` has all samples; page and pictures can be drawn anew from it. A command that fails costs its section only, and the
//! page says so.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Result;
use crate::cli::Options;

mod child;
mod conditions;
mod figures;
mod page;
mod pictures;
mod plan;

use child::Outcome;
pub(crate) use plan::Section;

/// A section, and what came of its command.
struct Run {
    section: &'static Section,
    outcome: Outcome,
}

pub(crate) fn run(options: &Options) -> Result {
    fs::create_dir_all(&options.out)?;
    let file = options.out.join("results.json");
    let results = if options.redraw {
        serde_json::from_str(&fs::read_to_string(&file)?)?
    } else {
        let results = measure(options);
        fs::write(&file, format!("{results:#}\n"))?;
        results
    };
    let runs = draw(&results, &options.out)?;
    println!("{} is written", options.out.join("README.md").display());
    let failed: Vec<_> = runs
        .iter()
        .filter_map(|run| {
            Some(format!(
                "{}: {}",
                run.section.name,
                run.outcome.failed.as_ref()?
            ))
        })
        .collect();
    match &failed[..] {
        [] => Ok(()),
        failed => Err(failed.join("; ").into()),
    }
}

fn measure(options: &Options) -> Value {
    // Before the first command, whose load would be in it.
    let conditions = conditions::now(options);
    let sections = match &options.sections[..] {
        [] => Section::ALL.iter().collect(),
        asked => asked.to_vec(),
    };
    let runs: Vec<_> = sections
        .into_iter()
        .map(|section| {
            let arguments = section.command(options);
            println!("compare {}", arguments.join(" "));
            let outcome = child::run(&arguments, options.smoke);
            if let Some(failed) = &outcome.failed {
                println!("  failed: {failed}");
            }
            for note in &outcome.notes {
                println!("  {note}");
            }
            println!("  {:.0} s", outcome.seconds);
            json!({ "section": section.name, "command": arguments, "outcome": outcome.to_json() })
        })
        .collect();
    json!({ "conditions": conditions, "runs": runs })
}

/// The page and its pictures.
fn draw(results: &Value, directory: &Path) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for run in results["runs"].as_array().ok_or("no runs")? {
        runs.push(Run {
            section: Section::named(run["section"].as_str().unwrap_or_default())?,
            outcome: Outcome::from_json(&run["outcome"]),
        });
    }
    let mut page = page::head(&results["conditions"]);
    pictures::remove_all(directory)?;
    for run in &runs {
        let lines = figures::Line::all(run);
        page += &page::section(run, &lines);
        for picture in pictures::of(run.section, &lines)? {
            fs::write(directory.join(&picture.file), &picture.svg)?;
            page += &format!("\n![{}]({})\n", picture.title, picture.file);
        }
    }
    fs::write(directory.join("README.md"), page)?;
    Ok(runs)
}
