//! MariaDB: a new server whose root may come in by TCP without a password, as that of the articles does.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Weak};
use std::time::Duration;

use crate::account::program;
use crate::{Kind, Running, Server};

/// A new MariaDB, whose root may come in by TCP without a password.
#[derive(Debug)]
pub struct Mariadb {
    install: PathBuf,
    server: PathBuf,
}

impl Mariadb {
    /// A user with a password. It may do everything, as root may.
    pub const USER: &str = "reader";
    /// That user's password.
    pub const PASSWORD: &str = "passwd";
    /// A database that is there at first.
    pub const DATABASE: &str = "test";
}

impl Kind for Mariadb {
    const NAME: &'static str = "MariaDB";
    const ACCOUNT: &'static str = "mysql";
    const STOP: i32 = libc::SIGTERM;
    const KILL: i32 = libc::SIGKILL;

    fn find() -> Result<Self, String> {
        Ok(Self {
            install: program(&["mariadb-install-db", "mysql_install_db"])?,
            server: program(&["mariadbd", "mysqld"])?,
        })
    }

    fn preparations(&self, directory: &Path) -> Vec<Command> {
        let (user, password, database) = (Self::USER, Self::PASSWORD, Self::DATABASE);
        // The server carries this out each time it starts, before it takes connections.
        let users = format!(
            "CREATE DATABASE IF NOT EXISTS {database};\n\
             CREATE USER IF NOT EXISTS root@'127.0.0.1';\n\
             GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n\
             CREATE USER IF NOT EXISTS {user}@'127.0.0.1' IDENTIFIED BY '{password}';\n\
             GRANT ALL ON *.* TO {user}@'127.0.0.1';\n"
        );
        fs::write(directory.join(USERS), users).unwrap();
        let mut command = Command::new(&self.install);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", directory.join(DATA).display()))
            .arg(temporary(directory))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg("--skip-name-resolve")
            .args(SMALL);
        vec![command]
    }

    fn command(&self, directory: &Path, port: u16) -> Command {
        let path = |name: &str| directory.join(name).display().to_string();
        let mut command = Command::new(&self.server);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", path(DATA)))
            .arg(temporary(directory))
            .arg(format!("--port={port}"))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--socket={}", path("socket")))
            .arg(format!("--pid-file={}", path("pid")))
            .arg(format!("--init-file={}", path(USERS)))
            .args(["--skip-name-resolve", "--skip-log-bin"])
            .arg("--innodb-flush-log-at-trx-commit=0")
            .args(SMALL);
        command
    }

    /// It speaks first, and says so only once it is ready: a packet's four bytes, then the version of its protocol, which is 10.
    fn is_ready(&self, running: &Running) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", running.port)) else {
            return false;
        };
        stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).is_ok() && greeting[4] == 10
    }

    fn shared() -> &'static Mutex<Weak<Server<Self>>> {
        static SHARED: Mutex<Weak<Server<Mariadb>>> = Mutex::new(Weak::new());
        &SHARED
    }
}

/// A place of its own for temporary tables: a server that starts removes all that are in the common one, those that another is about to
/// use, too.
fn temporary(directory: &Path) -> String {
    format!("--tmpdir={}", directory.display())
}

const DATA: &str = "data";
const USERS: &str = "users.sql";

/// Memory and files that suffice for tests.
const SMALL: [&str; 3] = [
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--aria-pagecache-buffer-size=8M",
];
