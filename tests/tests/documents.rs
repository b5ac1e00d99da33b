//! The documents name commands, tests and files that exist.

use std::collections::BTreeSet;

use crate::support::source::{files, read, root, tokens};

/// The documents whose claims are checked.
fn documents() -> Vec<String> {
    let mut documents: Vec<_> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ]
    .map(str::to_owned)
    .into();
    documents.extend(files("docs", "md"));
    documents
}

/// What the README shows first, each in a block of its own, below the comment by which `.ci/run` finds it.
const COMMANDS: [(&str, &str); 2] = [
    (
        "main job",
        "cargo run --release -p executor-rt --features hyper --example http",
    ),
    ("tests", "cargo test --workspace --all-features"),
];

/// Tables whose column has this title name tests in it, in backticks, as `name` or `module::name`.
const TESTS: &str = "test or model";

#[test]
fn the_readme_shows_each_command_in_a_block_of_its_own() {
    let readme = read("README.md");
    for (name, command) in COMMANDS {
        let block = format!("\n<!-- {name} -->\n```sh\n{command}\n```\n");
        assert!(readme.contains(&block), "README.md needs the block{block}");
    }
}

#[test]
fn tests_that_documents_name_exist() {
    let existing = functions();
    let mut named = 0;
    for document in documents() {
        for (line, name) in tests_named(&read(&document)) {
            named += 1;
            let function = name.rsplit("::").next().unwrap();
            assert!(
                existing.contains(function),
                "{document}:{line}: there is no test or model `{name}`"
            );
        }
    }
    assert!(named > 0, "no table with a column `{TESTS}` was found");
}

#[test]
fn files_that_documents_link_to_exist() {
    for document in documents() {
        let directory = document
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory);
        for (line, target) in links(&read(&document)) {
            let path = root()
                .join(directory)
                .join(target.split('#').next().unwrap());
            assert!(path.exists(), "{document}:{line}: nothing is at {target}");
        }
    }
}

#[test]
fn the_code_map_has_every_file_of_the_library() {
    let map = read("ARCHITECTURE.md");
    for file in [
        "executor/src",
        "executor/macros/src",
        "reactor/src",
        "timer/src",
    ]
    .into_iter()
    .flat_map(|directory| files(directory, "rs"))
    {
        let (module, file_name) = file.rsplit_once('/').unwrap();
        if file.contains("/tests")
            || file.contains("/shuttle_tests")
            || file.ends_with("loom_tests.rs")
            || ["mod.rs", "lib.rs"].contains(&file_name)
        {
            continue;
        }
        // Directories are sections, whose lines name their files without the ending.
        let name = file_name.strip_suffix(".rs").unwrap();
        assert!(
            map.contains(&format!("`{name}`")),
            "ARCHITECTURE.md: the code map lacks `{name}` ({module})"
        );
    }
}

#[test]
fn the_summary_of_the_book_lists_every_chapter() {
    let summary = read("docs/book/src/SUMMARY.md");
    for chapter in files("docs/book/src", "md") {
        let chapter = chapter.strip_prefix("docs/book/src/").unwrap();
        assert!(
            chapter == "SUMMARY.md" || summary.contains(&format!("({chapter})")),
            "SUMMARY.md lacks {chapter}"
        );
    }
}

#[test]
fn rust_code_in_documents_is_compiled() {
    let library = read("executor/src/lib.rs");
    // What needs crates of others.
    let ecosystem = read("tests/ecosystem/src/lib.rs");
    for document in documents() {
        if read(&document).contains("```rust") {
            let included = format!("\"../../{document}\"");
            assert!(
                library.contains(&included)
                    || ecosystem.contains(&format!("\"../../../{document}\"")),
                "{document} has Rust code that no doctest compiles: list {included} in `mod documents` of executor/src/lib.rs"
            );
        }
    }
}

/// The names of all functions in the workspace's Rust code.
fn functions() -> BTreeSet<String> {
    let sources = ["executor", "reactor", "timer", "tests", "benches"];
    let files = sources
        .into_iter()
        .flat_map(|directory| files(directory, "rs"));
    let mut names = BTreeSet::new();
    for file in files {
        let tokens = tokens(&read(&file));
        names.extend(
            tokens
                .windows(2)
                .filter(|w| w[0].is("fn"))
                .map(|w| w[1].text.clone()),
        );
    }
    names
}

/// Lines and names in the columns of tests.
fn tests_named(document: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let mut column = None;
    for (number, line) in document.lines().enumerate() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            column = None;
        } else if let Some(found) = cells.iter().position(|cell| *cell == TESTS) {
            column = Some(found);
        } else if let Some(cell) = column.and_then(|column| cells.get(column)) {
            named.extend(
                cell.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(|name| (number + 1, name.to_owned())),
            );
        }
    }
    named
}

/// Lines and targets of links that stay in the repository.
fn links(document: &str) -> Vec<(usize, &str)> {
    let lines = document.lines().enumerate();
    let links = lines
        .flat_map(|(number, line)| line.split("](").skip(1).map(move |rest| (number + 1, rest)));
    links
        .filter_map(|(number, rest)| Some((number, rest.split_once(')')?.0)))
        .filter(|(_, target)| !target.contains("://") && !target.starts_with('#'))
        .collect()
}
