//! Every subcommand runs. What it measures in so short a time means nothing, and is not looked at.

use std::process::Command;

#[test]
fn programs() {
    let lines = compare(&["--smoke", "--json"]);
    assert_eq!(lines.len(), 8, "one line for each program");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value["mean"],
            value["program"] != "self_wake_many",
            "{line}"
        );
        assert!(
            value["runtimes"]["tokio"]["ratio"]["median"]
                .as_f64()
                .unwrap()
                > 0.0,
            "{line}"
        );
        assert_eq!(
            value["runtimes"]["smol"]["samples"]
                .as_array()
                .unwrap()
                .len(),
            2,
            "{line}"
        );
    }
}

#[test]
fn programs_on_one_thread() {
    let lines = compare(&["--smoke", "--json", "--flavour", "current-thread"]);
    assert_eq!(lines.len(), 8, "one line for each program");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let ratio = &value["runtimes"]["tokio-ct"]["ratio"]["median"];
        assert!(ratio.as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn without_go_a_line_says_so() {
    let output = Command::new(PROGRAM)
        .args(["--smoke", "--programs", "chained_spawn"])
        .env("GO", "surely-no-such-program")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("compare: without Go"), "{said}");
}

#[test]
fn tables() {
    let lines = compare(&["--smoke", "--programs", "fib", "--only", "executor,tokio"]);
    assert!(
        lines.iter().any(|line| line.starts_with("geometric mean")),
        "{lines:#?}"
    );
}

#[test]
fn http() {
    let lines = compare(&["http", "--smoke", "--json", "--connections", "1,64"]);
    assert_eq!(lines.len(), 2, "one line for each number of connections");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let requests = &value["runtimes"]["tokio"]["requests/s"];
        assert!(requests["median"].as_f64().unwrap() > 0.0, "{line}");
    }
}

/// Where perf may watch. What it counts means something however short it is.
#[test]
fn what_perf_samples_is_near_what_the_system_counts() {
    let line = [
        "http", "--server", "raw", "--smoke", "--json", "--rounds", "3",
    ];
    let more = ["--seconds", "0.5", "--only", "executor,tokio"];
    let lines = compare(&[&line[..], &more].concat());
    let value: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    for runtime in ["executor", "tokio"] {
        let metrics = &value["runtimes"][runtime];
        let Some(sampled) = metrics["user us/request, sampled"]["median"].as_f64() else {
            continue;
        };
        let counted = metrics["user us/request"]["median"].as_f64().unwrap();
        // Ticks are coarse, and other programs take their time. A sample for each tick, or for each thread, would be further off.
        assert!(
            sampled < 4.0 * counted && counted < 4.0 * sampled,
            "{lines:?}"
        );
    }
}

#[test]
fn http_without_hyper() {
    let lines = compare(&["http", "--server", "raw", "--smoke", "--json"]);
    let [line] = &lines[..] else {
        panic!("one line for a number of connections: {lines:#?}");
    };
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["program"], "http-raw");
    for peer in ["tokio", "smol", "mio"] {
        let requests = &value["runtimes"][peer]["requests/s"];
        assert!(
            requests["ratio"]["median"].as_f64().unwrap() > 0.0,
            "{line}"
        );
    }
}

#[test]
fn http_at_a_fixed_rate() {
    let arguments = [
        "http",
        "--rate",
        "500",
        "--smoke",
        "--json",
        "--connections",
        "8",
    ];
    let lines = compare(&arguments);
    let [line] = &lines[..] else {
        panic!("one line for a number of connections: {lines:#?}");
    };
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["rate"], 500.0);
    for runtime in ["executor", "tokio"] {
        let tail = &value["runtimes"][runtime]["p99.99 us"];
        assert!(tail["median"].as_f64().unwrap() > 0.0, "{line}");
    }
}

/// Each on its own, so that they share the time.
macro_rules! rates {
    ($($command:ident $metric:literal)*) => {$(
        #[test]
        fn $command() {
            let lines = compare(&[stringify!($command), "--smoke", "--json", "--connections", "8"]);
            let [line] = &lines[..] else {
                panic!("one line for a number of connections: {lines:#?}");
            };
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            for contestant in ["executor", "tokio", "smol", "mio"] {
                let rate = &value["runtimes"][contestant][$metric];
                assert!(rate["median"].as_f64().unwrap() > 0.0, "{line}");
                // It is one thread. What is beyond is the grain of the clocks.
                let load = value["runtimes"][contestant]["load's CPU %"]["median"].as_f64();
                assert!(load.is_some_and(|load| 0.0 < load && load < 110.0), "{line}");
            }
        }
    )*};
}

rates! {
    echo "messages/s"
    connect "connections/s"
    udp "messages/s"
}

#[test]
fn idle_connections() {
    let lines = compare(&["idle-connections", "--smoke", "--json"]);
    let [line] = &lines[..] else {
        panic!("one line for a number of connections: {lines:#?}");
    };
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    for contestant in ["executor", "tokio", "smol", "mio"] {
        let bytes = &value["runtimes"][contestant]["resident bytes/connection"];
        assert_eq!(bytes["samples"].as_array().unwrap().len(), 2, "{line}");
    }
}

#[test]
fn memory() {
    let lines = compare(&["memory", "--smoke", "--json"]);
    assert_eq!(lines.len(), 3, "one line for each row: {lines:#?}");
    let all = ["executor", "tokio", "smol"];
    for (line, (metric, runtimes)) in lines.iter().zip([
        ("resident bytes a task", &all[..]),
        ("resident bytes a task", &all[..2]),
        ("resident bytes a connection", &all[..2]),
    ]) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for runtime in runtimes {
            let bytes = &value["runtimes"][runtime][metric]["median"];
            assert!(bytes.as_f64().unwrap() > 0.0, "{line}");
        }
    }
}

/// Where there is a valgrind.
#[test]
fn counts() {
    let arguments = ["counts", "--smoke", "--json", "--rounds", "1"];
    let lines = compare(
        &[
            &arguments[..],
            &["--rows", "chained", "--only", "executor,tokio"],
        ]
        .concat(),
    );
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let median = |runtime: &str, metric: &str| {
            let figure = &value["runtimes"][runtime][metric]["median"];
            figure.as_f64().unwrap()
        };
        for runtime in ["executor", "tokio"] {
            assert!(median(runtime, "instructions/op") > 0.0, "{line}");
        }
        // tokio asks the allocator for each task, where our workers keep the memory of the last one.
        assert!(median("tokio", "allocations/op") > 0.5, "{line}");
        assert!(median("executor", "allocations/op") < 0.5, "{line}");
    }
}

/// What `counts` runs under valgrind. A factor of fifty is more than any noise.
#[test]
fn by_the_clock_of_paced_a_program_takes_a_fraction_of_the_time() {
    let time = |program: &str| {
        let arguments = ["--smoke", "--json", "--programs", "fib", "--only"];
        let only = "executor,tokio";
        let line = output(program, &[&arguments[..], &[only]].concat()).concat();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        ["executor", "tokio"].map(|runtime| {
            let samples = &value["runtimes"][runtime]["samples"];
            samples[0].as_f64().unwrap()
        })
    };
    let paced = time(env!("CARGO_BIN_EXE_paced"));
    for (paced, true_time) in paced.into_iter().zip(time(PROGRAM)) {
        assert!(paced < true_time / 5.0, "{paced} ns, not {true_time}");
    }
}

#[test]
fn memory_on_one_thread() {
    let lines = compare(&["memory", "--smoke", "--flavour", "current-thread"]);
    assert!(
        lines.iter().any(|line| line.starts_with("resident bytes")),
        "{lines:#?}"
    );
}

#[test]
fn spawns() {
    let lines = compare(&["spawns", "--smoke", "--json"]);
    assert_eq!(lines.len(), 12, "one line for each row: {lines:#?}");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let (metric, runtimes) = match value["scenario"].as_str().unwrap() {
            "wake" | "burst" => ("p50, us", &["executor", "tokio", "tokio-tuned", "smol"][..]),
            "join-set" => ("ns/op", &["executor", "tokio", "tokio-tuned"][..]),
            _ => ("ns/op", &["executor", "tokio", "tokio-tuned", "smol"][..]),
        };
        for runtime in runtimes {
            let time = &value["runtimes"][runtime][metric]["median"];
            assert!(time.as_f64().unwrap() > 0.0, "{line}");
        }
    }
}

#[test]
fn blocking() {
    let lines = compare(&["blocking", "--smoke", "--json"]);
    let (costs, sleeps) = lines.split_at(5);
    for (line, tasks) in costs
        .iter()
        .zip([Some(1), Some(4), Some(16), Some(64), None])
    {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["tasks"].as_u64(), tasks, "{line}");
        let ratio = &value["runtimes"]["tokio"]["ns/op"]["ratio"]["median"];
        assert!(ratio.as_f64().unwrap() > 0.0, "{line}");
    }
    assert_eq!(sleeps.len(), 4, "64 and 512, cold and warm: {sleeps:#?}");
    for line in sleeps {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for runtime in ["executor", "tokio"] {
            // No closure sleeps for less.
            let time = &value["runtimes"][runtime]["ms until the last has ended"]["min"];
            assert!(time.as_f64().unwrap() >= 1.0, "{line}");
        }
    }
}

/// Where there is a PostgreSQL.
#[test]
fn postgres() {
    for line in compare(&["postgres", "--smoke", "--json"]) {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let ratio = &value["runtimes"]["tokio"]["ns/op"]["ratio"]["median"];
        assert!(ratio.as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn pages() {
    let lines = compare(&["pages", "--smoke", "--json"]);
    let [line] = &lines[..] else {
        panic!("there is one row: {lines:#?}");
    };
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["limit"], 50, "{line}");
    for runtime in ["executor", "tokio"] {
        let metrics = &value["runtimes"][runtime];
        // Whatever else happens, a server's sleep is no shorter.
        assert!(metrics["ms"]["min"].as_f64().unwrap() >= 200.0, "{line}");
        assert_eq!(metrics["most at a time"]["max"], 50.0, "{line}");
    }
}

#[test]
fn files() {
    let lines = compare(&["files", "--smoke", "--json"]);
    assert_eq!(lines.len(), 2, "one line for each row: {lines:#?}");
    for (line, mib) in lines.iter().zip([64, 1024]) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["MiB"], mib, "{line}");
        let ratio = &value["runtimes"]["executor"]["copy/sendfile"]["median"];
        assert!(ratio.as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn idle() {
    let lines = compare(&["idle", "--smoke", "--rounds", "1", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    for runtime in ["executor", "tokio", "smol"] {
        for metric in ["CPU us", "wake-ups"] {
            let samples = &value["runtimes"][runtime][metric]["samples"];
            assert_eq!(samples.as_array().unwrap().len(), 1, "{lines:#?}");
        }
    }
}

#[test]
fn timers() {
    let lines = compare(&["timers", "--smoke", "--json", "--workers", "2"]);
    assert_eq!(lines.len(), 12, "one line for each row: {lines:#?}");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        for runtime in ["executor", "tokio"] {
            let metrics = value["runtimes"][runtime].as_object().unwrap();
            assert!(!metrics.is_empty(), "{line}");
            if let Some(early) = metrics.get("early") {
                assert_eq!(early["max"].as_f64(), Some(0.0), "{line}");
            }
        }
    }
}

#[test]
fn rows_are_chosen_by_the_beginnings_of_their_names() {
    let rows = ["--rows", "reset-1,sleep-5", "--workers", "2"];
    let lines = compare(&[&["timers", "--smoke"][..], &rows].concat());
    for (start, there) in [("reset-1w", true), ("sleep-5ms", true), ("reset-2w", false)] {
        let found = lines.iter().any(|line| line.starts_with(start));
        assert_eq!(found, there, "{start}: {lines:#?}");
    }
}

/// Each on its own, so that they share the time.
macro_rules! stalls {
    ($($test:ident $scenario:literal $metric:literal)*) => {$(
        #[test]
        fn $test() {
            let lines = compare(&["stalls", "--smoke", "--json", "--only", "executor,tokio", "--scenarios", $scenario]);
            let [line] = &lines[..] else {
                panic!("one line for a scenario: {lines:#?}");
            };
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            for runtime in ["executor", "tokio"] {
                let samples = &value["runtimes"][runtime][$metric]["samples"];
                assert_eq!(samples.as_array().unwrap().len(), 2, "{line}");
            }
        }
    )*};
}

stalls! {
    stalls_blocking "blocking" "p99 interval, ms"
    stalls_spinning "spinning" "p99 interval, ms"
    stalls_first_blocked "first-blocked" "I/O goes on after, ms"
    stalls_first_spinning "first-spinning" "timers go on after, ms"
    stalls_long_polls "long-polls" "p99 latency, ms"
    stalls_http "http" "p99 us"
    stalls_accept "accept" "accepts again after, ms"
    stalls_pinned_spawns "pinned-spawns" "worst, ms"
    stalls_spawns "spawns" "lost"
}

/// Without a guard of that name there is one line less, and a message.
#[test]
fn stalls_guard() {
    let lines = compare(&["stalls", "--smoke", "--json", "--scenarios", "guard"]);
    assert!(lines.len() <= 1, "{lines:#?}");
}

#[test]
fn stalls_slow_heads() {
    let lines = compare(&["stalls", "--smoke", "--json", "--scenarios", "slow-heads"]);
    let value: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let samples = &value["runtimes"]["executor"]["p99 beside ÷ alone"]["samples"];
    assert_eq!(samples.as_array().unwrap().len(), 2, "{lines:#?}");
}

#[test]
fn stalls_as_tables() {
    let lines = compare(&["stalls", "--smoke", "--scenarios", "long-polls"]);
    assert!(
        lines.iter().any(|line| line.starts_with("p99 latency, ms")),
        "{lines:#?}"
    );
}

#[test]
fn churn() {
    for arguments in [&["churn", "--smoke"][..], &["churn", "--smoke", "--json"]] {
        let lines = compare(arguments);
        assert!(
            lines.iter().any(|line| line.contains("threads left")),
            "{lines:#?}"
        );
    }
}

/// This one does mean something: `soak` fails if anything is lost, however short it is.
#[test]
fn soak() {
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--seconds", "3", "--seed", "1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
}

#[test]
fn scaling() {
    let line = ["scaling", "--smoke", "--programs", "fib,fork_join"];
    let lines = compare(&[&line[..], &["--only", "executor,tokio,smol", "--json"]].concat());
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for program in ["fib", "fork_join"] {
        let of_program = lines.iter().filter(|line| line["scenario"] == program);
        let workers: Vec<_> = of_program.clone().map(|line| &line["workers"]).collect();
        assert!(
            workers.len() >= 3,
            "1, 2 and 4 workers at least: {workers:?}"
        );
        for line in of_program {
            for metric in ["speed-up", "efficiency"] {
                let samples = &line["runtimes"]["tokio"][metric]["samples"];
                assert_eq!(samples.as_array().unwrap().len(), 2, "{line}");
            }
            let smol = line["runtimes"]["smol"].as_object().unwrap();
            assert!(!smol.contains_key("efficiency"), "it has no base: {line}");
        }
    }
}

#[test]
fn suite() {
    let directory = std::env::temp_dir().join(format!("compare-suite-{}", std::process::id()));
    let out = directory.to_str().unwrap();
    compare(&[
        "suite",
        "--quick",
        "--sections",
        "programs,memory",
        "--out",
        out,
    ]);
    let read = |file: &str| std::fs::read_to_string(directory.join(file)).unwrap();
    let results: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
    assert_eq!(results["runs"].as_array().unwrap().len(), 2);
    let page = read("README.md");
    assert!(page.contains("| spawn_many |"), "{page}");
    assert!(page.contains("(programs-ratios.svg)"), "{page}");
    assert!(read("programs-ratios.svg").contains("</svg>"));

    let old = directory.join("http-of-an-earlier-run.svg");
    std::fs::write(&old, "").unwrap();
    compare(&["suite", "--redraw", "--out", out]);
    assert!(
        !old.exists(),
        "no picture is left that the page does not show"
    );
    assert_eq!(
        read("README.md"),
        page,
        "the same page comes of the same figures"
    );

    let memory = results["runs"][1].clone();
    let line = ["suite", "--quick", "--merge", "--sections", "programs"];
    compare(&[&line[..], &["--out", out]].concat());
    let merged: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
    assert_eq!(merged["runs"].as_array().unwrap().len(), 2);
    assert_eq!(merged["runs"][1], memory, "what was not measured stays");
    assert_ne!(
        merged["runs"][0], results["runs"][0],
        "it was measured anew"
    );
    let load = &merged["runs"][0]["conditions"]["load average before"];
    assert!(load.is_string(), "{load}");
    std::fs::remove_dir_all(directory).unwrap();
}

/// It is from before sections had conditions of their own.
#[test]
fn the_page_of_the_repository_can_be_drawn_anew() {
    let directory = std::env::temp_dir().join(format!("compare-redraw-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let figures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/benchmarks/results.json"
    );
    std::fs::copy(figures, directory.join("results.json")).unwrap();
    compare(&["suite", "--redraw", "--out", directory.to_str().unwrap()]);
    let page = std::fs::read_to_string(directory.join("README.md")).unwrap();
    assert!(page.contains("| spawn_many |"), "{page}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn ledger() {
    let lines = compare(&["ledger", "--smoke", "--json"]);
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |what: &str| -> Vec<_> {
        let scenario = |line: &&serde_json::Value| {
            let scenario = line["scenario"].as_str();
            scenario.is_some_and(|scenario| scenario.ends_with(what))
        };
        lines.iter().filter(scenario).collect()
    };
    let two_workers = of(", 2 workers");
    assert_eq!(
        two_workers.len(),
        4,
        "two programs on two runtimes: {lines:#?}"
    );
    let foretold = |line: &&&serde_json::Value| {
        let metrics = line["runtimes"].as_object().unwrap().values().next();
        let speed_up = |name: &str| metrics.unwrap()[name]["median"].as_f64().unwrap();
        let part = speed_up("speed-up modelled") / speed_up("speed-up");
        (0.75..=1.25).contains(&part)
    };
    let foretold = two_workers.iter().filter(foretold).count();
    let notes = lines.iter().filter(|line| line["note"].is_string());
    assert_eq!(
        notes.count(),
        4 - foretold,
        "what was missed is said: {lines:#?}"
    );
    assert_eq!(
        of(", model").len(),
        2 * foretold,
        "only else there are curves, for two costs of a line: {lines:#?}"
    );
}

#[test]
fn what_is_not_there_is_an_error() {
    let output = Command::new(PROGRAM).arg("fly").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown command fly"));
}

fn compare(arguments: &[&str]) -> Vec<String> {
    output(PROGRAM, arguments)
}

fn output(program: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_compare");
