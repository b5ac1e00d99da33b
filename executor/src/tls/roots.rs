//! Whom a client trusts: the system's roots, or one's own.

use std::io;

use super::handshake::invalid;
use super::rustls::RootCertStore;
use super::rustls::pki_types::CertificateDer;
use super::rustls::pki_types::pem::PemObject;

/// The certificates of a PEM file, as roots: those of an authority of one's own, say.
///
/// # Errors
///
/// `InvalidInput` if there is none, or one that cannot be read.
pub fn roots_from_pem(pem: &[u8]) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(invalid)?).map_err(invalid)?;
    }
    if roots.is_empty() {
        return Err(invalid("there is no certificate in the PEM file"));
    }
    Ok(roots)
}

/// The roots that the system trusts, or the file in the environment variable `SSL_CERT_FILE`, or the directories in `SSL_CERT_DIR`. What rustls cannot read of them is left out.
///
/// It reads files, and blocks: call it once, at the start.
///
/// # Errors
///
/// If there is none at all: what went wrong first, or `NotFound`.
pub fn system_roots() -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _ignored) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    Err(match found.errors.into_iter().next() {
        Some(error) => io::Error::other(error),
        None => io::Error::new(
            io::ErrorKind::NotFound,
            "the system has no root certificates: install its package ca-certificates",
        ),
    })
}
