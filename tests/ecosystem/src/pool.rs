//! A pool of connections to a database, whichever it is: deadpool's core, which needs no runtime but for timeouts, with our timeouts.
//!
//! A connection that is dropped goes back into its pool. It is looked at before it is given out again, and replaced if it is no good.

use std::error;
use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult};
use executor::task::TaskTracker;
use executor::task::futures::TaskTrackerToken;
use executor::time::timeout;

/// How a pool comes by its connections.
pub trait Connect: Debug + Send + Sync + 'static {
    /// A connection.
    type Connection: Send + 'static;
    /// What the driver says.
    type Error: error::Error + Send + Sync + 'static;

    /// Opens a connection. What goes on in the background for it, and may outlive it, is to be tracked by `open`.
    fn connect(
        &self,
        open: &TaskTracker,
    ) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// Whether a connection that somebody has used is still good.
    fn check(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A pool of up to so many connections. Clones are handles to the same pool.
pub struct Pool<C: Connect> {
    connections: managed::Pool<Manager<C>>,
    acquire_timeout: Option<Duration>,
}

impl<C: Connect> Pool<C> {
    /// A pool without connections; [`acquire`](Self::acquire) opens them.
    #[doc(alias = "create_pool")]
    pub fn new(connect: C) -> Self {
        Self::builder(connect).build()
    }

    /// To choose how large it is, and how patient.
    pub fn builder(connect: C) -> Builder<C> {
        Builder {
            connect,
            max_size: 10,
            acquire_timeout: Some(Duration::from_secs(30)),
            check_timeout: Duration::from_secs(5),
        }
    }

    /// A connection: one that is idle, else a new one, else the next that somebody gives back.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Closed`] after [`close`](Self::close), [`AcquireError::Timeout`] if none was to be had in time, and what the driver
    /// says if a new one cannot be opened.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no place in the pool is lost. The place in the queue is; and a connection that was being looked at is closed, so that another is
    /// opened for the next.
    pub async fn acquire(&self) -> Result<Pooled<C>, AcquireError<C::Error>> {
        let acquired = self.connections.get();
        let acquired = match self.acquire_timeout {
            Some(limit) => timeout(limit, acquired)
                .await
                .map_err(|_| AcquireError::Timeout)?,
            None => acquired.await,
        };
        match acquired {
            Ok(object) => Ok(Pooled(object)),
            Err(PoolError::Backend(error)) => Err(AcquireError::Connect(error)),
            Err(PoolError::Closed) => Err(AcquireError::Closed),
            // deadpool has neither timeouts nor hooks here.
            Err(error) => unreachable!("{error}"),
        }
    }

    /// Closes the idle connections, and the others when they are given back. Who waits for one is told so.
    pub fn close(&self) {
        self.connections.close();
        self.open().close();
    }

    /// True after [`close`](Self::close).
    pub fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    /// Waits until the pool is closed and so are all its connections, and what ran in the background for them has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it does nothing but wait.
    pub async fn wait_closed(&self) {
        self.open().wait().await;
    }

    /// How many connections there are, which may have changed by the time it is looked at.
    pub fn status(&self) -> Status {
        let status = self.connections.status();
        Status {
            max_size: status.max_size,
            size: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    fn open(&self) -> &TaskTracker {
        &self.connections.manager().open
    }
}

impl<C: Connect> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self {
            connections: self.connections.clone(),
            acquire_timeout: self.acquire_timeout,
        }
    }
}

impl<C: Connect> Debug for Pool<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("connect", &self.connections.manager().connect)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Chooses how large a pool is, and how patient.
#[derive(Debug)]
pub struct Builder<C> {
    connect: C,
    max_size: usize,
    acquire_timeout: Option<Duration>,
    check_timeout: Duration,
}

impl<C: Connect> Builder<C> {
    /// The most connections at a time, 10 if it is not set.
    #[doc(alias = "maxsize")]
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.max_size = max_size;
        self
    }

    /// How long [`Pool::acquire`] takes at most, 30 seconds if it is not set.
    pub fn acquire_timeout(mut self, limit: Option<Duration>) -> Self {
        self.acquire_timeout = limit;
        self
    }

    /// How long a connection may take to show that it is good, 5 seconds if it is not set. After that it is replaced.
    pub fn check_timeout(mut self, limit: Duration) -> Self {
        self.check_timeout = limit;
        self
    }

    /// The pool.
    pub fn build(self) -> Pool<C> {
        let manager = Manager {
            connect: self.connect,
            check_timeout: self.check_timeout,
            open: TaskTracker::new(),
        };
        let connections = managed::Pool::builder(manager)
            .max_size(self.max_size)
            .build()
            .expect("deadpool has no timeouts here");
        Pool {
            connections,
            acquire_timeout: self.acquire_timeout,
        }
    }
}

/// A connection of a pool, which goes back into it when this is dropped.
pub struct Pooled<C: Connect>(managed::Object<Manager<C>>);

impl<C: Connect> Deref for Pooled<C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        &self.0.connection
    }
}

impl<C: Connect> DerefMut for Pooled<C> {
    fn deref_mut(&mut self) -> &mut C::Connection {
        &mut self.0.connection
    }
}

impl<C: Connect> Debug for Pooled<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").finish_non_exhaustive()
    }
}

/// How many connections a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The most there may be, 0 once the pool is closed.
    pub max_size: usize,
    /// Those there are.
    pub size: usize,
    /// Those of them that nobody has.
    #[doc(alias = "freesize")]
    pub idle: usize,
    /// How many wait for one.
    pub waiting: usize,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum AcquireError<E> {
    /// The pool is closed.
    Closed,
    /// None was to be had in time.
    Timeout,
    /// A new one could not be opened.
    Connect(E),
}

impl<E: fmt::Display> fmt::Display for AcquireError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the pool is closed"),
            Self::Timeout => f.write_str("no connection was to be had in time"),
            Self::Connect(error) => write!(f, "a connection cannot be opened: {error}"),
        }
    }
}

impl<E: error::Error + 'static> error::Error for AcquireError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            _ => None,
        }
    }
}

/// What deadpool calls to open connections and to look at them.
struct Manager<C> {
    connect: C,
    check_timeout: Duration,
    /// All connections, and what runs for them.
    open: TaskTracker,
}

/// A connection that counts as open until it is dropped.
struct Tracked<T> {
    connection: T,
    _token: TaskTrackerToken,
}

impl<C: Connect> managed::Manager for Manager<C> {
    type Type = Tracked<C::Connection>;
    type Error = C::Error;

    async fn create(&self) -> Result<Self::Type, C::Error> {
        // Before the connection, so that `wait_closed` sees those that are being opened.
        let token = self.open.token();
        let connection = self.connect.connect(&self.open).await?;
        Ok(Tracked {
            connection,
            _token: token,
        })
    }

    async fn recycle(&self, tracked: &mut Self::Type, _: &Metrics) -> RecycleResult<C::Error> {
        let check = self.connect.check(&mut tracked.connection);
        match timeout(self.check_timeout, check).await {
            Ok(checked) => checked.map_err(RecycleError::Backend),
            Err(_) => Err(RecycleError::message("it does not answer")),
        }
    }
}
