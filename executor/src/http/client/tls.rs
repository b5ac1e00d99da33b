//! TLS for `https://` URLs: by a connector that was given, or by one that trusts whom the system trusts.

use std::io;
use std::sync::Arc;

use crate::net::TcpStream;
use crate::sync::OnceCell;
use crate::task::spawn_blocking;
use crate::tls::{HTTP, TlsConnector, TlsStream};

/// Clones share what is made by the first use.
#[derive(Clone, Debug, Default)]
pub(super) struct Tls(Arc<OnceCell<TlsConnector>>);

impl Tls {
    pub(super) fn new(connector: TlsConnector) -> Self {
        Self(Arc::new(OnceCell::new_with(Some(offering(connector)))))
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector = self.0.get_or_try_init(system).await?;
        connector.connect(host, stream).await
    }
}

/// Reads files.
async fn system() -> io::Result<TlsConnector> {
    let connector = spawn_blocking(TlsConnector::with_system_roots).await??;
    Ok(offering(connector))
}

/// One that offers nothing offers HTTP/2 and HTTP/1.1.
fn offering(connector: TlsConnector) -> TlsConnector {
    match connector.config().alpn_protocols.is_empty() {
        true => connector.alpn(&HTTP),
        false => connector,
    }
}
