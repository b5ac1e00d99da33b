//! `TlsConnector`: the client's side of a handshake.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::handshake::{LIMIT, invalid, limited, names, provider};
use super::roots::system_roots;
use super::rustls::pki_types::ServerName;
use super::rustls::{ClientConfig, RootCertStore};
use super::stream::TlsStream;

/// Makes TLS streams of connections to servers. Cheap to clone; clones share what they remember of earlier sessions.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    limit: Duration,
}

impl TlsConnector {
    /// Trusts servers whose certificates lead to one of these. It has no certificate of its own.
    ///
    /// # Panics
    ///
    /// Never: the provider has all that the versions of TLS need.
    pub fn with_roots(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config).into()
    }

    /// Trusts whom the system trusts. It reads files, so call it once, at the start: [`system_roots`].
    ///
    /// # Errors
    ///
    /// As [`system_roots`].
    pub fn with_system_roots() -> io::Result<Self> {
        system_roots().map(Self::with_roots)
    }

    /// How long a handshake may take.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The protocols to offer (ALPN), the best one first: [`HTTP`](super::HTTP), say.
    ///
    /// Default: those of the configuration, which [`with_roots`](Self::with_roots) leaves empty.
    #[must_use]
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: &[P]) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = names(protocols);
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Shakes hands with the server of this name, or of this IP address, which its certificate must be for.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `host` is neither a name nor an address, `TimedOut` if it takes too long, `InvalidData` if the server is not trusted, or does not speak
    /// TLS; and those of `io`.
    ///
    /// # Cancel safety
    ///
    /// `io` is lost.
    pub async fn connect<IO>(&self, host: &str, io: IO) -> io::Result<TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = tokio_rustls::TlsConnector::from(self.config.clone());
        let handshake = connector.connect(server_name(host)?, io);
        let stream = limited(self.limit, handshake).await?;
        Ok(TlsStream::new(stream.into()))
    }
}

/// An IPv6 address may stand in brackets, as in URLs.
fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).map_err(invalid)
}

impl From<Arc<ClientConfig>> for TlsConnector {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            limit: LIMIT,
        }
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector")
            .field("handshake_timeout", &self.limit)
            .finish_non_exhaustive()
    }
}
