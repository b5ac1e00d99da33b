//! The repository's own text, for the tests that read it: its files, and Rust code as tokens without comments and strings.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_path_buf()
}

/// A file's text, by its path from the root.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below `directory` that end in `.extension`, as sorted paths from the root.
pub(crate) fn files(directory: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![root().join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let path = path.strip_prefix(root()).unwrap();
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A word, `::`, or one other character of Rust code. A string is the token `""`, whatever is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_word)
    }
}

/// The tokens of Rust code: no comments, no blanks, no lifetimes, no literals but numbers.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, text) = token(rest, first);
        if let Some(text) = text {
            tokens.push(Token {
                text: text.to_owned(),
                line,
            });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The same tokens without the items that only tests contain.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match attribute_end(&tokens[at..]) {
            Some(length) if is_for_tests(&tokens[at..at + length]) => {
                at += length;
                while let Some(length) = attribute_end(&tokens[at..]) {
                    at += length;
                }
                at += item_end(&tokens[at..]);
            }
            _ => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// How long the first token, comment or blank is, and its text if it counts.
fn token(rest: &str, first: char) -> (usize, Option<&str>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if let Some(length) = string(rest) {
        return (length, Some("\"\""));
    }
    if first == '\'' {
        return (quote(rest), None);
    }
    if is_word(first) {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return (length, Some(&rest[..length]));
    }
    if rest.starts_with("::") {
        return (2, Some("::"));
    }
    let length = first.len_utf8();
    (length, (!first.is_whitespace()).then_some(&rest[..length]))
}

/// The length of a comment that may hold others.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().unwrap().len_utf8();
        }
    }
    at
}

/// The length of a string of any kind, if `rest` begins with one.
fn string(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0);
    if prefix > 2 {
        return None;
    }
    let raw = rest[..prefix].ends_with('r');
    let body = &rest[prefix..];
    let hashes = if raw {
        body.len() - body.trim_start_matches('#').len()
    } else {
        0
    };
    let text = body[hashes..].strip_prefix('"')?;
    let start = prefix + hashes + 1;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(start + text.find(&end)? + end.len());
    }
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(start + end + 1)
}

/// The length of a character or of a lifetime.
fn quote(rest: &str) -> usize {
    let mut after = rest.char_indices().skip(1);
    let Some((_, first)) = after.next() else {
        return rest.len();
    };
    if first == '\\' {
        // The escaped character may be a quote itself.
        let end = rest[3..].find('\'').unwrap_or(0);
        return 3 + end + 1;
    }
    match after.next() {
        Some((at, '\'')) => at + 1,
        _ => 1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How many tokens the attribute has that comes first, if one does.
fn attribute_end(tokens: &[Token]) -> Option<usize> {
    if !(tokens.first()?.is("#") && tokens.get(1)?.is("[")) {
        return None;
    }
    Some(1 + closing(&tokens[1..]))
}

/// Whether the attribute is a `cfg` that only tests satisfy.
fn is_for_tests(attribute: &[Token]) -> bool {
    let word = |at: usize, text| {
        attribute
            .get(at)
            .is_some_and(|token: &Token| token.is(text))
    };
    word(2, "cfg")
        && (0..attribute.len())
            .any(|at| word(at, "test") && !(word(at - 1, "(") && word(at - 2, "not")))
}

/// How many tokens the item has that comes first: up to its `;` or its closing brace.
fn item_end(tokens: &[Token]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => return at + closing(&tokens[at..]),
            "(" | "[" => at += closing(&tokens[at..]),
            _ => at += 1,
        }
    }
    at
}

/// How many tokens there are up to the bracket that closes the first one.
fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[test]
fn tokens_are_found_and_text_is_not() {
    let source = r####"
        // unsafe { a::b }
        /* unsafe /* twice */ unsafe */
        let s = "unsafe \" ::"; let r = r#"unsafe " "#; let b = br"\"; let c = b'"';
        fn f<'a>(x: &'a str, y: char) -> char { '\'' } // '
        ::std::ptr
    "####;
    let words: Vec<_> = tokens(source).into_iter().map(|token| token.text).collect();
    assert!(!words.contains(&"unsafe".to_owned()), "{words:?}");
    assert!(words.ends_with(&["}", "::", "std", "::", "ptr"].map(str::to_owned)));
    assert_eq!(words.iter().filter(|word| *word == "\"\"").count(), 3);
    assert_eq!(tokens(source).last().unwrap().line, 6);
}

#[test]
fn items_of_tests_are_left_out() {
    let source = "
        #[cfg(test)] mod tests;
        #[cfg(all(test, not(loom)))] #[path = \"x.rs\"] mod more { fn gone() { [1; 2]; } }
        #[cfg(all(test, loom))] fn gone(x: [u8; 2]) -> u8 { 1 }
        #[cfg(not(test))] fn stays() {}
        #[cfg(feature = \"test-util\")] fn stays() {}
    ";
    let words: Vec<_> = without_tests(&tokens(source))
        .into_iter()
        .map(|token| token.text)
        .collect();
    assert!(!words.contains(&"gone".to_owned()), "{words:?}");
    assert_eq!(words.iter().filter(|word| *word == "stays").count(), 2);
}
