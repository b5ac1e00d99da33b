//! The inventory of unsafe code, `docs/unsafe.md`, says what the code says.

use std::collections::BTreeMap;

use crate::support::source::{Token, files, read, tokens, without_tests};

const INVENTORY: &str = "docs/unsafe.md";
const SOURCES: [&str; 4] = [
    "executor/src",
    "executor/macros/src",
    "reactor/src",
    "timer/src",
];

/// How often a file says `unsafe`, by what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    blocks: usize,
    impls: usize,
    functions: usize,
}

#[test]
fn the_inventory_of_unsafe_code_is_up_to_date() {
    let mut differences = Vec::new();
    let mut written = inventory(&read(INVENTORY));
    for (file, count) in counted() {
        let row = written.remove(&file);
        if row != Some(count) {
            differences.push(format!(
                "{file}\n    has   {count}\n    table {}",
                shown(row)
            ));
        }
    }
    for (file, row) in written {
        differences.push(format!("{file}\n    has   no unsafe code\n    table {row}"));
    }
    assert!(
        differences.is_empty(),
        "{INVENTORY} is stale: update its counts, and what it says about the code that changed.\n{}",
        differences.join("\n")
    );
}

#[test]
fn blocks_impls_and_functions_are_told_apart() {
    let source = "
        unsafe impl Send for A {}
        struct V { run: unsafe fn(u8) }
        /// unsafe
        unsafe fn f() { unsafe { g() }; unsafe { h() } }
        trait T { unsafe fn of() -> Self; }
        pub(crate) unsafe extern \"C\" fn c() {}
        #[cfg(test)] mod tests { unsafe fn t() {} }
    ";
    let count = count(&without_tests(&tokens(source))).unwrap();
    assert_eq!((count.blocks, count.impls, count.functions), (2, 1, 3));
    assert!(
        count_of("unsafe trait T {}").is_err(),
        "what the table has no column for is an error"
    );
}

fn counted() -> BTreeMap<String, Count> {
    let sources = SOURCES
        .into_iter()
        .flat_map(|directory| files(directory, "rs"));
    sources
        .filter(|file| !is_test_file(file))
        .filter_map(|file| {
            let count = count_of(&read(&file))
                .unwrap_or_else(|line| panic!("{file}:{line}: an `unsafe` of an unknown kind"));
            (count != Count::default()).then_some((file, count))
        })
        .collect()
}

fn is_test_file(file: &str) -> bool {
    file.contains("/tests/") || file.ends_with("/tests.rs") || file.ends_with("loom_tests.rs")
}

fn count_of(source: &str) -> Result<Count, usize> {
    count(&without_tests(&tokens(source)))
}

/// The error is the line of an `unsafe` that is neither of the three, nor the type of a function pointer.
fn count(tokens: &[Token]) -> Result<Count, usize> {
    let mut count = Count::default();
    for (at, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is("unsafe"))
    {
        let mut next = tokens[at + 1..]
            .iter()
            .skip_while(|next| next.is("extern") || next.is("\"\""));
        match next.next().map(|next| next.text.as_str()) {
            Some("{") => count.blocks += 1,
            Some("impl") => count.impls += 1,
            Some("fn") if next.next().is_some_and(Token::is_word) => count.functions += 1,
            Some("fn") => {}
            _ => return Err(token.line),
        }
    }
    Ok(count)
}

/// The rows of the table: a path in backticks, then three numbers.
fn inventory(text: &str) -> BTreeMap<String, Count> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let file = cells.next()?.strip_suffix('`')?;
        let mut number = || cells.next()?.parse().ok();
        let count = Count {
            blocks: number()?,
            impls: number()?,
            functions: number()?,
        };
        Some((file.to_owned(), count))
    });
    rows.collect()
}

fn shown(row: Option<Count>) -> String {
    row.map_or_else(|| "no row".to_owned(), |count| count.to_string())
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            blocks,
            impls,
            functions,
        } = self;
        write!(f, "{blocks} blocks, {impls} impls, {functions} fns")
    }
}
