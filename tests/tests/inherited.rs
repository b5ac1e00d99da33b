//! Listeners of other processes: passed on, or of the same port.

use std::collections::HashMap;
use std::env;
use std::io::Read;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net as unix;
use std::process::{Command as StdCommand, Stdio, id};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use executor::io::AsyncWriteExt;
use executor::net::{
    InheritedListener, TcpListener, TcpSocket, TcpStream, inherited_listeners, serve,
};
use executor::process::Command;
use executor::task::spawn_blocking;

use crate::support::{
    Child, Directory, child, is_child, kind, spawn_child_as, until, within, workers,
};

/// Makes a command pass listeners on.
fn pass<'a>(command: &'a mut StdCommand, listeners: &[BorrowedFd<'_>]) -> &'a mut StdCommand {
    let std = std::mem::replace(command, StdCommand::new("true"));
    let mut passing = Command::from(std);
    passing.pass_listeners(listeners).unwrap();
    *command = passing.into_std();
    command
}

/// Starts a test's process as one that serves until its input ends.
fn start(test: &str, change: impl FnOnce(&mut StdCommand) -> &mut StdCommand) -> Child {
    let mut child = spawn_child_as(test, |command| change(command).stdin(Stdio::piped()));
    child.wait_for_line("ready");
    child
}

/// Tells it to end, and waits until it has.
fn end(mut worker: Child) {
    drop(worker.input());
    worker.finish();
}

/// What such a process does: each client hears its number.
async fn work(listener: TcpListener) {
    let server = serve(listener, |mut stream: TcpStream, _| async move {
        let _ = stream.write_all(id().to_string().as_bytes()).await;
    });
    println!("ready");
    let input = spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    input.await.unwrap().unwrap();
    let report = server.shutdown(Duration::from_secs(20)).await;
    assert_eq!(report.accepted, report.finished);
}

/// The number of the process that has accepted us.
fn ask(address: SocketAddr) -> u32 {
    let mut said = String::new();
    let mut stream = StdStream::connect(address).unwrap();
    stream.read_to_string(&mut said).unwrap();
    said.parse().unwrap()
}

#[test]
fn a_restart_loses_no_connection() {
    const NAME: &str = "inherited::a_restart_loses_no_connection";
    if is_child(NAME) {
        return within(60, || {
            workers(2).block_on(async {
                let mut passed = inherited_listeners().unwrap();
                work(passed.pop().unwrap().into_tcp().unwrap()).await;
            });
        });
    }
    within(60, || {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Mutex<HashMap<u32, usize>>> = Arc::default();
        let enough = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (answers, enough) = (answers.clone(), enough.clone());
                thread::spawn(move || {
                    while !enough.load(SeqCst) {
                        let who = ask(address);
                        *answers.lock().unwrap().entry(who).or_default() += 1;
                    }
                })
            })
            .collect();
        let next = || {
            let worker = start(NAME, |command| pass(command, &[listener.as_fd()]));
            let has_answered = || answers.lock().unwrap().get(&worker.id()).copied();
            until(|| has_answered().is_some_and(|answers| answers > 20));
            worker
        };
        // Two at once for a while, and then none for a while.
        let first = next();
        let second = next();
        end(first);
        end(second);
        let third = next();
        enough.store(true, SeqCst);
        for client in clients {
            client.join().unwrap();
        }
        end(third);
        assert_eq!(answers.lock().unwrap().len(), 3);
    });
}

#[test]
fn listeners_are_taken_once_in_their_order_and_go_no_further() {
    const NAME: &str = "inherited::listeners_are_taken_once_in_their_order_and_go_no_further";
    const GRANDCHILD: &str = "EXECUTOR_TEST_GRANDCHILD";
    if env::var_os(GRANDCHILD).is_some() {
        // The variables are still there.
        assert_eq!(env::var("LISTEN_FDS").unwrap(), "2");
        let found = workers(1).block_on(async { inherited_listeners() });
        return assert!(found.unwrap().is_empty());
    }
    if is_child(NAME) {
        return within(60, || {
            workers(1).block_on(async {
                let passed = inherited_listeners().unwrap();
                let [InheritedListener::Unix(unix), InheritedListener::Tcp(tcp)] = &passed[..]
                else {
                    panic!("{passed:?}");
                };
                assert!(inherited_listeners().unwrap().is_empty());
                spawn_child_as(NAME, |command| command.env(GRANDCHILD, "")).finish();
                unix.accept()
                    .await
                    .unwrap()
                    .0
                    .write_all(b"unix")
                    .await
                    .unwrap();
                tcp.accept()
                    .await
                    .unwrap()
                    .0
                    .write_all(b"tcp")
                    .await
                    .unwrap();
            });
        });
    }
    within(60, || {
        let directory = Directory::new();
        let by_path = unix::UnixListener::bind(directory.file("s")).unwrap();
        let by_port = StdListener::bind("127.0.0.1:0").unwrap();
        let child = spawn_child_as(NAME, |command| {
            pass(command, &[by_path.as_fd(), by_port.as_fd()])
        });
        let mut said = String::new();
        let mut stream = unix::UnixStream::connect(directory.file("s")).unwrap();
        stream.read_to_string(&mut said).unwrap();
        let mut stream = StdStream::connect(by_port.local_addr().unwrap()).unwrap();
        stream.read_to_string(&mut said).unwrap();
        assert_eq!(said, "unixtcp");
        child.finish();
    });
}

#[test]
fn what_is_for_others_or_no_listener_is_not_taken() {
    const NAME: &str = "inherited::what_is_for_others_or_no_listener_is_not_taken";
    const EXPECTED: &str = "EXECUTOR_TEST_EXPECTED";
    if is_child(NAME) {
        let found = workers(1).block_on(async { inherited_listeners() });
        let found = match found {
            Ok(listeners) => listeners.len().to_string(),
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        return assert_eq!(found, env::var(EXPECTED).unwrap());
    }
    let no_listener = |descriptor| {
        format!(
            "InvalidInput: descriptor {descriptor}, which LISTEN_FDS says was passed, is no listener for streams"
        )
    };
    // A shell knows the number before it becomes the program.
    let finds = |passed: BorrowedFd<'_>, script: &str, expected: &str| {
        let child = spawn_child_as(NAME, |command| {
            let program = command.get_program().to_owned();
            *command = StdCommand::new("sh");
            let script = format!("{script} exec \"$0\" \"$@\"");
            command.args(["-c", &script]).arg(program);
            pass(command, &[passed]).env(EXPECTED, expected)
        });
        child.finish();
    };
    within(120, || {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let passed = listener.as_fd();
        finds(passed, "", "1");
        finds(passed, "export LISTEN_PID=$$;", "1");
        finds(passed, "export LISTEN_PID=1;", "0");
        finds(passed, "export LISTEN_PID=me;", "0");
        finds(passed, "unset LISTEN_FDS;", "0");
        finds(passed, "export LISTEN_FDS=0 LISTEN_PID=$$;", "0");
        finds(
            passed,
            "export LISTEN_FDS=two;",
            "InvalidInput: LISTEN_FDS is not the number of descriptors",
        );
        // Whoever does not know our number may have meant another process.
        finds(passed, "exec 3</dev/null;", "0");
        finds(passed, "exec 3>&-;", "0");
        for script in ["exec 3</dev/null;", "exec 3>&-;"] {
            let script = format!("{script} export LISTEN_PID=$$;");
            finds(passed, &script, &no_listener(3));
        }
        finds(
            passed,
            "export LISTEN_FDS=2 LISTEN_PID=$$;",
            &no_listener(4),
        );
        let connected = StdStream::connect(listener.local_addr().unwrap()).unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        for other in [connected.as_fd(), datagrams.as_fd()] {
            finds(other, "export LISTEN_PID=$$;", &no_listener(3));
        }
    });
}

#[test]
fn a_program_that_does_not_exist_is_told_of_though_it_was_to_have_listeners() {
    child(
        "inherited::a_program_that_does_not_exist_is_told_of_though_it_was_to_have_listeners",
        || {
            // Their places are where the standard library's own pipe would be.
            let listener = StdListener::bind("127.0.0.1:0").unwrap();
            let mut command = StdCommand::new("/nowhere");
            let result = pass(&mut command, &[listener.as_fd(); 8]).spawn();
            assert_eq!(kind(result), std::io::ErrorKind::NotFound);
        },
    );
}

#[test]
fn processes_share_a_port() {
    const NAME: &str = "inherited::processes_share_a_port";
    const ADDRESS: &str = "EXECUTOR_TEST_ADDRESS";
    if is_child(NAME) {
        return within(60, || {
            workers(1).block_on(async {
                let address = env::var(ADDRESS).unwrap();
                work(TcpListener::bind_reuseport(address).await.unwrap()).await;
            });
        });
    }
    within(60, || {
        // It has the port, and does not listen.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseport(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let worker = || start(NAME, |command| command.env(ADDRESS, address.to_string()));
        let (one, other) = (worker(), worker());
        let mut seen = HashMap::new();
        until(|| {
            *seen.entry(ask(address)).or_insert(0) += 1;
            seen.len() == 2
        });
        assert!(seen.contains_key(&one.id()) && seen.contains_key(&other.id()));
        // Who is left has them all.
        end(one);
        for _ in 0..32 {
            assert_eq!(ask(address), other.id());
        }
        end(other);
    });
}

#[test]
fn servers_of_one_process_share_a_port() {
    within(60, || {
        workers(2).block_on(async {
            let first = TcpListener::bind_reuseport("127.0.0.1:0").await.unwrap();
            let address = first.local_addr().unwrap();
            let second = TcpListener::bind_reuseport(address).await.unwrap();
            // Who was bound otherwise shares with nobody, and nobody with him.
            let third = kind(TcpListener::bind(address).await);
            assert_eq!(third, std::io::ErrorKind::AddrInUse);
            let alone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let fourth = TcpListener::bind_reuseport(alone.local_addr().unwrap()).await;
            assert_eq!(kind(fourth), std::io::ErrorKind::AddrInUse);

            let servers = [first, second].map(|listener| serve(listener, |_, _| async {}));
            while servers.iter().any(|server| server.report().finished == 0) {
                TcpStream::connect(address).await.unwrap();
            }
        });
    });
}
