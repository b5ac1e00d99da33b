//! The servers come, go, and come back.

use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, panic};

use servers::{Kind, Mariadb, Postgres, Redis, Server};

/// What is true of each of them.
fn lives<K: Kind>() {
    let Some(mut server) = Server::<K>::start() else {
        return;
    };
    let (port, first) = (server.port(), server.id().unwrap());
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_ne!(user(first), 0, "it runs as root");

    server.kill();
    assert_eq!(server.id(), None);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart();
    assert_eq!(server.port(), port);
    TcpStream::connect(("127.0.0.1", port)).unwrap();

    let (second, directory) = (server.id().unwrap(), server.directory().to_owned());
    assert!(is_there(second) && directory.exists());
    // As a test that fails does.
    let failed = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _server = server;
        panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(failed.is_err());
    for process in [first, second] {
        assert!(!is_there(process), "{process} is left");
    }
    assert!(!directory.exists(), "its data is left");
}

#[test]
fn postgres() {
    lives::<Postgres>();
}

#[test]
fn mariadb() {
    lives::<Mariadb>();
}

#[test]
fn a_mariadb_that_starts_leaves_the_temporary_tables_of_others_alone() {
    let Some(one) = Server::<Mariadb>::start() else {
        return;
    };
    // As its temporary tables are called where all have them in one place. They belong to the account that all run as.
    let table = env::temp_dir().join(format!("#sql-temptable-{:x}-1-1.MAI", one.id().unwrap()));
    fs::write(&table, "").unwrap();
    chown(&table, Some(user(one.id().unwrap())), None).unwrap();
    let other = Server::<Mariadb>::start();
    let left = table.exists();
    drop(other);
    let _ = fs::remove_file(&table);
    assert!(left, "it was removed");
}

#[test]
fn redis() {
    lives::<Redis>();
}

#[test]
fn one_that_is_shared_lives_as_long_as_somebody_has_it() {
    let Some(one) = Server::<Redis>::shared() else {
        return;
    };
    let other = Server::<Redis>::shared().unwrap();
    let process = one.id().unwrap();
    assert_eq!(other.id(), Some(process));
    drop(one);
    assert!(is_there(process));
    drop(other);
    assert!(!is_there(process));
}

#[test]
fn without_its_binary_there_is_none_and_a_line_says_so() {
    const NAME: &str = "without_its_binary_there_is_none_and_a_line_says_so";
    if env::var_os("PATH").is_some_and(|path| path.is_empty()) {
        assert!(Server::<Redis>::start().is_none());
        return;
    }
    // Without `--nocapture`: the line is to be seen all the same.
    let output = Command::new(env::current_exe().unwrap())
        .args([NAME, "--exact"])
        .env("PATH", "")
        .env_remove("EXECUTOR_TEST_TOOLS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "SKIPPED Redis: there is no `redis-server` here\n");
}

fn is_there(process: u32) -> bool {
    PathBuf::from(format!("/proc/{process}")).exists()
}

/// The number of the user that a process runs as.
fn user(process: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let users = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .unwrap();
    users.split_whitespace().next().unwrap().parse().unwrap()
}
