//! `ClientBuilder`: the limits and timeouts of a client.

use std::time::Duration;

use super::Client;
use super::connection::Connector;
use super::pool::Pool;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::sync::Semaphore;
#[cfg(feature = "tls")]
use crate::tls::TlsConnector;

/// Limits and timeouts of a [`Client`]. They begin with what aiohttp's have by default.
///
/// ```
/// use executor::http::Client;
/// use executor::time::Duration;
///
/// let client = Client::builder()
///     .limit_per_host(8)
///     .timeout(Duration::from_secs(20))
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    limit: usize,
    limit_per_host: usize,
    idle_timeout: Duration,
    connect_timeout: Duration,
    timeout: Duration,
    body_limit: usize,
    #[cfg(feature = "tls")]
    tls: Tls,
}

impl ClientBuilder {
    /// How many requests there may be at a time; 100 unless set. Others wait for their turn, in order of arrival.
    ///
    /// A request counts until the body of its response has ended.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[must_use]
    pub fn limit(mut self, requests: usize) -> Self {
        self.limit = checked(requests);
        self
    }

    /// How many requests to one host, scheme and port there may be at a time; as many as there may be at all unless set. Over HTTP/1 that is the limit on the
    /// connections to it, too.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[must_use]
    pub fn limit_per_host(mut self, requests: usize) -> Self {
        self.limit_per_host = checked(requests);
        self
    }

    /// How long a connection is kept that nobody uses; 15 seconds unless set. With zero none is kept.
    #[doc(alias = "keepalive_timeout")]
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How long it may take to make a connection, from the lookup of the name to the end of TLS's handshake; 30 seconds unless set.
    #[doc(alias = "sock_connect")]
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a request may take, from the call to the end of the response's body, the wait for its place included; 300 seconds unless set.
    /// With [`Duration::MAX`] it may take for ever.
    #[doc(alias = "ClientTimeout")]
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many bytes [`Body::bytes`](super::Body::bytes) and [`Body::text`](super::Body::text) take; 16 MiB unless set.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How `https://` URLs are connected to. Unless set, whom the [system trusts](TlsConnector::with_system_roots) is trusted; the files are read by the first use.
    ///
    /// A connector that names no protocols offers [HTTP/2 and HTTP/1.1](crate::tls::HTTP).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, connector: TlsConnector) -> Self {
        self.tls = Tls::new(connector);
        self
    }

    /// The client. It connects to nobody yet.
    #[must_use]
    pub fn build(self) -> Client {
        Client {
            pool: Pool::new(self.limit, self.limit_per_host, self.idle_timeout),
            connector: Connector {
                timeout: self.connect_timeout,
                #[cfg(feature = "tls")]
                tls: self.tls,
            },
            timeout: self.timeout,
            body_limit: self.body_limit,
        }
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            limit: 100,
            limit_per_host: Semaphore::MAX_PERMITS,
            idle_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(300),
            body_limit: 16 << 20,
            #[cfg(feature = "tls")]
            tls: Tls::default(),
        }
    }
}

fn checked(requests: usize) -> usize {
    assert!(
        requests > 0,
        "a client that may make no request waits for ever: give at least 1"
    );
    requests.min(Semaphore::MAX_PERMITS)
}
