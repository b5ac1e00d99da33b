//! Who may know whom: reads the manifests and the paths in the code, and refuses an arrow that points the wrong way.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::source::{Token, files, read, tokens};

/// The modules of the library, from the top down. A module may name those of the layers below its own.
const LAYERS: [&[&str]; 8] = [
    &["lib", "shuttle_tests"],
    PUBLIC,
    &["context"],
    &["blocking", "local", "scheduler"],
    &["driver", "queue", "task"],
    &["coop"],
    &["rt_sync"],
    &["ledger"],
];

/// What users see. The only layer whose modules may name each other.
const PUBLIC: &[&str] = &[
    "fs",
    "http",
    "hyper",
    "io",
    "macros",
    "net",
    "process",
    "runtime",
    "signal",
    "stream",
    "sync",
    "task_api",
    "time",
    "tls",
    "tokio_compat",
];

/// The one line that points up: users find these functions at `executor::task`, which itself must not know a runtime.
const FACADE: (&str, &str) = ("executor/src/task/mod.rs", "pub use crate::task_api::");

/// The crates below the library, and what each may depend on besides the standard library.
const CRATES: [(&str, &[&str]); 2] = [
    ("timer", &["parking_lot"]),
    (
        "reactor",
        &["crossbeam-utils", "libc", "mio", "parking_lot"],
    ),
];

/// What models depend on, nothing else does.
const MODEL_CHECKERS: [&str; 2] = ["loom", "shuttle"];

/// The one module that may name them.
const DRIVER: &str = "driver";

#[test]
fn modules_of_the_library_name_only_what_is_below_them() {
    let library = Library::read();
    let wrong: Vec<_> = files("executor/src", "rs")
        .iter()
        .flat_map(|file| library.wrong_arrows(file, &read(file)))
        .collect();
    assert!(
        wrong.is_empty(),
        "wrong arrows, see ARCHITECTURE.md:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_module_has_its_layer() {
    let modules = Library::read().modules;
    let known: BTreeSet<_> = LAYERS.concat().into_iter().map(str::to_owned).collect();
    let missing: Vec<_> = modules.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "give these modules a layer in `LAYERS`, and in ARCHITECTURE.md: {missing:?}"
    );
}

#[test]
fn the_crates_below_depend_on_nothing_else() {
    for (name, allowed) in CRATES {
        let manifest = format!("{name}/Cargo.toml");
        for (line, dependency) in dependencies(&read(&manifest)) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{manifest}:{line}: {name} → {dependency}: may depend on {allowed:?} only"
            );
        }
        let known = workspace_crates();
        let wrong: Vec<_> = files(&format!("{name}/src"), "rs")
            .iter()
            .filter(|file| !file.contains("/tests") && !file.contains("loom"))
            .flat_map(|file| wrong_crates(name, allowed, &known, file))
            .collect();
        assert!(
            wrong.is_empty(),
            "wrong arrows, see ARCHITECTURE.md:\n{}",
            wrong.join("\n")
        );
    }
}

#[test]
fn every_source_file_begins_by_saying_what_it_is_for() {
    let sources = [
        "executor/src",
        "executor/macros/src",
        "reactor/src",
        "timer/src",
        "benches/src",
        "tests/tests",
    ];
    for file in sources
        .into_iter()
        .flat_map(|directory| files(directory, "rs"))
    {
        assert!(
            read(&file).starts_with("//! "),
            "{file}: the first line must begin with `//! ` and say the file's job"
        );
    }
}

#[test]
fn planted_violations_are_found_with_file_line_and_arrow() {
    let library = Library::read();
    let wrong = |file: &str, source: &str| library.wrong_arrows(file, source);
    let found = [
        (
            "executor/src/task/planted.rs",
            "\nuse crate::queue::Slot;",
            "2: task → queue",
        ),
        (
            "executor/src/queue/planted.rs",
            "use super::super::driver;",
            "1: queue → driver",
        ),
        (
            "executor/src/scheduler/planted.rs",
            "use crate::{\n    task,\n    context::State,\n};",
            "3: scheduler → context",
        ),
        (
            "executor/src/context/planted.rs",
            "fn f() { crate::spawn(async {}); }",
            "1: context → task_api",
        ),
        (
            "executor/src/blocking.rs",
            "mod a { use super::super::scheduler; }",
            "1: blocking → scheduler",
        ),
        (
            "executor/src/time/planted.rs",
            "fn f() -> timer::Status { loop {} }",
            "1: time → timer",
        ),
        (
            "executor/src/net/planted.rs",
            "use ::reactor::Source;",
            "1: net → reactor",
        ),
        (
            "executor/src/task/planted.rs",
            "pub use crate::task_api::spawn;",
            "1: task → task_api",
        ),
        (
            "executor/src/rt_sync.rs",
            "use crate::task::Id;",
            "1: rt_sync → task",
        ),
    ];
    for (file, source, message) in found {
        let wrong = wrong(file, source);
        assert_eq!(wrong.len(), 1, "{file}: {source}: {wrong:?}");
        assert!(
            wrong[0].starts_with(&format!("{file}:{message}: ")),
            "{wrong:?}"
        );
    }
    let fine = [
        (
            "executor/src/net/planted.rs",
            "use crate::{context, driver::Source, time::sleep};",
        ),
        (
            "executor/src/task/planted.rs",
            "// crate::queue\nmod a { use super::super::list; }\nuse super::raw;",
        ),
        (
            "executor/src/task/mod.rs",
            "pub use crate::task_api::{spawn, yield_now};",
        ),
        (
            "executor/src/driver/planted.rs",
            "use reactor::Source; use crate::rt_sync::Mutex;",
        ),
        ("executor/src/lib.rs", "pub use task_api::spawn;"),
    ];
    for (file, source) in fine {
        assert_eq!(wrong(file, source), Vec::<String>::new());
    }
}

/// What the library's root says.
struct Library {
    modules: BTreeSet<String>,
    /// Where the names come from that the root re-exports.
    reexports: BTreeMap<String, String>,
}

impl Library {
    fn read() -> Self {
        let tokens = tokens(&read("executor/src/lib.rs"));
        let modules = tokens
            .windows(3)
            .filter(|w| w[0].is("mod") && w[1].is_word() && w[2].is(";"));
        let modules = modules.map(|w| w[1].text.clone()).collect();
        let mut reexports = BTreeMap::new();
        for (at, _) in tokens
            .windows(3)
            .enumerate()
            .filter(|(_, w)| w[0].is("use") && w[2].is("::"))
        {
            let module = &tokens[at + 1].text;
            let names = tokens[at + 3..]
                .iter()
                .take_while(|token| !token.is(";"))
                .filter(|token| token.is_word());
            reexports.extend(names.map(|name| (name.text.clone(), module.clone())));
        }
        Self { modules, reexports }
    }

    /// The messages about `source`, which is or might be the text of `file`.
    fn wrong_arrows(&self, file: &str, source: &str) -> Vec<String> {
        let path = file
            .strip_prefix("executor/src/")
            .unwrap()
            .strip_suffix(".rs")
            .unwrap();
        let module: Vec<&str> = path
            .split('/')
            .filter(|segment| !["mod", "lib"].contains(segment))
            .collect();
        let from = module.first().copied().unwrap_or("lib");
        let mut wrong = Vec::new();
        for (line, to) in paths_from_root(&tokens(source), module.len()) {
            let to = if self.modules.contains(&to) {
                Some(&to)
            } else {
                self.reexports.get(&to)
            };
            let is_facade = || {
                file == FACADE.0
                    && source
                        .lines()
                        .nth(line - 1)
                        .is_some_and(|text| text.starts_with(FACADE.1))
            };
            if let Some(to) = to
                && let Err(reason) = may_name(from, to)
                && !is_facade()
            {
                wrong.push(format!("{file}:{line}: {from} → {to}: {reason}"));
            }
        }
        for (line, name) in crates_named(&tokens(source)) {
            if CRATES.iter().any(|(below, _)| *below == name) && from != DRIVER {
                wrong.push(format!("{file}:{line}: {from} → {name}: only `{DRIVER}` names this crate; use what `{DRIVER}` re-exports"));
            }
        }
        wrong
    }
}

/// Whether a module of the library may name another.
fn may_name(from: &str, to: &str) -> Result<(), &'static str> {
    let layer = |module| LAYERS.iter().position(|layer| layer.contains(&module));
    // A module without a layer is another test's business.
    let (Some(above), Some(below)) = (layer(from), layer(to)) else {
        return Ok(());
    };
    match above.cmp(&below) {
        _ if from == to => Ok(()),
        std::cmp::Ordering::Less => Ok(()),
        std::cmp::Ordering::Equal if LAYERS[above] == PUBLIC => Ok(()),
        std::cmp::Ordering::Equal => Err("modules of this layer never name each other"),
        std::cmp::Ordering::Greater => Err("points up"),
    }
}

/// What paths through `crate` or enough `super`s name at the root: the line, and the first segment below it.
///
/// `depth` is how deep the file's module lies below the root.
fn paths_from_root(tokens: &[Token], depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // The brace depths at which inline modules began.
    let (mut inline, mut braces) = (Vec::new(), 0_usize);
    let mut at = 0;
    while at < tokens.len() {
        let (start, is_path) = (at, tokens.get(at + 1).is_some_and(|next| next.is("::")));
        at += 1;
        match tokens[start].text.as_str() {
            "{" => {
                braces += 1;
                if start >= 2 && tokens[start - 2].is("mod") {
                    inline.push(braces);
                }
            }
            "}" => {
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
                braces = braces.saturating_sub(1);
            }
            "crate" if is_path => found.extend(first_segments(&tokens[start + 2..])),
            "super" if is_path => {
                let mut supers = 1;
                at = start + 2;
                while tokens.get(at).is_some_and(|token| token.is("super"))
                    && tokens[at + 1].is("::")
                {
                    supers += 1;
                    at += 2;
                }
                if supers == depth + inline.len() {
                    found.extend(first_segments(&tokens[at..]));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first segments of a path or of a braced list of paths.
fn first_segments(tokens: &[Token]) -> Vec<(usize, String)> {
    let Some(first) = tokens.first() else {
        return Vec::new();
    };
    if !first.is("{") {
        return vec![(first.line, first.text.clone())];
    }
    let mut depth = 0_usize;
    let mut segments = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            _ if depth == 1 && (tokens[at - 1].is("{") || tokens[at - 1].is(",")) => {
                segments.push((token.line, token.text.clone()));
            }
            _ => {}
        }
    }
    segments
}

/// The words with which paths begin, and that are not keywords: crates, or what is imported.
fn crates_named(tokens: &[Token]) -> Vec<(usize, String)> {
    let before = |at: usize| at.checked_sub(1).map_or("", |at| tokens[at].text.as_str());
    (0..tokens.len())
        .filter(|&at| {
            let is_use = ["use", "crate"].contains(&before(at));
            let next = tokens.get(at + 1).map_or("", |next| next.text.as_str());
            let starts = match before(at) {
                // `use ::x` begins with a crate, `a::x` and `<A>::x` go on with a path.
                "::" => at.checked_sub(2).is_none_or(|at| {
                    tokens[at].is("use") || !(tokens[at].is_word() || tokens[at].is(">"))
                }),
                "." => false,
                _ => true,
            };
            // `use x;` and `extern crate x;` have no `::` behind.
            tokens[at].is_word()
                && starts
                && (next == "::" || (is_use && [";", "as"].contains(&next)))
        })
        .map(|at| (tokens[at].line, tokens[at].text.clone()))
        .collect()
}

fn wrong_crates(name: &str, allowed: &[&str], known: &BTreeSet<String>, file: &str) -> Vec<String> {
    let tokens = tokens(&read(file));
    let own: BTreeSet<_> = files(&format!("{name}/src"), "rs")
        .iter()
        .flat_map(|file| modules_of(&crate::support::source::tokens(&read(file))))
        .collect();
    let foreign = crates_named(&tokens).into_iter().filter(|(_, named)| {
        let is_allowed = allowed
            .iter()
            .any(|allowed| allowed.replace('-', "_") == *named);
        known.contains(named)
            && !is_allowed
            && !own.contains(named)
            && !MODEL_CHECKERS.contains(&named.as_str())
    });
    foreign
        .map(|(line, named)| {
            format!("{file}:{line}: {name} → {named}: may name std and {allowed:?} only")
        })
        .collect()
}

fn modules_of(tokens: &[Token]) -> Vec<String> {
    tokens
        .windows(2)
        .filter(|w| w[0].is("mod"))
        .map(|w| w[1].text.clone())
        .collect()
}

/// The names by which code could name a crate of this workspace or one it depends on.
fn workspace_crates() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    section
        .lines()
        .filter_map(key)
        .map(|name| name.replace('-', "_"))
        .collect()
}

/// What a manifest's `[dependencies]` name, those of targets included, but not of models; and their lines.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let mut listed = false;
    for (number, line) in manifest.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end().trim_end_matches(']');
            let of_models = MODEL_CHECKERS.map(|name| format!("target.'cfg({name})'.dependencies"));
            listed = !of_models.iter().any(|of_model| of_model == section)
                && (section == "dependencies"
                    || section == "build-dependencies"
                    || section.ends_with(".dependencies"));
            assert!(
                !section.starts_with("dependencies."),
                "write dependencies as lines of [dependencies]: {line}"
            );
        } else if listed {
            names.extend(key(line).map(|name| (number + 1, name)));
        }
    }
    names
}

fn key(line: &str) -> Option<String> {
    let (key, _) = line.split_once('=')?;
    let key = key.split('.').next()?.trim();
    (!key.starts_with('#')).then(|| key.to_owned())
}
