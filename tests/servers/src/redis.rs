//! Redis, in memory only.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Weak};
use std::time::Duration;

use crate::account::program;
use crate::{Kind, Running, Server};

/// A Redis in memory only.
#[derive(Debug)]
pub struct Redis {
    server: PathBuf,
}

impl Server<Redis> {
    /// How to connect to it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port())
    }

    /// How to connect to it over its Unix socket.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.directory().join(SOCKET).display())
    }
}

impl Kind for Redis {
    const NAME: &'static str = "Redis";
    const ACCOUNT: &'static str = "redis";
    const STOP: i32 = libc::SIGTERM;
    const KILL: i32 = libc::SIGKILL;

    fn find() -> Result<Self, String> {
        let server = program(&["redis-server", "valkey-server"])?;
        Ok(Self { server })
    }

    fn preparations(&self, _directory: &Path) -> Vec<Command> {
        Vec::new()
    }

    fn command(&self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.server);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(directory)
            .arg("--unixsocket")
            .arg(directory.join(SOCKET));
        command
    }

    fn is_ready(&self, running: &Running) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", running.port)) else {
            return false;
        };
        let limit = Some(Duration::from_secs(1));
        stream.set_read_timeout(limit).unwrap();
        let mut answer = [0; 5];
        stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer == *b"+PONG"
    }

    fn shared() -> &'static Mutex<Weak<Server<Self>>> {
        static SHARED: Mutex<Weak<Server<Redis>>> = Mutex::new(Weak::new());
        &SHARED
    }
}

const SOCKET: &str = "socket";
