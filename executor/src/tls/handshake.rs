//! What the handshakes of both sides have in common: a time limit, the provider, and how errors of rustls become those of I/O.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::rustls::crypto::{CryptoProvider, ring};
use crate::time::timeout;

/// Long enough for the slowest honest client, and what sockets that never say anything are kept for.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Fails after `limit`, and drops the socket with the handshake.
pub(super) async fn limited<T>(
    limit: Duration,
    handshake: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match timeout(limit, handshake).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the TLS handshake took too long",
        )),
    }
}

/// Named at each use: rustls panics where it is to choose, if a program has two providers in its tree.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(super) fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// The protocols that a configuration offers.
pub(super) fn names<P: AsRef<[u8]>>(protocols: &[P]) -> Vec<Vec<u8>> {
    protocols
        .iter()
        .map(|name| name.as_ref().to_vec())
        .collect()
}
