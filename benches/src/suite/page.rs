//! The page in Markdown.

use super::conditions::{Conditions, text};
use super::figures::{Line, Metric, runtimes};
use super::plan::Section;
use super::results::Run;
use crate::figures::shown;
use crate::report::counted;
use crate::stats::{geometric_mean, median};

/// What comes before the sections: what holds for all of them.
pub(super) fn head(of_all: &Conditions, each: &[&Conditions]) -> String {
    let mut page = String::from(HEAD);
    if of_all.is_quick() {
        page += &format!("\n{QUICK}\n");
    }
    page += "\n| measured | |\n|---|---|\n";
    for (key, value) in &of_all.0 {
        page += &format!("| {key} | {} |\n", text(value));
    }
    let mut differ: Vec<String> = Vec::new();
    for key in each
        .iter()
        .flat_map(|each| each.beside(of_all).0.into_iter().map(|(key, _)| key))
    {
        if !differ.contains(&key) {
            differ.push(key);
        }
    }
    if !differ.is_empty() {
        page += &format!(
            "\nNot the same for all sections, and so said under the heading of each: {}.\n",
            differ.join(", ")
        );
    }
    page
}

pub(super) fn section(run: &Run, of_all: &Conditions, lines: &[Line]) -> String {
    let mut page = format!("\n## {}\n\n{}\n", run.section.title, run.section.about);
    let own = run.conditions.beside(of_all);
    if own.is_quick() {
        page += &format!("\n{QUICK}\n");
    }
    if !own.0.is_empty() {
        let pairs = own
            .0
            .iter()
            .map(|(key, value)| format!("{key} {}", text(value)));
        page += &format!("\nMeasured: {}.\n", pairs.collect::<Vec<_>>().join("; "));
    }
    if let Some(failed) = &run.outcome.failed {
        page += &format!(
            "\n**The command failed** ({failed}). What it printed before that is below.\n"
        );
    }
    let notes = run
        .outcome
        .lines
        .iter()
        .filter_map(|line| line["note"].as_str());
    for note in run.outcome.notes.iter().map(String::as_str).chain(notes) {
        page += &format!("\n*{note}*\n");
    }
    let (counted, plain) = by_rows(run.section, lines);
    for (group, lines) in counted {
        page += &format!("\n### {group}\n");
        let rows: Vec<_> = lines
            .iter()
            .map(|line| (line.counts.clone(), &line.metrics[0]))
            .collect();
        page += &table(&lines[0].metrics[0].name, &rows, false);
    }
    // If each line has but one metric, and all the same, one table has them all.
    let single =
        |line: &&Line| matches!(&line.metrics[..], [only] if only.name == plain[0].metrics[0].name);
    if plain.iter().all(single) {
        let rows: Vec<_> = plain
            .iter()
            .map(|line| (line.label(), &line.metrics[0]))
            .collect();
        let unit = plain.first().map_or("", |line| &line.metrics[0].name);
        page += &table(unit, &rows, run.section.mean);
    } else {
        for line in plain {
            page += &format!("\n### {}\n", line.label());
            let rows = line
                .metrics
                .iter()
                .map(|metric| (metric.name.clone(), metric));
            page += &table("", &rows.collect::<Vec<_>>(), false);
        }
    }
    page
}

/// Groups of lines, each of which becomes a table.
type Groups<'a> = Vec<(&'a str, Vec<&'a Line>)>;

/// The groups of the lines that are rows, and all other lines.
fn by_rows<'a>(section: &Section, lines: &'a [Line]) -> (Groups<'a>, Vec<&'a Line>) {
    let (rows, plain): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.is_row_of(section));
    let mut groups: Groups<'a> = Vec::new();
    for line in rows {
        match groups.iter_mut().find(|(group, _)| *group == line.group) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((&line.group, vec![line])),
        }
    }
    (groups, plain)
}

/// A row for each metric; for each peer its median, and our advantage over it.
fn table(corner: &str, rows: &[(String, &Metric)], mean: bool) -> String {
    let names = runtimes(rows.iter().map(|(_, metric)| *metric));
    let Some((ours, peers)) = names.split_first() else {
        return String::new();
    };
    let rounds = rows.iter().flat_map(|(_, metric)| metric.runtimes.first());
    let rounds = rounds.map(|(_, samples)| samples.len()).max().unwrap_or(0);
    let mut table = format!(
        "\nMedians of {}.\n\n| {corner} | {ours} |",
        counted(rounds, "round")
    );
    let mut rule = String::from("|---|--:|");
    for peer in peers {
        table += &format!(" {peer} | {} |", against(peer, rows));
        rule += "--:|:--|";
    }
    table += &format!("\n{rule}\n");
    for (label, metric) in rows {
        table += &format!("| {label} | {} |", of(metric, ours));
        for peer in peers {
            table += &format!(" {} | {} |", of(metric, peer), advantage(metric, peer));
        }
        table += "\n";
    }
    if mean {
        table += "| geometric mean | |";
        for peer in peers {
            let medians = rows
                .iter()
                .filter(|(_, metric)| metric.in_mean)
                .map(|(_, metric)| Some(metric.advantage(peer)?.spread.median));
            let mean = medians
                .collect::<Option<Vec<_>>>()
                .filter(|medians| !medians.is_empty())
                .map(|medians| geometric_mean(&medians));
            table += &format!(
                " | {} |",
                mean.map_or(NONE.to_owned(), |mean| format!("**{mean:.2}**"))
            );
        }
        table += "\n";
    }
    table
}

/// The head of the column of the advantage over a peer.
fn against(peer: &str, rows: &[(String, &Metric)]) -> String {
    let rates = rows
        .iter()
        .filter(|(_, metric)| metric.more_is_better)
        .count();
    match rates {
        0 => format!("{peer} ÷ ours"),
        all if all == rows.len() => format!("ours ÷ {peer}"),
        _ => format!("times better than {peer}"),
    }
}

fn of(metric: &Metric, runtime: &str) -> String {
    let mut runtimes = metric.runtimes.iter();
    let samples = runtimes.find(|(name, _)| name == runtime);
    samples.map_or(String::new(), |(_, samples)| shown(median(samples)))
}

/// `median (quartiles), ≥ lower bound`.
fn advantage(metric: &Metric, peer: &str) -> String {
    let Some(advantage) = metric.advantage(peer) else {
        return NONE.to_owned();
    };
    let spread = advantage.spread;
    let bound = advantage
        .at_least
        .map_or(String::new(), |bound| format!(", ≥ {bound:.2}"));
    format!(
        "**{:.2}** ({:.2}–{:.2}){bound}",
        spread.median, spread.low, spread.high
    )
}

const NONE: &str = "–";

const QUICK: &str =
    "**This was a quick run, which shows that everything runs. Its numbers mean nothing.**";

const HEAD: &str = "\
# Benchmarks

Written by `compare suite`, see [benches](../../benches/README.md#the-suite); do not edit. All samples are in [results.json](results.json).

Ratios are taken round by round, between samples that follow each other in an order drawn for the round. **Above 1 our runtime is better**: of what should be small it is the
other's figure divided by ours, of work done each second and of speed-ups ours divided by the other's. Shown is the median of the rounds, in brackets
the quartiles; after ≥ what the median of all such rounds is not below with a confidence of 95 %, by order statistics, from 5 rounds on. That supposes that
rounds know nothing of each other, so each has new processes: how one lies in memory stays as it is for its life. Servers of HTTP, echoes, connections and
datagrams live for up to 2 rounds; there a life counts once, with the median of its rounds, and there is a bound from 5 lives on. What a machine's host does for
minutes is in all rounds of such a while, and in no bound: other days and other machines may differ by more.
A dash stands where a round had no ratio, as between zeros.
";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::child::Outcome;
    use super::*;

    fn programs(failed: Option<String>) -> Run {
        let line = |name: &str, ours: f64| {
            json!({ "program": name, "unit": "ns/op", "runtimes": {
                "executor": { "samples": vec![ours; 5] }, "tokio": { "samples": vec![40.0; 5] },
            } })
        };
        let conditions = json!({ "commit": "abc", "kernel": "6" });
        let mut beside = line("self_wake_many", 1.0);
        beside["mean"] = false.into();
        Run {
            section: Section::named("programs").unwrap(),
            command: json!(["programs"]),
            conditions: Conditions(conditions.as_object().unwrap().clone()),
            outcome: Outcome {
                lines: vec![line("fib", 20.0), line("remote", 5.0), beside],
                notes: vec!["without Go: none".to_owned()],
                failed,
                ..Outcome::default()
            },
        }
    }

    #[test]
    fn rows_have_medians_ratios_bounds_and_a_mean() {
        let run = programs(None);
        let page = section(&run, &run.conditions, &Line::all(&run));
        for text in [
            "| ns/op | executor | tokio | tokio ÷ ours |",
            "| fib | 20.0 | 40.0 | **2.00** (2.00–2.00), ≥ 2.00 |",
            "| self_wake_many | 1.00 | 40.0 | **40.00** (40.00–40.00), ≥ 40.00 |",
            "| geometric mean | | | **4.00** |",
            "*without Go: none*",
        ] {
            assert!(page.contains(text), "{text} is not in\n{page}");
        }
    }

    #[test]
    fn a_section_says_what_does_not_hold_for_all() {
        let (run, mut other) = (programs(None), programs(None).conditions);
        other.0.insert("commit".to_owned(), "def".into());
        let all = [&run.conditions, &other];
        let of_all = Conditions::common(&all);
        let head = head(&of_all, &all);
        assert!(
            head.contains("| kernel | 6 |") && !head.contains("| commit |"),
            "{head}"
        );
        assert!(
            head.contains("under the heading of each: commit."),
            "{head}"
        );
        let page = section(&run, &of_all, &Line::all(&run));
        assert!(page.contains("\nMeasured: commit abc.\n"), "{page}");
        let alone = section(&run, &run.conditions, &Line::all(&run));
        assert!(!alone.contains("Measured:"), "{alone}");
    }

    #[test]
    fn a_command_that_failed_is_said_beside_what_it_printed() {
        let run = programs(Some("exit status: 3".to_owned()));
        let page = section(&run, &run.conditions, &Line::all(&run));
        assert!(
            page.contains("**The command failed** (exit status: 3)"),
            "{page}"
        );
        assert!(page.contains("| fib |"), "{page}");
    }
}
