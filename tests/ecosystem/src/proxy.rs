// A TCP proxy, written against tokio's names: two programs include it, one on this library and one on tokio, and a test holds their
// outputs against each other.
//
// proxy TARGET [--workers N] [--connect-timeout MS] [--idle-timeout MS] [--grace MS]
//
// It prints the address it listens on, forwards every connection to TARGET, prints its counters on SIGUSR1, and on SIGTERM or SIGINT
// stops listening, gives the connections that are open the grace to come to their ends, aborts the rest, and prints the counters
// once more.

use std::fmt;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What the command line says.
#[derive(Clone, Debug)]
struct Settings {
    target: String,
    workers: usize,
    connect_timeout: Duration,
    idle_timeout: Duration,
    grace: Duration,
}

impl Settings {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self {
            target: String::new(),
            workers: 8,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        };
        while let Some(arg) = args.next() {
            let mut number = |name: &str| -> Result<u64, String> {
                let value = args.next().ok_or(format!("{name} needs a number"))?;
                value.parse().map_err(|_| format!("{name} {value}: not a number"))
            };
            match arg.as_str() {
                "--workers" => settings.workers = number("--workers")?.max(1) as usize,
                "--connect-timeout" => {
                    settings.connect_timeout = Duration::from_millis(number("--connect-timeout")?);
                }
                "--idle-timeout" => {
                    settings.idle_timeout = Duration::from_millis(number("--idle-timeout")?);
                }
                "--grace" => settings.grace = Duration::from_millis(number("--grace")?),
                _ if arg.starts_with('-') => return Err(format!("unknown option {arg}")),
                _ => settings.target = arg,
            }
        }
        if settings.target.is_empty() {
            return Err("where to? give a target address".into());
        }
        Ok(settings)
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    finished: AtomicU64,
    refused: AtomicU64,
    idle: AtomicU64,
    failed: AtomicU64,
    aborted: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "accepted {}, finished {}, refused {}, idle {}, failed {}, aborted {}, up {} bytes, down {} bytes",
            get(&self.accepted),
            get(&self.finished),
            get(&self.refused),
            get(&self.idle),
            get(&self.failed),
            get(&self.aborted),
            get(&self.bytes_up),
            get(&self.bytes_down),
        )
    }
}

/// How a connection came to its end, if not by both sides closing it.
#[derive(Debug)]
enum End {
    /// The target could not be reached in time.
    Refused,
    /// Nothing moved in either direction for too long.
    Idle,
    /// Reading or writing failed.
    Failed(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// When bytes last moved, in either direction.
struct Activity(watch::Sender<Instant>);

impl Activity {
    fn new() -> Self {
        Self(watch::channel(Instant::now()).0)
    }

    fn note(&self) {
        self.0.send_replace(Instant::now());
    }

    /// Ends when nothing was noted for `limit`.
    async fn lack(&self, limit: Duration) {
        loop {
            let last = *self.0.borrow();
            let deadline = last + limit;
            if Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// Copies one direction, and passes its end on.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    activity: &Activity,
    bytes: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = from.read(&mut buffer).await?;
        if n == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..n]).await?;
        bytes.fetch_add(n as u64, Ordering::Relaxed);
        activity.note();
    }
}

async fn forward(client: TcpStream, settings: &Settings, counters: &Counters) -> Result<(), End> {
    let connect = TcpStream::connect(&settings.target);
    let server = match timeout(settings.connect_timeout, connect).await {
        Ok(Ok(server)) => server,
        Ok(Err(_)) | Err(_) => return Err(End::Refused),
    };
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let activity = Activity::new();
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let both = async {
        tokio::try_join!(
            pump(client_read, server_write, &activity, &counters.bytes_up),
            pump(server_read, client_write, &activity, &counters.bytes_down),
        )
    };
    tokio::select! {
        moved = both => moved.map(drop).map_err(End::from),
        () = activity.lack(settings.idle_timeout) => Err(End::Idle),
    }
}

/// One of the pool: takes connections until there are no more, and no more will come.
async fn worker(
    queue: Arc<Mutex<mpsc::Receiver<(TcpStream, SocketAddr)>>>,
    settings: Arc<Settings>,
    counters: Arc<Counters>,
) {
    loop {
        let next = queue.lock().await.recv().await;
        let Some((client, _)) = next else { return };
        match forward(client, &settings, &counters).await {
            Ok(()) => count(&counters.finished),
            Err(End::Refused) => count(&counters.refused),
            Err(End::Idle) => count(&counters.idle),
            Err(End::Failed(error)) => {
                eprintln!("a connection failed: {error}");
                count(&counters.failed);
            }
        }
    }
}

async fn serve(settings: Settings) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut report = signal(SignalKind::user_defined1())?;
    say(&format!("listening on {}", listener.local_addr()?)).await?;

    let counters = Arc::new(Counters::default());
    let settings = Arc::new(settings);
    let (sender, receiver) = mpsc::channel(settings.workers);
    let receiver = Arc::new(Mutex::new(receiver));
    let mut pool = JoinSet::new();
    for _ in 0..settings.workers {
        pool.spawn(worker(
            receiver.clone(),
            settings.clone(),
            counters.clone(),
        ));
    }

    // A connection that no worker has room for yet. No more are accepted then; signals are still heard.
    let mut waiting = None;
    loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(()) = report.recv() => say(&format!("so far: {counters}")).await?,
            Some(ended) = pool.join_next() => {
                // Workers end when the queue does; earlier only by a bug.
                ended.expect("a worker panicked");
            }
            permit = sender.reserve(), if waiting.is_some() => match (permit, waiting.take()) {
                (Ok(permit), Some(connection)) => permit.send(connection),
                _ => break,
            },
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(connection) => {
                    count(&counters.accepted);
                    waiting = Some(connection);
                }
                Err(error) => {
                    eprintln!("accept: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }

    drop((listener, waiting, sender));
    say("draining").await?;
    let deadline = Instant::now() + settings.grace;
    while let Ok(Some(ended)) = timeout_at(deadline, pool.join_next()).await {
        ended.expect("a worker panicked");
    }
    pool.abort_all();
    while let Some(ended) = pool.join_next().await {
        match ended {
            Ok(()) => {}
            Err(error) if error.is_cancelled() => count(&counters.aborted),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    say(&format!("in the end: {counters}")).await
}

async fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).await?;
    out.flush().await
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let settings = match Settings::from_args(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    // In a task, as servers should be: the thread of `main` is no worker.
    match tokio::spawn(serve(settings)).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
