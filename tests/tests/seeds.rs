//! The programs of the articles on asyncio print what the originals do: each is an example, and its whole output is a file in `golden`.
//!
//! On the paused clock, which the feature `test-util` gives to an example.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::support::source::root;
use crate::support::{Running, example};

/// An example, its arguments, and what the original has printed.
const PROGRAMS: [(&str, &[&str], &str); 18] = [
    ("seed_e01_fetch_data", &[], "g01_run_sleep_return"),
    ("seed_e02_error", &[], "g02_error_catch"),
    ("seed_e04_run_until_complete", &[], "g03_run_until_complete"),
    ("seed_e05_loop_create_task", &[], "g04_loop_create_task"),
    ("seed_e06_create_task", &[], "g05_create_task_await"),
    ("seed_e07_done_callback", &[], "g06_done_callback"),
    ("seed_e08_coroutine", &[], "g07_coroutine"),
    ("seed_e09_other_work", &[], "g08_task_other_work"),
    ("seed_e10_gather_tasks", &[], "g09_gather_tasks"),
    ("seed_e11_cancel", &[], "g10_cancel"),
    ("seed_e12_say_hello_tasks", &[], "g11_say_hello_tasks"),
    ("seed_e13_say_hello_gather", &[], "g12_say_hello_gather"),
    ("seed_e14_exceptions", &[], "g13_exceptions"),
    (
        "seed_e15_cancel_alice",
        &[],
        "g14_cancel_gather_return_exceptions",
    ),
    ("seed_e19_gather_two", &[], "g15_gather_two"),
    ("seed_e20_background_task", &[], "g16_background_task"),
    // Six times in a minute.
    ("seed_e25_periodic", &["59.9"], "e25_periodic"),
    ("seed_e26_fetch_and_print", &[], "g17_blogspot_main"),
];

/// The original of the first prints nothing: it lacks its `main`, see `examples`. The others need a live server, see `tests/ecosystem`.
const ELSEWHERE: [&str; 5] = [
    "seed_e21_debug.rs",
    "seed_e03_fetch_urls.rs",
    "seed_e16_single_get.rs",
    "seed_e22_scrape_all.rs",
    "seed_e27_fetch_page.rs",
];

#[test]
fn each_program_prints_what_the_original_does() {
    for (name, arguments, golden) in PROGRAMS {
        let expected = fs::read_to_string(golden_file(golden)).unwrap();
        assert_eq!(output(name, arguments), expected, "{name}");
    }
}

#[test]
fn each_program_has_its_row() {
    let examples = fs::read_dir(root().join("executor/examples")).unwrap();
    let examples = examples.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // One of several files has tests of its own.
    let seeds = |name: &String| {
        name.starts_with("seed_") && name.ends_with(".rs") && !ELSEWHERE.contains(&name.as_str())
    };
    let mut examples: Vec<_> = examples.filter(seeds).collect();
    examples.sort();
    let programs = PROGRAMS.map(|(name, ..)| format!("{name}.rs"));
    assert_eq!(examples, programs);
}

/// What the example prints, to the last byte. It must succeed in time.
fn output(name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = example(name, arguments);
    command.stdout(File::create(&path).unwrap());
    let printed = || fs::read_to_string(&path).unwrap();
    Running(command.spawn().unwrap()).succeed(name, printed);
    printed()
}

fn golden_file(name: &str) -> PathBuf {
    root().join("tests/golden").join(format!("{name}.stdout"))
}
