//! One service as several processes, the program `workers`: who is killed loses no job, and who is asked to end fails no request.

use std::collections::HashMap;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ecosystem::redis::Connection;
use executor::net::TcpStream;
use executor::sync::CancellationToken;
use executor::task::{JoinHandle, spawn_blocking};
use executor::time::sleep;
use futures::{SinkExt, StreamExt};
use redis::{AsyncTypedCommands, IntoConnectionInfo};
use servers::Server;
use tokio_util::codec::{Framed, LinesCodec};

use crate::{PATIENCE, run};

#[test]
fn a_worker_that_is_killed_under_load_loses_no_job() {
    with_service(|mut service, mut redis| async move {
        let load = Load::start(service.address);

        // Killed at a moment at which it has jobs: a stopped process does not finish them meanwhile.
        let worker = service.process("worker 2");
        let pending = loop {
            signal(worker, libc::SIGSTOP);
            let pending = pending(&mut redis, "worker 2").await;
            if pending > 0 {
                break pending;
            }
            signal(worker, libc::SIGCONT);
            sleep(Duration::from_millis(5)).await;
        };
        signal(worker, libc::SIGKILL);
        service
            .hear("worker 2 has ended: signal: 9 (SIGKILL)")
            .await;

        let jobs = load.finish().await;
        all_are_done(&mut redis, &jobs).await;
        let lines = service.finish().await;
        let taken_over: usize = lines
            .iter()
            .filter_map(|line| line.split("done, ").nth(1)?.split(' ').next())
            .map(|number| number.parse::<usize>().unwrap())
            .sum();
        assert!(taken_over >= pending, "{pending} were with it: {lines:#?}");
    });
}

#[test]
fn a_front_that_is_asked_to_end_under_load_fails_no_request() {
    with_service(|mut service, mut redis| async move {
        let load = Load::start(service.address);
        // Each is replaced by another one, after it has let its clients go.
        for front in ["front 1", "front 2", "front 1", "front 2"] {
            let process = service.process(front);
            signal(process, libc::SIGTERM);
            let report = service.hear(&format!("{front}: ")).await;
            assert!(
                report.contains(" 0 panicked, 0 dropped, 0 open"),
                "{report}"
            );
            service
                .hear(&format!("{front} has ended: exit status: 0"))
                .await;
            service.hear(&format!("{front} is process ")).await;
        }
        // A request that fails is a panic there.
        let jobs = load.finish().await;
        all_are_done(&mut redis, &jobs).await;
        service.finish().await;
    });
}

#[test]
fn a_worker_that_is_asked_to_end_under_load_does_what_it_has_begun() {
    with_service(|mut service, mut redis| async move {
        let load = Load::start(service.address);
        let parent = service.parent.id() as i32;
        for worker in ["worker 1", "worker 2", "worker 3", "worker 1"] {
            // So that there is no other of this name meanwhile.
            signal(parent, libc::SIGSTOP);
            signal(service.process(worker), libc::SIGTERM);
            service.hear(&format!("{worker}: ")).await;
            assert_eq!(
                pending(&mut redis, worker).await,
                0,
                "{worker} has left jobs"
            );
            signal(parent, libc::SIGCONT);
            service
                .hear(&format!("{worker} has ended: exit status: 0"))
                .await;
            service.hear(&format!("{worker} is process ")).await;
        }
        let jobs = load.finish().await;
        all_are_done(&mut redis, &jobs).await;
        service.finish().await;
    });
}

#[test]
fn when_the_parent_is_killed_all_others_end() {
    with_service(|mut service, _redis| async move {
        signal(service.parent.id() as i32, libc::SIGKILL);
        // Each has the other end of this pipe. Fronts and workers say a last word.
        let mut lines = Vec::new();
        while let Some(line) = service.next().await {
            lines.push(line);
        }
        let words = |text| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(words(" 0 panicked, 0 dropped, 0 open"), 2, "{lines:#?}");
        assert_eq!(words(" jobs done, "), 3, "{lines:#?}");
    });
}

/// Runs a test of a service with a Redis of its own.
fn with_service<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(Service, Connection) -> F + Send + 'static,
) {
    // It is stopped after all that uses it.
    let Some(server) = Server::<servers::Redis>::start() else {
        return;
    };
    let (url, port) = (server.url(), server.port());
    run(async move {
        let info = url.into_connection_info().unwrap();
        let redis = ecosystem::redis::connect(&info).await.unwrap();
        let service = Service::start(([127, 0, 0, 1], port).into()).await;
        test(service, redis).await;
    });
}

/// How many jobs are with a worker.
async fn pending(redis: &mut Connection, worker: &str) -> usize {
    let reply = redis
        .xpending_consumer_count("jobs", "workers", "-", "+", 1000, worker)
        .await;
    reply.map_or(0, |reply| reply.ids.len())
}

/// Waits until each job has its result, and no job is left.
async fn all_are_done(redis: &mut Connection, jobs: &HashMap<String, String>) {
    while redis.xlen("jobs").await.unwrap() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    let results = redis.hgetall("results").await.unwrap();
    for (id, text) in jobs {
        assert_eq!(results.get(id), Some(&text.to_uppercase()), "{id}");
    }
    assert_eq!(results.len(), jobs.len());
}

/// Clients, each of which sends one job after the other, until it is finished.
struct Load {
    clients: Vec<JoinHandle<Vec<(String, String)>>>,
    over: CancellationToken,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let over = CancellationToken::new();
        let client = |n| executor::spawn(send_jobs(address, n, over.clone()));
        Self {
            clients: (0..4).map(client).collect(),
            over,
        }
    }

    /// What they have sent, by the number that it got. None of their requests has failed.
    async fn finish(self) -> HashMap<String, String> {
        self.over.cancel();
        let mut jobs = HashMap::new();
        for client in self.clients {
            jobs.extend(client.await.unwrap());
        }
        jobs
    }
}

/// The numbers that its jobs got, and the jobs.
async fn send_jobs(
    address: SocketAddr,
    client: usize,
    over: CancellationToken,
) -> Vec<(String, String)> {
    let mut queued = Vec::new();
    let mut connection = connect(address).await;
    while queued.len() < 50 || !over.is_cancelled() {
        let text = format!("job {} of client {client}", queued.len());
        connection.send(&text).await.unwrap();
        let mut closing = false;
        let id = loop {
            let line = connection.next().await.expect("it hung up").unwrap();
            match line.strip_prefix("queued ") {
                Some(id) => break id.to_owned(),
                None => assert_eq!(line, "closing"),
            }
            closing = true;
        };
        queued.push((id, text));
        if closing {
            connection = connect(address).await;
        }
        // No faster than three workers do them.
        sleep(Duration::from_millis(5)).await;
    }
    queued
}

async fn connect(address: SocketAddr) -> Framed<TcpStream, LinesCodec> {
    let stream = TcpStream::connect(address).await.unwrap();
    Framed::new(stream, LinesCodec::new())
}

/// The service: its parent, and what the processes print. All of them end with the parent.
struct Service {
    parent: Child,
    address: SocketAddr,
    lines: Option<Receiver<String>>,
    processes: HashMap<String, i32>,
}

impl Service {
    async fn start(redis: SocketAddr) -> Self {
        let mut parent = Command::new(env!("CARGO_BIN_EXE_workers"))
            .args(["127.0.0.1:0", &redis.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(parent.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                // Nobody hears it: then the test has failed.
                let _ = sender.send(line.unwrap());
            }
        });
        let mut service = Self {
            parent,
            address: "127.0.0.1:0".parse().unwrap(),
            lines: Some(lines),
            processes: HashMap::new(),
        };
        let listening = service.hear("listening on ").await;
        service.address = listening["listening on ".len()..].parse().unwrap();
        while service.processes.len() < 5 {
            service.hear(" is process ").await;
        }
        service
    }

    fn process(&self, name: &str) -> i32 {
        self.processes[name]
    }

    /// Waits until one of them prints a line with this in it.
    async fn hear(&mut self, text: &str) -> String {
        loop {
            let line = self.next().await.unwrap_or_else(|| panic!("no {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The next line. `None`: all of them have ended.
    async fn next(&mut self) -> Option<String> {
        let lines = self.lines.take().unwrap();
        let (line, lines) = spawn_blocking(|| (lines.recv_timeout(PATIENCE), lines))
            .await
            .unwrap();
        self.lines = Some(lines);
        match line {
            Ok(line) => {
                if let Some((name, id)) = line.split_once(" is process ") {
                    self.processes.insert(name.to_owned(), id.parse().unwrap());
                }
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        }
    }

    /// Asks it to end, which it does in order, and returns the lines until the last of its processes had ended.
    async fn finish(mut self) -> Vec<String> {
        signal(self.parent.id() as i32, libc::SIGTERM);
        let mut lines = Vec::new();
        while let Some(line) = self.next().await {
            lines.push(line);
        }
        assert!(self.parent.wait().unwrap().success(), "{lines:#?}");
        let ended = |line: &&String| line.ends_with("has ended: exit status: 0");
        assert_eq!(lines.iter().filter(ended).count(), 5, "{lines:#?}");
        lines
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it has ended, and was waited for.
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

fn signal(process: i32, signal: i32) {
    // SAFETY: `kill` takes numbers only. The process is a child of ours, or of one of ours that tells when it is no more.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}
