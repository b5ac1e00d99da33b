//! `TlsAcceptor`: the server's side of a handshake.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::handshake::{LIMIT, invalid, limited, names, provider};
use super::rustls::ServerConfig;
use super::rustls::pki_types::pem::PemObject;
use super::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use super::stream::TlsStream;

/// Makes TLS streams of connections that were accepted. Cheap to clone.
#[derive(Clone)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    limit: Duration,
}

impl TlsAcceptor {
    /// A server with this certificate, and all that lie between it and a root, its own first; and with its key. Both in the form of PEM files. It asks clients for no
    /// certificate.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no certificate, or no key, or one that cannot be read, or if the two do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> io::Result<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(invalid)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(invalid)?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(invalid)?;
        Ok(Arc::new(config).into())
    }

    /// How long a handshake may take.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The protocols to agree on one of (ALPN), the best one first: [`HTTP`](super::HTTP), say. A client that names others only is refused.
    ///
    /// Default: those of the configuration, which [`from_pem`](Self::from_pem) leaves empty.
    #[must_use]
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: &[P]) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = names(protocols);
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Shakes hands with a client.
    ///
    /// # Errors
    ///
    /// `TimedOut` if it takes too long, `InvalidData` if the client does not speak TLS, or none that both know, or does not trust the certificate; and those of `io`.
    ///
    /// # Cancel safety
    ///
    /// `io` is lost.
    pub async fn accept<IO>(&self, io: IO) -> io::Result<TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.config.clone());
        let stream = limited(self.limit, acceptor.accept(io)).await?;
        Ok(TlsStream::new(stream.into()))
    }
}

impl From<Arc<ServerConfig>> for TlsAcceptor {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self {
            config,
            limit: LIMIT,
        }
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor")
            .field("handshake_timeout", &self.limit)
            .finish_non_exhaustive()
    }
}
