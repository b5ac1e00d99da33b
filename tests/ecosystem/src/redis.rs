//! Redis by the crate of that name, on our sockets: its `MultiplexedConnection` takes any stream, and returns a future to spawn.

use std::fmt::{self, Debug, Formatter};
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use executor::net::{TcpStream, UnixStream};
use executor::task::AbortHandle;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisResult};

/// A connection that many tasks may use at the same time, each by a clone of its own: commands are sent one after the other, without waiting for
/// answers in between. It has the commands of [`redis::AsyncCommands`].
///
/// It is closed when the last clone is dropped. There is no limit to how long an answer may take: [`executor::time::timeout`] sets one.
#[derive(Clone)]
pub struct Connection {
    commands: MultiplexedConnection,
    _driver: Arc<AbortOnDrop>,
}

/// Opens a connection, by TCP or over a Unix socket.
///
/// # Errors
///
/// What the server says, a wrong password for one, or why it cannot be reached.
///
/// # Cancel safety
///
/// Cancel safe: a connection that is half open is closed.
pub async fn connect(server: &ConnectionInfo) -> RedisResult<Connection> {
    connect_with(server, AsyncConnectionConfig::new()).await
}

/// As [`connect`], with what `config` says: where messages go to that nobody has asked for, say.
///
/// # Errors
///
/// As [`connect`], and if the protocol of `server` is too old for what is asked for.
///
/// # Cancel safety
///
/// As [`connect`].
pub async fn connect_with(
    server: &ConnectionInfo,
    config: AsyncConnectionConfig,
) -> RedisResult<Connection> {
    // The crate's own limits need the timers of a runtime that it knows.
    let config = config.set_response_timeout(None);
    let settings = server.redis_settings();
    let (commands, driver) = match server.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let (commands, driver) =
                MultiplexedConnection::new_with_config(settings, stream, config).await?;
            (commands, executor::spawn(driver))
        }
        ConnectionAddr::Unix(path) => {
            let stream = UnixStream::connect(path).await?;
            let (commands, driver) =
                MultiplexedConnection::new_with_config(settings, stream, config).await?;
            (commands, executor::spawn(driver))
        }
        other => {
            let text = format!("no way to {other} here");
            return Err(io::Error::new(io::ErrorKind::Unsupported, text).into());
        }
    };
    Ok(Connection {
        commands,
        _driver: Arc::new(AbortOnDrop(driver.abort_handle())),
    })
}

/// By itself the driver would wait for the answers of commands that nobody waits for any more, and those that block may take for ever.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Deref for Connection {
    type Target = MultiplexedConnection;

    fn deref(&self) -> &MultiplexedConnection {
        &self.commands
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut MultiplexedConnection {
        &mut self.commands
    }
}

impl Debug for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.commands.fmt(f)
    }
}
