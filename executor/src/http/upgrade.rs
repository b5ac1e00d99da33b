//! `on_upgrade`: what a connection is after HTTP, which belongs to the connection's task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use hyper::Request;
use hyper::upgrade::{self, OnUpgrade, Upgraded};

use super::activity::Activity;

/// Calls `callback` with the connection once it is no HTTP any more, and runs its future as part of the server: in the task of the connection.
///
/// Call it in the service, and answer with a status that switches protocols, such as 101 for a WebSocket. [`TokioIo`](crate::hyper::TokioIo) gives the connection tokio's I/O traits.
///
/// A shutdown of the server, or [`close_clients`](crate::net::Server::close_clients), asks the future to end, as it asks a handler of [`net::serve`](crate::net::serve):
/// what listens, in [`or_cancelled`](crate::task::FutureExt::or_cancelled) say, may take the grace to say farewell; what does not is dropped where it waits. A
/// panic is the connection's. With hyper's own `upgrade::on` and a task of your own the connection is yours alone: it counts as open, and nobody tells it of the end.
///
/// A connection of HTTP/2 that has such a tunnel (`CONNECT`) is in use until the future ends: how long it may be silent, and how long its client may take nothing
/// of what is written to it, are the future's to say. One that is given to hyper's own `upgrade::on` there is not seen: with nothing else under way its connection is closed as idle.
///
/// If the connection is not upgraded, because the client did not ask, or was answered otherwise, or the request comes from another server, the callback is dropped.
///
/// ```
/// use std::convert::Infallible;
///
/// use executor::http;
/// use executor::hyper::TokioIo;
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// use executor::task::FutureExt;
/// use hyper::{Request, Response, StatusCode, body::Incoming};
///
/// /// Sends back what comes, until the client or the server has had enough.
/// async fn echo(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
///     http::on_upgrade(&mut request, async |connection| {
///         let (mut io, mut buffer) = (TokioIo::new(connection), [0; 1024]);
///         while let Ok(Ok(read @ 1..)) = io.read(&mut buffer).or_cancelled().await {
///             if io.write_all(&buffer[..read]).await.is_err() {
///                 return;
///             }
///         }
///         let _ = io.write_all(b"bye").await;
///     });
///     let mut response = Response::default();
///     *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
///     response.headers_mut().insert("upgrade", "echo".parse().unwrap());
///     Ok(response)
/// }
/// ```
pub fn on_upgrade<B, C, F>(request: &mut Request<B>, callback: C)
where
    C: FnOnce(Upgraded) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    // Taken out of the request, which may live for longer than the connection waits for more.
    let Some(Upgrades { sender, activity }) = request.extensions_mut().remove() else {
        return;
    };
    let upgraded = upgrade::on(request);
    // An error: the connection is gone already.
    let _ = sender.unbounded_send(Box::pin(async move {
        if let Ok(connection) = upgraded.await {
            // To HTTP/2 the request has ended with the head of its answer.
            let _under_way = activity.begin();
            callback(connection).await;
        }
    }));
}

/// Where a request leaves what is to be done with its connection.
#[derive(Clone, Debug)]
pub(super) struct Upgrades {
    sender: UnboundedSender<After>,
    activity: Arc<Activity>,
}

type After = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Upgrades {
    /// The other end runs what is left there, in the task that polls it, until nothing can come any more.
    pub(super) fn new(activity: Arc<Activity>) -> (Self, impl Future<Output = ()>) {
        let (sender, receiver): (_, UnboundedReceiver<After>) = unbounded();
        let upgrades = Self { sender, activity };
        (upgrades, receiver.for_each_concurrent(None, |after| after))
    }

    /// Only requests that may be upgraded carry it: it takes memory.
    pub(super) fn offer<B>(&self, request: &mut Request<B>) {
        if request.extensions().get::<OnUpgrade>().is_some() {
            request.extensions_mut().insert(self.clone());
        }
    }
}
