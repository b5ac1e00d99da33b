//! Runs the other subcommands one after the other, and writes a page of what they measured.
//!
//! ```text
//! plan         the table of sections: which command, how it is shown
//! child        runs one, and collects the JSON lines that it prints
//! conditions   machine, versions, commit, date, load: before each section
//! results      results.json: what each came to, and under which conditions
//! figures      what a line of JSON says: metrics, samples, who is how much better
//! page         README.md, Markdown
//! pictures     SVG: ratios of all rows, and curves over connections or workers
//! ```
//!
//! `results.json` has all samples; page and pictures can be drawn anew from it. A command that fails costs its section only, and the
//! page says so.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::cli::Options;

mod child;
mod conditions;
mod figures;
mod page;
mod pictures;
mod plan;
mod results;

use child::Outcome;
use conditions::Conditions;
pub(crate) use plan::Section;
use results::Run;

pub(crate) fn run(options: &Options) -> Result {
    fs::create_dir_all(&options.out)?;
    let file = options.out.join("results.json");
    let runs = if options.redraw {
        results::read(&file)?
    } else {
        // Before anything is measured: hours would be lost to a file that cannot be read.
        let old = match options.merge && file.exists() {
            true => results::read(&file)?,
            false => Vec::new(),
        };
        let runs = results::merged(old, measure(options));
        results::write(&file, &runs)?;
        runs
    };
    draw(&runs, &options.out)?;
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

fn measure(options: &Options) -> Vec<Run> {
    let sections = match &options.sections[..] {
        [] => Section::ALL.iter().collect(),
        asked => asked.to_vec(),
    };
    let run = |section: &'static Section| {
        // Before the command, whose own load would be in it.
        let conditions = Conditions::now(options);
        let arguments = section.command(options);
        println!("compare {}", arguments.join(" "));
        println!("  {}", conditions.in_short());
        let outcome = match section.program(options) {
            Ok(program) => child::run(&program, &arguments, options.smoke),
            Err(why) => Outcome {
                notes: vec![why],
                ..Outcome::default()
            },
        };
        if let Some(failed) = &outcome.failed {
            println!("  failed: {failed}");
        }
        for note in &outcome.notes {
            println!("  {note}");
        }
        println!("  {:.0} s", outcome.seconds);
        Run {
            section,
            command: arguments.into(),
            conditions,
            outcome,
        }
    };
    sections.into_iter().map(run).collect()
}

/// The page and its pictures.
fn draw(runs: &[Run], directory: &Path) -> Result {
    let conditions: Vec<_> = runs.iter().map(|run| &run.conditions).collect();
    let of_all = Conditions::common(&conditions);
    let mut page = page::head(&of_all, &conditions);
    pictures::remove_all(directory)?;
    for run in runs {
        let lines = figures::Line::all(run);
        page += &page::section(run, &of_all, &lines);
        for picture in pictures::of(run.section, &lines)? {
            fs::write(directory.join(&picture.file), &picture.svg)?;
            page += &format!("\n![{}]({})\n", picture.title, picture.file);
        }
    }
    Ok(fs::write(directory.join("README.md"), page)?)
}
