//! PostgreSQL by tokio-postgres, on our sockets: `connect_raw` takes any stream, and the connection it returns is a future to spawn.

use std::fmt::{self, Debug, Formatter};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll};

use executor::io::{AsyncRead, AsyncWrite};
use executor::net::{TcpStream, UnixStream};
use executor::task::{JoinHandle, TaskTracker};
use executor::time::timeout;
use executor::tls::TlsConnector;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, NoTls};

use crate::pool::Connect;

mod cancel;
mod error;
mod listener;
mod tls;

use cancel::Requests;
pub use error::Error;
pub use listener::Listener;
use tls::Tls;

/// Where a PostgreSQL server is, and who connects to it.
#[derive(Clone, Debug)]
pub struct Postgres {
    config: Arc<Config>,
    tls: Option<TlsConnector>,
}

/// A connection. It is a [`Client`], with `query`, `transaction`, `copy_in` and the rest.
///
/// When it is dropped the server is told so, after what was asked for before.
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
    server: Postgres,
    open: TaskTracker,
    requests: Requests,
}

impl Postgres {
    /// Connects as `config` says: to the first of its hosts that answers, by TCP or over a Unix socket, without TLS.
    pub fn new(config: Config) -> Self {
        let config = Arc::new(config);
        Self { config, tls: None }
    }

    /// The same over TLS, and never without it: a server that has none is an error, and so is one whose certificate `connector` does not trust, or that is not for
    /// the host's name. A Unix socket does not leave the machine, and has no TLS.
    pub fn with_tls(mut config: Config, connector: TlsConnector) -> Self {
        // By itself the driver goes on without, where the server, or who is in between, says that there is none.
        config.ssl_mode(SslMode::Require);
        Self {
            tls: Some(connector.alpn(&["postgresql"])),
            ..Self::new(config)
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// What the server says, a wrong password for one, or why it cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection that is half open is closed.
    pub async fn connect(&self) -> Result<Connection, Error> {
        self.connect_tracked(&TaskTracker::new()).await
    }

    /// Opens a connection that hears notifications.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn listen(&self) -> Result<Listener, Error> {
        let (client, driver) = self.open().await?;
        Ok(Listener::new(client, driver))
    }

    async fn connect_tracked(&self, open: &TaskTracker) -> Result<Connection, Error> {
        let (client, mut driver) = self.open().await?;
        let driver = open.spawn(async move {
            // An error reaches the queries, which it ends.
            while let Some(Ok(_)) = poll_fn(|cx| driver.drive(cx)).await {}
        });
        Ok(Connection {
            client,
            driver,
            server: self.clone(),
            open: open.clone(),
            requests: Requests::default(),
        })
    }

    async fn open(&self) -> Result<(Client, Box<dyn Driver>), Error> {
        match self.stream().await? {
            Either::Tcp(stream, host) => greet(&self.config, stream, self.tls(host)).await,
            Either::Unix(stream) => {
                let mut config = Config::clone(&self.config);
                config.ssl_mode(SslMode::Disable);
                greet(&config, stream, None).await
            }
        }
    }

    fn tls(&self, host: String) -> Option<Tls> {
        let connector = self.tls.clone()?;
        Some(Tls { connector, host })
    }

    /// To the first host that answers. The error is the last one's.
    async fn stream(&self) -> io::Result<Either> {
        let mut failed =
            io::Error::new(io::ErrorKind::InvalidInput, "the configuration has no host");
        let (ports, addresses) = (self.config.get_ports(), self.config.get_hostaddrs());
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            // One port is for all of them.
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let connecting = Either::connect(host, addresses.get(index), port);
            let connected = match self.config.get_connect_timeout() {
                Some(limit) => timeout(*limit, connecting)
                    .await
                    .unwrap_or_else(|e| Err(e.into())),
                None => connecting.await,
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Asks the server to cancel what the connection of `token` is at, and waits until the server has done so.
    async fn cancel(&self, token: CancelToken) -> Result<(), Error> {
        match self.stream().await? {
            Either::Tcp(stream, host) => cancel::send(token, stream, self.tls(host)).await,
            Either::Unix(stream) => cancel::send(token, stream, None).await,
        }
    }
}

impl Connection {
    /// Closes it, and waits until that is done.
    pub async fn close(self) {
        let Self { client, driver, .. } = self;
        drop(client);
        // It has no output, and what goes wrong now is nobody's business.
        let _ = driver.await;
    }
}

impl Connect for Postgres {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self, open: &TaskTracker) -> Result<Connection, Error> {
        self.connect_tracked(open).await
    }

    /// A round trip. It waits for a query that nobody waits for any more, and for its cancellation, so that neither meets the next query.
    async fn check(&self, connection: &mut Connection) -> Result<(), Error> {
        connection.requests.settled().await;
        Ok(connection.client.check_connection().await?)
    }
}

/// Makes a stream a connection.
async fn greet<S>(
    config: &Config,
    stream: S,
    tls: Option<Tls>,
) -> Result<(Client, Box<dyn Driver>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Ok(match tls {
        Some(tls) => {
            let (client, driver) = config.connect_raw(stream, tls.handshake()).await?;
            (client, Box::new(driver))
        }
        None => {
            let (client, driver) = config.connect_raw(stream, NoTls).await?;
            (client, Box::new(driver))
        }
    })
}

/// A stream to a server.
enum Either {
    /// And the server's name.
    Tcp(TcpStream, String),
    Unix(UnixStream),
}

impl Either {
    /// The address, if there is one, saves asking for it.
    async fn connect(host: &Host, address: Option<&IpAddr>, port: u16) -> io::Result<Self> {
        match host {
            Host::Tcp(name) => {
                let stream = match address {
                    Some(address) => TcpStream::connect((*address, port)).await?,
                    None => TcpStream::connect((name.as_str(), port)).await?,
                };
                // Questions are small, and are to leave at once.
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream, name.clone()))
            }
            Host::Unix(directory) => {
                let path = directory.join(format!(".s.PGSQL.{port}"));
                Ok(Self::Unix(UnixStream::connect(path).await?))
            }
        }
    }
}

/// The other half of a [`Client`], whatever its stream is: reads and writes while it is polled.
trait Driver: Send {
    fn drive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>>;
}

impl<S, T> Driver for tokio_postgres::Connection<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn drive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>> {
        self.poll_message(cx)
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Debug for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("is_closed", &self.client.is_closed())
            .finish_non_exhaustive()
    }
}
