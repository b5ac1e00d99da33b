//! MySQL and MariaDB by the crate `mysql`, which blocks, on the blocking pool.
//!
//! A connection takes a thread of that pool while the server is at work for it, and none in between.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use executor::sync::Mutex;
use executor::task::{JoinHandle, TaskTracker};
use mysql::{Conn, Error, Opts, Result};

use crate::pool::Connect;

/// Where a server is, and who connects to it.
#[derive(Clone, Debug)]
pub struct Mysql(Opts);

/// A connection.
///
/// When it is dropped the server is told so, after what was asked for before.
pub struct Connection {
    /// The closure that is at work has it locked. Nothing once this is dropped.
    conn: Option<Arc<Mutex<Conn>>>,
    open: TaskTracker,
}

impl Mysql {
    /// Connects as `options` say.
    pub fn new(options: impl Into<Opts>) -> Self {
        Self(options.into())
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// What the server says, a wrong password for one, or why it cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection that is opened all the same is closed.
    pub async fn connect(&self) -> Result<Connection> {
        self.connect_tracked(&TaskTracker::new()).await
    }

    async fn connect_tracked(&self, open: &TaskTracker) -> Result<Connection> {
        let options = self.0.clone();
        let connection = Connection::blocking(open, move || Conn::new(options)).await?;
        Ok(Connection {
            conn: Some(Arc::new(Mutex::new(connection))),
            open: open.clone(),
        })
    }
}

impl Connection {
    /// Runs `f` with the connection on a thread that may block.
    ///
    /// ```no_run
    /// # async fn f(connection: ecosystem::mysql::Connection) -> mysql::Result<()> {
    /// use mysql::prelude::Queryable;
    ///
    /// let rows: Vec<(u32, String)> = connection.run(|conn| conn.query("SELECT id, name FROM fruits")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What `f` returns.
    ///
    /// # Panics
    ///
    /// If `f` does.
    ///
    /// # Cancel safety
    ///
    /// If this is dropped while it waits for another call, nothing happens. After that `f` runs to its end, and the next call waits for that.
    pub async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let conn = self.conn.clone().expect("it is there until it is dropped");
        let mut conn = conn.lock_owned().await;
        Self::blocking(&self.open, move || f(&mut conn)).await
    }

    /// Closes it, and waits until the server has been told. If a call whose future was dropped is still under way, it is closed after that, and not waited
    /// for.
    pub async fn close(mut self) {
        if let Some(goodbye) = self.say_goodbye() {
            // It has no output, and does not panic.
            let _ = goodbye.await;
        }
    }

    /// Which may block. Nothing if it has been said.
    fn say_goodbye(&mut self) -> Option<JoinHandle<()>> {
        let conn = self.conn.take()?;
        Some(self.open.spawn_blocking(move || drop(conn)))
    }

    async fn blocking<T: Send + 'static>(
        open: &TaskTracker,
        f: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match open.spawn_blocking(f).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends.
                Err(error) => Err(Error::IoError(error.into())),
            },
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.say_goodbye());
    }
}

impl Connect for Mysql {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self, open: &TaskTracker) -> Result<Connection> {
        self.connect_tracked(open).await
    }

    /// A round trip. It waits for a closure that nobody waits for any more.
    async fn check(&self, connection: &mut Connection) -> Result<()> {
        connection.run(Conn::ping).await
    }
}

impl Debug for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
