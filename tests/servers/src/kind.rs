//! What differs between the servers.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Weak};

use crate::Server;

/// A kind of server.
pub trait Kind: Debug + Send + Sync + Sized + 'static {
    /// What it is called.
    const NAME: &'static str;
    /// The user it runs as where this process is root, if there is such a user.
    const ACCOUNT: &'static str;
    /// The signal that it ends by in good order.
    const STOP: i32;
    /// The signal that it ends by at once, without a word to its clients.
    const KILL: i32;

    /// Finds its programs.
    ///
    /// # Errors
    ///
    /// The name of one that is missing.
    fn find() -> Result<Self, String>;

    /// Programs to run once, one after the other, before it starts for the first time. They work in `directory`, which is empty.
    fn preparations(&self, directory: &Path) -> Vec<Command>;

    /// The server itself, in the foreground, with its data in `directory`.
    fn command(&self, directory: &Path, port: u16) -> Command;

    /// Whether it takes connections.
    fn is_ready(&self, running: &Running) -> bool;

    /// Where the one that tests share is found.
    fn shared() -> &'static Mutex<Weak<Server<Self>>>;
}

/// A server that has been started.
#[derive(Debug)]
pub struct Running {
    /// What it works in.
    pub directory: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// Its process.
    pub id: u32,
}
