//! One source, two runtimes: the proxy on this library and the proxy on tokio print the same, and treat their clients alike.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::PATIENCE;

const PROGRAMS: [&str; 2] = [
    env!("CARGO_BIN_EXE_proxy_on_executor"),
    env!("CARGO_BIN_EXE_proxy_on_tokio"),
];

/// Runs the same scenario with both programs, and compares what it noted.
#[track_caller]
fn same(scenario: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let [ours, theirs] = PROGRAMS.map(scenario);
    assert_eq!(ours, theirs, "on this library, and on tokio");
    ours
}

/// A proxy that runs. Killed when dropped.
struct Proxy {
    process: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Proxy {
    fn start(program: &str, target: SocketAddr, options: &[&str]) -> Self {
        let mut process = Command::new(program)
            .arg(target.to_string())
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let line = line(&mut output);
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        Self {
            process,
            output,
            address,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn signal(&self, signal: i32) {
        // SAFETY: `kill` takes numbers only, and the process is ours and not reaped yet.
        assert_eq!(unsafe { libc::kill(self.process.id() as i32, signal) }, 0);
    }

    fn line(&mut self) -> String {
        line(&mut self.output)
    }

    /// Asks for the counters until they say `text`.
    fn wait_until_it_says(&mut self, text: &str) -> String {
        loop {
            self.signal(libc::SIGUSR1);
            let line = self.line();
            if line.contains(text) {
                return line;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What is printed until the end, and how it ends.
    fn finish(mut self) -> Vec<String> {
        let mut lines: Vec<String> = (&mut self.output).lines().map(Result::unwrap).collect();
        lines.push(self.process.wait().unwrap().to_string());
        lines
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // An error means that it has ended, and was waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// A server that sends back what it gets, until the test ends.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                // A client that is gone is the end, too.
                let _ = std::io::copy(&mut &stream, &mut &stream);
                let _ = stream.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

/// What the other side does next: sends text, or ends.
fn hear(mut stream: &TcpStream) -> String {
    let mut buffer = [0; 64];
    match stream.read(&mut buffer) {
        Ok(0) => "end".to_owned(),
        Ok(n) => String::from_utf8_lossy(&buffer[..n]).into_owned(),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => "end".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn connections_are_forwarded_whole_and_those_that_are_open_are_drained() {
    let echo = echo_server();
    let notes = same(|program| {
        let mut proxy = Proxy::start(program, echo, &["--workers", "4"]);
        let clients: Vec<_> = (0..20)
            .map(|i| {
                let mut stream = proxy.connect();
                thread::spawn(move || {
                    let sent = vec![i; 100_000];
                    let mut reader = stream.try_clone().unwrap();
                    let back = thread::spawn(move || {
                        let mut back = Vec::new();
                        reader.read_to_end(&mut back).unwrap();
                        back
                    });
                    stream.write_all(&sent).unwrap();
                    stream.shutdown(Shutdown::Write).unwrap();
                    assert!(back.join().unwrap() == sent);
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        let mut notes = vec![proxy.wait_until_it_says("finished 20,")];
        let mut open = proxy.connect();
        open.write_all(b"before").unwrap();
        notes.push(hear(&open));
        proxy.signal(libc::SIGTERM);
        notes.push(proxy.line());
        notes.push(
            TcpStream::connect(proxy.address)
                .unwrap_err()
                .kind()
                .to_string(),
        );
        open.write_all(b"after").unwrap();
        notes.push(hear(&open));
        open.shutdown(Shutdown::Write).unwrap();
        notes.push(hear(&open));
        notes.extend(proxy.finish());
        notes
    });
    assert_eq!(
        notes,
        [
            "so far: accepted 20, finished 20, refused 0, idle 0, failed 0, aborted 0, up 2000000 bytes, down 2000000 bytes",
            "before",
            "draining",
            "connection refused",
            "after",
            "end",
            "in the end: accepted 21, finished 21, refused 0, idle 0, failed 0, aborted 0, up 2000011 bytes, down 2000011 bytes",
            "exit status: 0",
        ]
    );
}

#[test]
fn a_connection_that_outlasts_the_grace_is_aborted() {
    let echo = echo_server();
    let notes = same(|program| {
        let mut proxy = Proxy::start(program, echo, &["--grace", "50"]);
        let mut open = proxy.connect();
        open.write_all(b"hello").unwrap();
        let mut notes = vec![hear(&open)];
        proxy.signal(libc::SIGINT);
        notes.push(proxy.line());
        notes.push(hear(&open));
        notes.extend(proxy.finish());
        notes
    });
    assert_eq!(notes[2], "end");
    assert!(notes[3].contains("aborted 1,"), "{notes:?}");
}

#[test]
fn a_target_that_refuses_and_a_client_that_says_nothing_are_ended() {
    let echo = echo_server();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = closed.local_addr().unwrap();
    drop(closed);
    let notes = same(|program| {
        let mut notes = Vec::new();
        for (target, options, text) in [
            (refusing, &[][..], "refused 1,"),
            (echo, &["--idle-timeout", "50"], "idle 1,"),
        ] {
            let mut proxy = Proxy::start(program, target, options);
            notes.push(hear(&proxy.connect()));
            notes.push(proxy.wait_until_it_says(text));
            proxy.signal(libc::SIGTERM);
            notes.extend(proxy.finish());
        }
        notes
    });
    assert_eq!(notes[0], "end");
    assert_eq!(notes[5], "end");
}

#[test]
fn a_command_line_without_meaning_is_refused_in_the_same_words() {
    let notes = same(|program| {
        [
            &["--workers"][..],
            &["--what"],
            &[],
            &["x:1", "--grace", "long"],
        ]
        .iter()
        .map(|args| {
            let output = Command::new(program).args(*args).output().unwrap();
            format!(
                "{} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )
        })
        .collect()
    });
    assert!(
        notes.iter().all(|note| note.starts_with("exit status: 2")),
        "{notes:?}"
    );
}
