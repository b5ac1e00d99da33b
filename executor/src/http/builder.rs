//! `ServerBuilder`: the limits of an HTTP server, its TLS, and what it tells of.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Body;
use hyper_util::server::conn::auto;

use super::connection::Settings;
use super::{BoxError, HttpService, Stream};
use crate::hyper::{HyperExecutor, HyperTimer};
use crate::net::{self, Listener, Server, TcpStream};
#[cfg(feature = "tls")]
use crate::tls::{self, TlsAcceptor};

/// Settings of an HTTP server, which [`serve`](super::serve) has the defaults of.
pub struct ServerBuilder {
    server: net::ServerBuilder,
    settings: Settings,
}

impl ServerBuilder {
    /// With the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            server: Server::builder().ask_at_once(),
            settings: Settings::default(),
        }
    }

    /// Speaks TLS. The handshake belongs to the connection's task, and has the [limit](TlsAcceptor::handshake_timeout) of the acceptor.
    ///
    /// An acceptor that names no protocols agrees on [HTTP/2 or HTTP/1.1](tls::HTTP).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, acceptor: TlsAcceptor) -> Self {
        let names_some = !acceptor.config().alpn_protocols.is_empty();
        self.settings.tls = Some(match names_some {
            true => acceptor,
            false => acceptor.alpn(&tls::HTTP),
        });
        self
    }

    /// How many connections there may be at once, as [`net::ServerBuilder::max_connections`]. One that was upgraded, to a WebSocket say, counts until it is
    /// dropped.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.server = self.server.max_connections(connections);
        self
    }

    /// How long a client may take to send the head of a request, the wait for it included: connections on which nothing is under way for longer are
    /// closed. An answer is under way until the client has taken all of it, however slowly. On HTTP/2 it may be up to three times as long, the farewell included. `None`: for ever, which a server that
    /// others can reach does not survive.
    ///
    /// A request whose answer is taken is at its end, also if its own body is not: read that before you answer. What a connection was
    /// [upgraded](super::on_upgrade) to is no part of this, nor are bodies: a limit on the time of a whole request is a layer of tower's, or a [`timeout`](crate::time::timeout) in the service.
    ///
    /// Default: 30 seconds.
    #[must_use]
    pub fn header_read_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.header_read_timeout = limit.into();
        self
    }

    /// How long a client may take nothing of what there is for it to read. The connection is ended then. It also holds for what a connection of HTTP/1 is
    /// upgraded to: writing fails there with `TimedOut`. On HTTP/2, where clients may refuse single answers, it may be up to twice as long,
    /// and a connection is ended if all its answers wait. `None`: for ever.
    ///
    /// Default: 30 seconds.
    #[must_use]
    pub fn write_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.write_timeout = limit.into();
        self
    }

    /// Changes hyper's own settings, for example how large heads may be, or how many requests may share a connection. It has a timer already, and writes answers
    /// from where they are (`writev`) in any case.
    ///
    /// ```
    /// # use executor::http::ServerBuilder;
    /// let builder = ServerBuilder::new().protocol(|http| {
    ///     http.http1().max_buf_size(64 * 1024).http2().max_concurrent_streams(50);
    /// });
    /// ```
    #[must_use]
    pub fn protocol(mut self, change: impl FnOnce(&mut auto::Builder<HyperExecutor>)) -> Self {
        change(&mut self.settings.protocol);
        self
    }

    /// Calls `f` with each error of the listener, as [`net::ServerBuilder::on_accept_error`].
    #[must_use]
    pub fn on_accept_error(mut self, f: impl FnMut(io::Error) + Send + 'static) -> Self {
        self.server = self.server.on_accept_error(f);
        self
    }

    /// Calls `f` with what ends a connection out of order: a handshake that fails, a request that is none, a client that breaks off, a limit. Most of it is
    /// the clients' affair. It must not block.
    ///
    /// Default: nobody hears of it.
    #[must_use]
    pub fn on_connection_error(mut self, f: impl Fn(BoxError) + Send + Sync + 'static) -> Self {
        self.settings.on_connection_error = Some(Box::new(f));
        self
    }

    /// As [`serve`](super::serve).
    ///
    /// # Panics
    ///
    /// As [`net::serve`].
    #[track_caller]
    pub fn serve<L, S, B>(self, listener: L, service: S) -> Server<L::Addr>
    where
        L: Listener<Io: Stream>,
        S: HttpService<B> + Clone + Sync,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        self.serve_with(listener, move |_| service.clone())
    }

    /// As [`serve`](super::serve), with a service for each connection, made by `make` from the client's address.
    ///
    /// # Panics
    ///
    /// As [`net::serve`].
    #[track_caller]
    pub fn serve_with<L, S, B>(
        self,
        listener: L,
        make: impl Fn(L::Addr) -> S + Send + Sync + 'static,
    ) -> Server<L::Addr>
    where
        L: Listener<Io: Stream>,
        S: HttpService<B>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let mut settings = self.settings;
        let limit = settings.header_read_timeout;
        settings.protocol.http1().header_read_timeout(limit);
        // Otherwise hyper copies answers before it writes, however large they are, and that would look as if the client had taken all of it.
        settings.protocol.http1().writev(true);
        let settings = Arc::new(settings);
        self.server.serve(listener, move |io: L::Io, address| {
            send_at_once(&io);
            let settings = settings.clone();
            let service = make(address);
            async move { settings.serve(io, service).await }
        })
    }
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let mut protocol = auto::Builder::new(HyperExecutor);
        // Without timers hyper enforces none of its limits.
        protocol.http1().timer(HyperTimer);
        protocol.http2().timer(HyperTimer);
        Self {
            protocol,
            #[cfg(feature = "tls")]
            tls: None,
            header_read_timeout: Some(LIMIT),
            write_timeout: Some(LIMIT),
            on_connection_error: None,
        }
    }
}

/// An answer is written whole, and the end of a longer one, or a message on a WebSocket, must not wait until the client has acknowledged what was before it.
fn send_at_once(io: &dyn Any) {
    if let Some(stream) = io.downcast_ref::<TcpStream>() {
        // An error: it is gone already.
        let _ = stream.set_nodelay(true);
    }
}

/// Patience with the slowest honest client.
const LIMIT: Duration = Duration::from_secs(30);

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("server", &self.server)
            .field("header_read_timeout", &self.settings.header_read_timeout)
            .field("write_timeout", &self.settings.write_timeout)
            .finish_non_exhaustive()
    }
}
