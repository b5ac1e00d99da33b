//! HTTP/1 and HTTP/2 by hyper, with the limits that a server on the open network needs.
//!
//! [`serve`] takes a service of hyper's; [`tower`] makes one of a service of tower's, such as a `Router` of axum with its layers. What it returns is a
//! [`Server`] like that of [`net::serve`](crate::net::serve), and a [`ServerBuilder`] has its limits
#![cfg_attr(feature = "tls", doc = "and [TLS](ServerBuilder::tls).")]
#![cfg_attr(not(feature = "tls"), doc = "and, with the feature `tls`, TLS.")]
//!
//! ```text
//!   net::serve ──a task for each connection──▶ TLS ──▶ Transport ──▶ hyper ──▶ Tracked ──▶ the service
//!                          │                           limits writes             │
//!                          └── Watch ◀── Activity: is anything under way, and whose turn is it? ◀┘
//! ```
//!
//! [`Client`] is the other side, see [`client`].
//!
//! Connections may be upgraded, by [`on_upgrade`], to a WebSocket say: [`TokioIo`](crate::hyper::TokioIo) gives them the I/O traits that such crates ask for.

mod activity;
mod builder;
pub mod client;
mod connection;
mod piece;
mod tracked;
mod transport;
mod upgrade;
mod watch;

use ::tokio::io::{AsyncRead, AsyncWrite};
use hyper::body::{Body, Incoming};
use hyper::rt::{Read, Write};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;

use crate::net::{Listener, Server};

pub use builder::ServerBuilder;
#[doc(inline)]
pub use client::Client;
pub use connection::BoxError;
pub use upgrade::on_upgrade;

/// Answers the requests that come to `listener`. Serving begins at once.
///
/// Each connection has a clone of `service`. It speaks HTTP/2 if the client begins with that, and HTTP/1 otherwise. A client that is too slow is cut off, see
/// [`ServerBuilder`]; an error of `accept` does not end the server. Small writes are sent at once (`TCP_NODELAY`).
///
/// [`Server::shutdown`] asks the connections at once: those without a request are closed, on the others the requests under way are answered, and these are their last.
/// What is there after the grace is aborted. [`Server::close_clients`] asks in the same way. Services do not hear of it; what [`on_upgrade`] runs does.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use std::convert::Infallible;
/// use std::time::Duration;
///
/// use executor::http;
/// use executor::net::TcpListener;
/// use hyper::service::service_fn;
/// use hyper::{Request, Response, body::Incoming};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let server = http::serve(listener, service_fn(async |request: Request<Incoming>| {
///     Ok::<_, Infallible>(Response::new(format!("you asked for {}", request.uri())))
/// }));
/// // Here clients come and go.
/// let report = server.shutdown(Duration::from_secs(10)).await;
/// assert_eq!(report.open, 0);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Panics
///
/// As [`net::serve`](crate::net::serve).
#[doc(alias = "TCPSite")]
#[doc(alias = "run_app")]
#[track_caller]
pub fn serve<L, S, B>(listener: L, service: S) -> Server<L::Addr>
where
    L: Listener<Io: Stream>,
    S: HttpService<B> + Clone + Sync,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    ServerBuilder::new().serve(listener, service)
}

/// Makes a service of hyper's of one of tower's: `http::serve(listener, http::tower(router))`.
///
/// Each request has a clone of it, which is asked whether it is ready first, so layers that limit keep their limits.
pub fn tower<S>(service: S) -> TowerToHyperService<S> {
    TowerToHyperService::new(service)
}

/// What HTTP can be spoken on: a short name for the traits of a stream. Nothing else is to be implemented.
pub trait Stream: Read + Write + AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T> Stream for T where T: Read + Write + AsyncRead + AsyncWrite + Unpin + Send + 'static {}

/// A service that answers with bodies of type `B`: a short name for hyper's trait with the bounds that a server needs. Nothing else is to be implemented.
pub trait HttpService<B>:
    Service<
        Request<Incoming>,
        Response = Response<B>,
        Error: Into<BoxError>,
        Future: Send + 'static,
    > + Send
    + 'static
{
}

impl<S, B> HttpService<B> for S where
    S: Service<
            Request<Incoming>,
            Response = Response<B>,
            Error: Into<BoxError>,
            Future: Send + 'static,
        > + Send
        + 'static
{
}
