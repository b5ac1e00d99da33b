//! Queries that end at the server when nobody waits for them any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use executor::io::{self, AsyncRead, AsyncWrite};
use executor::task::JoinHandle;
use tokio_postgres::{CancelToken, NoTls};

use super::{Connection, Error, Tls};

/// The requests to cancel something of one connection that are under way.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Vec<JoinHandle<()>>>);

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the server has heard of all of them, or never will. After that none can meet a query that comes later.
    pub(super) async fn settled(&self) {
        let requests = std::mem::take(&mut *self.lock());
        for request in requests {
            let _ = request.await;
        }
    }
}

impl Connection {
    /// Waits for something that this connection does; if it is dropped before that is there, the server is asked to cancel it.
    ///
    /// Without this, a query whose future is dropped goes on at the server, and the next query of the connection waits for it.
    ///
    /// # Cancel safety
    ///
    /// That is what it is for. A task sends the request. It may be late, and meet the next query of this connection; in a pool it cannot meet that of
    /// the next user.
    #[doc(alias = "cancel")]
    pub async fn cancel_on_drop<T>(&self, query: impl Future<Output = T>) -> T {
        let unfinished = Unfinished(self);
        let output = query.await;
        std::mem::forget(unfinished);
        output
    }
}

/// What has a query cancelled if it is dropped.
struct Unfinished<'a>(&'a Connection);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let connection = self.0;
        let (server, token) = (connection.server.clone(), connection.cancel_token());
        let request = connection.open.spawn(async move {
            // If the server cannot be reached, the query ends with its connection.
            let _ = server.cancel(token).await;
        });
        connection.requests.lock().push(request);
    }
}

/// Sends the request over a connection of its own, and waits until the server closes that: by then it has told the process that is at the query.
pub(super) async fn send<S>(
    token: CancelToken,
    mut stream: S,
    tls: Option<Tls>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // In a box: what borrows the stream here, the compiler cannot see through from the task.
    let sending: Pin<Box<dyn Future<Output = _> + Send>> = match tls {
        Some(tls) => Box::pin(token.cancel_query_raw(&mut stream, tls.handshake())),
        None => Box::pin(token.cancel_query_raw(&mut stream, NoTls)),
    };
    sending.await?;
    io::copy(&mut stream, &mut io::sink()).await?;
    Ok(())
}
