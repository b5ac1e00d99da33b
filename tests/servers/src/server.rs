//! A server's process, from its first start to its end.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{env, thread};

use tempfile::TempDir;

use crate::account::Account;
use crate::{Kind, Running};

/// A server that runs. Stopped when dropped, and its data removed.
#[derive(Debug)]
pub struct Server<K: Kind> {
    kind: K,
    account: Option<Account>,
    /// Nothing after [`kill`](Self::kill).
    process: Option<Child>,
    port: u16,
    directory: TempDir,
}

impl<K: Kind> Server<K> {
    /// Starts one, and waits until it takes connections. Nothing, and a line that says so, where it is not installed.
    ///
    /// # Panics
    ///
    /// If it does not come up. The text has what it said.
    pub fn start() -> Option<Self> {
        let kind = match K::find() {
            Ok(kind) => kind,
            Err(missing) => {
                let message = format!("{}: there is no `{missing}` here", K::NAME);
                let required =
                    env::var("EXECUTOR_TEST_TOOLS").is_ok_and(|tools| tools == "required");
                assert!(!required, "{message}");
                // Past what keeps the output of tests that pass: it is to be seen.
                let _ = writeln!(io::stderr(), "SKIPPED {message}");
                return None;
            }
        };
        let account = Account::of(K::ACCOUNT);
        let directory = tempfile::Builder::new()
            .prefix("server-")
            .tempdir()
            .unwrap();
        if let Some(account) = account {
            account.own(directory.path());
        }
        let mut server = Self {
            kind,
            account,
            process: None,
            port: 0,
            directory,
        };
        for mut command in server.kind.preparations(server.directory.path()) {
            let status = server.launch(&mut command).wait().unwrap();
            assert!(status.success(), "{command:?}: {status}\n{}", server.log());
        }
        // The port is free now. Should somebody else be quicker, there are others.
        let started = (0..PORTS).any(|_| {
            server.port = free_port();
            server.try_to_run().is_ok()
        });
        assert!(started, "{} does not start:\n{}", K::NAME, server.log());
        Some(server)
    }

    /// One that runs already, where another test has it, or a new one. It is stopped when the last test that has it is done.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared() -> Option<Arc<Self>> {
        let mut shared = K::shared().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = Weak::upgrade(&shared) {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process. Nothing after [`kill`](Self::kill).
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// What it works in. Its Unix socket, if it has one, is there.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends it at once, as a crash would. Its data stays.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn kill(&mut self) {
        self.end(K::KILL);
    }

    /// Starts it again, on the same port and with the same data, after [`kill`](Self::kill) or while it runs.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub fn restart(&mut self) {
        self.end(K::STOP);
        if let Err(status) = self.try_to_run() {
            panic!("{} does not start again: {status}\n{}", K::NAME, self.log());
        }
    }

    /// Starts the process, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// How it ended, if it did.
    fn try_to_run(&mut self) -> Result<(), ExitStatus> {
        let mut process = self.launch(&mut self.kind.command(self.directory.path(), self.port));
        let running = Running {
            directory: self.directory.path().to_owned(),
            port: self.port,
            id: process.id(),
        };
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = process.try_wait().unwrap() {
                return Err(status);
            }
            if self.kind.is_ready(&running) {
                self.process = Some(process);
                return Ok(());
            }
            if Instant::now() > end {
                process.kill().unwrap();
                let status = process.wait().unwrap();
                eprintln!("{} has not come up in time\n{}", K::NAME, self.log());
                return Err(status);
            }
            // It is another process: there is no event to wait for.
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn launch(&self, command: &mut Command) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join(LOG))
            .unwrap();
        if let Some(account) = self.account {
            account.run(command);
        }
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    fn end(&mut self, signal: i32) -> Option<ExitStatus> {
        let mut process = self.process.take()?;
        // SAFETY: `kill` takes numbers only, and the process is ours and not reaped yet.
        unsafe { libc::kill(process.id() as i32, signal) };
        let end = Instant::now() + PATIENCE;
        while process.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                eprintln!("{} takes no notice of signal {signal}", K::NAME);
                // Nothing but this ends it now.
                let _ = process.kill();
                let _ = process.wait();
                return Some(ExitStatus::from_raw(libc::SIGKILL));
            }
            thread::sleep(Duration::from_millis(5));
        }
        process.try_wait().unwrap()
    }

    /// Writes a file that the server alone can read.
    pub(crate) fn write(&self, path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        if let Some(account) = self.account {
            account.own(path);
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join(LOG)).unwrap_or_default()
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        self.end(K::STOP);
    }
}

/// One that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

const LOG: &str = "log";

/// How many ports are tried.
const PORTS: usize = 5;

/// How long a server may take to come up, or to end, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
