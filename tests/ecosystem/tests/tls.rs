//! TLS by tokio-rustls over our streams.

use std::sync::Arc;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{pair, run};

/// A server that has a new certificate for `localhost`, and a client that trusts it.
fn parties() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (
        TlsAcceptor::from(Arc::new(server)),
        TlsConnector::from(Arc::new(client)),
    )
}

#[test]
fn a_megabyte_goes_there_and_back_encrypted() {
    run(async {
        let (acceptor, connector) = parties();
        let (client, server) = pair().await;
        let echo = executor::spawn(async move {
            let stream = acceptor.accept(server).await?;
            let (mut reader, mut writer) = executor::io::split(stream);
            executor::io::copy(&mut reader, &mut writer).await?;
            writer.shutdown().await
        });
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, client).await.unwrap();
        let (mut reader, mut writer) = executor::io::split(stream);
        let sent: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        let expected = sent.clone();
        let sender = executor::spawn(async move {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        });
        let mut back = Vec::new();
        reader.read_to_end(&mut back).await.unwrap();
        assert!(back == expected);
        sender.await.unwrap().unwrap();
        echo.await.unwrap().unwrap();
    });
}

#[test]
fn a_client_that_trusts_somebody_else_refuses_and_both_sides_hear_of_it() {
    run(async {
        let (acceptor, _) = parties();
        let (_, connector) = parties();
        let (client, server) = pair().await;
        let server = executor::spawn(async move { acceptor.accept(server).await.map(drop) });
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, client).await.unwrap_err();
        server.await.unwrap().unwrap_err();
    });
}
