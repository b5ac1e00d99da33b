//! TLS for tokio-postgres, by `executor::tls`. That a server is asked for it first, in clear, is the driver's business.
//!
//! With it the password's exchange is bound to the server's certificate ("channel binding"): somebody in between who has another certificate that is
//! trusted cannot pass the exchange on.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use executor::io::{AsyncRead, AsyncWrite, ReadBuf};
use executor::tls::rustls::crypto::ring::cipher_suite::{
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384,
};
use executor::tls::{TlsConnector, TlsStream};
use tokio_postgres::tls::{self, ChannelBinding, TlsConnect};

/// What a stream to a server is encrypted with, and whom the server's certificate must be for.
pub(super) struct Tls {
    pub(super) connector: TlsConnector,
    pub(super) host: String,
}

impl Tls {
    /// What the driver asks for.
    pub(super) fn handshake<S>(self) -> impl TlsConnect<S, Stream = Encrypted<S>, Future: Send>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        Handshake(|stream| async move {
            let stream = self.connector.connect(&self.host, stream).await?;
            Ok(Encrypted(stream))
        })
    }
}

/// A function from a stream to an encrypted one.
struct Handshake<F>(F);

impl<S, F, H> TlsConnect<S> for Handshake<F>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnOnce(S) -> H,
    H: Future<Output = io::Result<Encrypted<S>>>,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = H;

    fn connect(self, stream: S) -> H {
        (self.0)(stream)
    }
}

/// The driver's trait needs a type of ours.
pub(super) struct Encrypted<S>(TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> tls::TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let certificates = self.0.session().peer_certificates();
        match certificates.and_then(|chain| end_point(chain.first()?)) {
            Some(end_point) => ChannelBinding::tls_server_end_point(end_point),
            None => ChannelBinding::none(),
        }
    }
}

/// `tls-server-end-point` of RFC 5929: the certificate's hash, by the function that its signature has. `None` where that is one that TLS does not have.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (fields, _) = element(certificate)?;
    let (_signed, rest) = element(fields)?;
    let (algorithm, _) = element(rest)?;
    let (name, _) = element(algorithm)?;
    let suite = match name {
        RSA_SHA256 | ECDSA_SHA256 => TLS13_AES_128_GCM_SHA256,
        RSA_SHA384 | ECDSA_SHA384 => TLS13_AES_256_GCM_SHA384,
        _ => return None,
    };
    let hash = suite.tls13()?.common.hash_provider.hash(certificate);
    Some(hash.as_ref().to_owned())
}

/// What is in the first element of something in DER, and what comes after it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&short, mut rest) = der.get(1..)?.split_first()?;
    let mut length = usize::from(short);
    if short >= 0x80 {
        // So many bytes are the length.
        let (bytes, after) = rest.split_at_checked(usize::from(short & 0x7f))?;
        let digits = bytes.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        });
        (length, rest) = (digits?, after);
    }
    rest.split_at_checked(length)
}

// Names of signatures, as they are in certificates.
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        AsyncRead::poll_read(Pin::new(&mut self.0), cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.0), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.0), cx)
    }
}
