//! QUIC by quinn over our sockets and timers.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use ecosystem::quinn::QuinnRuntime;
use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, ServerConfig};

use crate::run;

fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// A server with a new certificate for `localhost`, and the certificate.
fn server() -> (Endpoint, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::with_single_cert(vec![certificate.clone()], key).unwrap();
    let runtime = QuinnRuntime::current();
    let endpoint =
        Endpoint::new(EndpointConfig::default(), Some(config), socket(), runtime).unwrap();
    (endpoint, certificate)
}

/// A client that trusts whoever has this certificate.
fn client(trusted: CertificateDer<'static>) -> Endpoint {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let config = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    let runtime = QuinnRuntime::current();
    let mut endpoint = Endpoint::new(EndpointConfig::default(), None, socket(), runtime).unwrap();
    endpoint.set_default_client_config(config);
    endpoint
}

async fn connect(client: &Endpoint, address: SocketAddr) -> Result<Connection, ConnectionError> {
    client.connect(address, "localhost").unwrap().await
}

/// Sends back what each stream of each connection brings.
async fn echo(server: Endpoint) {
    while let Some(incoming) = server.accept().await {
        executor::spawn(async move {
            let connection = incoming.await.unwrap();
            while let Ok((mut writer, mut reader)) = connection.accept_bi().await {
                executor::spawn(async move {
                    while let Some(chunk) = reader.read_chunk(usize::MAX, true).await.unwrap() {
                        writer.write_chunk(chunk.bytes).await.unwrap();
                    }
                    writer.finish().unwrap();
                });
            }
        });
    }
}

/// The byte at a place of what is sent.
fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Sends so much over a stream, and expects it back.
async fn goes_there_and_back(connection: &Connection, len: usize) {
    let (mut writer, mut reader) = connection.open_bi().await.unwrap();
    let sender = executor::spawn(async move {
        // A multiple of the period.
        let piece: Vec<u8> = (0..251 * 64).map(byte).collect();
        let mut left = len;
        while left > 0 {
            let n = left.min(piece.len());
            writer.write_all(&piece[..n]).await.unwrap();
            left -= n;
        }
        writer.finish().unwrap();
        // Until it is acknowledged.
        writer.stopped().await.unwrap();
    });
    let expected: Vec<u8> = (0..CHUNK + 251).map(byte).collect();
    let mut back = 0;
    while let Some(chunk) = reader.read_chunk(CHUNK, true).await.unwrap() {
        let n = chunk.bytes.len();
        assert!(chunk.bytes == expected[back % 251..][..n], "after {back}");
        back += n;
    }
    assert_eq!(back, len);
    sender.await.unwrap();
}

fn echo_of(len: usize) {
    run(async move {
        let (server, certificate) = server();
        let address = server.local_addr().unwrap();
        let serving = executor::spawn(echo(server.clone()));
        let client = client(certificate);
        let connection = connect(&client, address).await.unwrap();
        goes_there_and_back(&connection, len).await;
        connection.close(0_u8.into(), b"done");
        client.wait_idle().await;
        server.close(0_u8.into(), b"");
        serving.await.unwrap();
    });
}

#[test]
fn some_megabytes_go_there_and_back() {
    echo_of(8_000_000);
}

#[test]
#[ignore = "100 MB through code that is not optimized"]
fn a_hundred_megabytes_go_there_and_back() {
    echo_of(100_000_000);
}

#[test]
fn many_streams_of_many_clients_go_on_at_once() {
    run(async {
        let (server, certificate) = server();
        let address = server.local_addr().unwrap();
        executor::spawn(echo(server));
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let client = client(certificate.clone());
                executor::spawn(async move {
                    let connection = connect(&client, address).await.unwrap();
                    let streams: Vec<_> = (0..8)
                        .map(|stream| {
                            let connection = connection.clone();
                            executor::spawn(async move {
                                goes_there_and_back(&connection, 10_000 * stream).await;
                            })
                        })
                        .collect();
                    for stream in streams {
                        stream.await.unwrap();
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    });
}

#[test]
fn a_client_that_trusts_somebody_else_refuses() {
    run(async {
        let (server, _) = server();
        let (_other, certificate) = self::server();
        let address = server.local_addr().unwrap();
        let accepted = executor::spawn(async move {
            let incoming = server.accept().await.unwrap();
            incoming.await.map(drop)
        });
        let error = connect(&client(certificate), address).await.unwrap_err();
        assert!(
            matches!(error, ConnectionError::TransportError(_)),
            "{error}"
        );
        accepted.await.unwrap().unwrap_err();
    });
}

#[test]
fn a_peer_that_has_gone_is_noticed_by_the_timer() {
    run(async {
        let (server, certificate) = server();
        let address = server.local_addr().unwrap();
        let serving = executor::spawn(async move {
            let connection = server.accept().await.unwrap().await.unwrap();
            (server, connection)
        });
        let mut endpoint = client(certificate.clone());
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut config = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
        let mut transport = quinn::TransportConfig::default();
        let idle = std::time::Duration::from_millis(200);
        transport.max_idle_timeout(Some(idle.try_into().unwrap()));
        config.transport_config(Arc::new(transport));
        endpoint.set_default_client_config(config);
        let connection = connect(&endpoint, address).await.unwrap();
        let _silent = serving.await.unwrap();
        assert_eq!(connection.closed().await, ConnectionError::TimedOut);
    });
}
