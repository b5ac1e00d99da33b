//! Every subcommand runs. What it measures in so short a time means nothing, and is not looked at.

use std::process::Command;

#[test]
fn programs() {
    let lines = compare(&["--smoke", "--json"]);
    assert_eq!(lines.len(), 7, "one line for each program");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
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

#[test]
fn memory() {
    let lines = compare(&["memory", "--smoke"]);
    assert!(
        lines.iter().any(|line| line.starts_with("tokio")),
        "{lines:#?}"
    );
}

#[test]
fn idle() {
    let lines = compare(&["idle", "--smoke", "--only", "tokio"]);
    assert!(
        lines.iter().any(|line| line.starts_with("tokio")),
        "{lines:#?}"
    );
}

#[test]
fn what_is_not_there_is_an_error() {
    let output = Command::new(PROGRAM).arg("fly").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown command fly"));
}

fn compare(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_compare");
