//! PostgreSQL: a new cluster with one user and password, which gives up what only matters after a power failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Weak};

use crate::account::program;
use crate::{Kind, Running, Server};

/// A new cluster of PostgreSQL, with one user and password.
#[derive(Debug)]
pub struct Postgres {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl Postgres {
    /// Its superuser, in the database of the same name.
    pub const SUPERUSER: &str = "postgres";
    /// That user's password.
    pub const PASSWORD: &str = "password";
}

impl Server<Postgres> {
    /// How to connect to it, in the words of libpq.
    pub fn config(&self) -> String {
        let (user, password) = (Postgres::SUPERUSER, Postgres::PASSWORD);
        let port = self.port();
        format!("host=127.0.0.1 port={port} user={user} password={password} dbname=postgres")
    }

    /// Starts it again, with TLS for those who ask for it, by this certificate and its key, in PEM.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub fn restart_with_tls(&mut self, certificate: &str, key: &str) {
        let directory = self.directory().join(DATA);
        // Where it looks for them.
        self.write(&directory.join("server.crt"), certificate);
        self.write(&directory.join("server.key"), key);
        self.write(&directory.join("postgresql.auto.conf"), "ssl = on\n");
        self.restart();
    }
}

impl Kind for Postgres {
    const NAME: &'static str = "PostgreSQL";
    const ACCOUNT: &'static str = "postgres";
    /// Aborts the clients' transactions and ends; SIGTERM would wait for the clients to leave.
    const STOP: i32 = libc::SIGINT;
    /// To all its processes, which it has many of. SIGKILL would leave the others, for a while, with the memory that they share.
    const KILL: i32 = libc::SIGQUIT;

    fn find() -> Result<Self, String> {
        let initdb = program(&["initdb"])?;
        // Of the same version: they lie side by side.
        let real = initdb.canonicalize().map_err(|error| error.to_string())?;
        let postgres = real.with_file_name("postgres");
        match postgres.is_file() {
            true => Ok(Self { initdb, postgres }),
            false => Err("postgres".into()),
        }
    }

    fn preparations(&self, directory: &Path) -> Vec<Command> {
        let password = directory.join("password");
        fs::write(&password, Self::PASSWORD).unwrap();
        let mut command = Command::new(&self.initdb);
        command
            .arg("--pgdata")
            .arg(directory.join(DATA))
            .arg("--pwfile")
            .arg(password)
            .args(["--username", Self::SUPERUSER, "--auth", "scram-sha-256"])
            .args(["--encoding", "UTF8", "--no-locale", "--no-sync"]);
        vec![command]
    }

    fn command(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.postgres);
        command.arg("-D").arg(directory.join(DATA));
        let sockets = directory.display().to_string();
        let port = port.to_string();
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", &sockets),
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("shared_buffers", "32MB"),
            ("autovacuum", "off"),
            ("jit", "off"),
        ] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
    }

    /// By its own file, whose first line is its process and whose last one its state.
    fn is_ready(&self, running: &Running) -> bool {
        let file = running.directory.join(DATA).join("postmaster.pid");
        let state = fs::read_to_string(file).unwrap_or_default();
        let mut lines = state.lines().map(str::trim);
        lines.next() == Some(&running.id.to_string()) && lines.next_back() == Some("ready")
    }

    fn shared() -> &'static Mutex<Weak<Server<Self>>> {
        static SHARED: Mutex<Weak<Server<Postgres>>> = Mutex::new(Weak::new());
        &SHARED
    }
}

const DATA: &str = "data";
