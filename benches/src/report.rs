//! Prints what was measured.

use serde_json::{Value, json};

use crate::cli::Options;
use crate::contestants::Flavour;
use crate::programs::Program;
use crate::rounds::Samples;
use crate::scaling::processors;
use crate::stats::{Spread, geometric_mean, median, ratios};

/// The tables of the programs: one for each runtime but the first, of its ratios to the first.
pub(crate) fn print(results: &[(Program, Vec<Samples>)], options: &Options) {
    println!("{}", conditions(options));
    let Some((_, samples)) = results.first() else {
        return;
    };
    if let [only] = &samples[..] {
        println!(
            "\n{:14} {:>12}   ns/op: {}",
            "program",
            only.name,
            Spread::HEAD
        );
        for (program, samples) in results {
            let spread = Spread::of(&samples[0].nanoseconds);
            println!("{:14} {:12}          {spread}", program.name(), "");
        }
    }
    let mut peers: Vec<&str> = Vec::new();
    for each in results.iter().flat_map(|(_, samples)| &samples[1..]) {
        if !peers.contains(&each.name) {
            peers.push(each.name);
        }
    }
    for peer in peers {
        // A program that it lacks is no row.
        let rows = results.iter().filter_map(|(program, samples)| {
            let other = samples.iter().find(|samples| samples.name == peer)?;
            Some((
                *program,
                &samples[0].nanoseconds[..],
                &other.nanoseconds[..],
            ))
        });
        ratio_table("ns/op", samples[0].name, peer, rows);
    }
}

/// A table of `other / base`: a row for each program, with the medians of both and the spread of the ratios of the rounds. Ends with
/// the geometric mean of the median ratios of those that are of the seven.
pub(crate) fn ratio_table<'a>(
    unit: &str,
    base: &str,
    other: &str,
    rows: impl Iterator<Item = (Program, &'a [f64], &'a [f64])>,
) {
    println!(
        "\n{unit:24} {base:>12} {other:>12}   {other}/{base}: {}",
        Spread::HEAD
    );
    let indent = base.len() + other.len() + 3;
    let mut medians = Vec::new();
    for (program, base, other) in rows {
        let name = program.name();
        let spread = Spread::of(&ratios(base, other));
        let [base, other] = [median(base), median(other)];
        println!(
            "{name:24} {base:12.1} {other:12.1}   {:indent$}{spread}",
            ""
        );
        medians.extend(program.is_of_seven().then_some(spread.median));
    }
    if medians.is_empty() {
        return;
    }
    println!(
        "{:24} {:25}   {:indent$}{:7.3}",
        "geometric mean",
        "",
        "",
        geometric_mean(&medians)
    );
}

/// One program as one JSON object.
pub(crate) fn json(program: Program, samples: &[Samples]) -> Value {
    let mut runtimes = serde_json::Map::new();
    for each in samples {
        let mut values =
            json!({ "median": median(&each.nanoseconds), "samples": each.nanoseconds });
        if each.name != samples[0].name {
            let ratios = ratios(&samples[0].nanoseconds, &each.nanoseconds);
            values["ratio"] = spread(&Spread::of(&ratios));
        }
        runtimes.insert(each.name.into(), values);
    }
    let mean = program.is_of_seven();
    json!({ "program": program.name(), "unit": "ns/op", "mean": mean, "runtimes": runtimes })
}

pub(crate) fn spread(spread: &Spread) -> Value {
    let Spread {
        min,
        low,
        median,
        high,
        max,
    } = spread;
    json!({ "min": min, "p25": low, "median": median, "p75": high, "max": max })
}

pub(crate) fn conditions(options: &Options) -> String {
    let processors = processors();
    let Options {
        rounds, workers, ..
    } = options;
    let threads = match options.flavour {
        Flavour::MultiThread => format!("{workers} workers"),
        Flavour::CurrentThread => "one thread".to_owned(),
    };
    format!("{rounds} alternating rounds, {threads}, {processors} processors")
}

/// `1 round`, `2 rounds`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
