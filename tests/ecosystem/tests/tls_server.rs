//! `executor::tls`, and HTTPS: who is trusted, what is agreed on, and how long it may take.

use std::io::ErrorKind;
use std::time::Duration;

use executor::http::ServerBuilder;
use executor::hyper::HyperExecutor;
use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{Server, TcpListener, TcpStream};
use executor::tls::{self, TlsAcceptor, TlsConnector, TlsStream, roots_from_pem};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::service::service_fn;

use crate::web::{CURL, Certified, alone, certified, curl, file, has, paused, says};
use crate::{pair, run};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn acceptor(certified: &Certified) -> TlsAcceptor {
    TlsAcceptor::from_pem(certified.chain.as_bytes(), certified.key.as_bytes()).unwrap()
}

fn connector(certified: &Certified) -> TlsConnector {
    TlsConnector::with_roots(roots_from_pem(certified.root.as_bytes()).unwrap())
}

async fn serve(certified: &Certified) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = ServerBuilder::new().tls(acceptor(certified));
    server.serve(listener, service_fn(says))
}

/// Both ends of a connection, after their handshake.
async fn shake_hands(
    connector: TlsConnector,
    acceptor: TlsAcceptor,
    host: &'static str,
) -> (
    std::io::Result<TlsStream<TcpStream>>,
    std::io::Result<TlsStream<TcpStream>>,
) {
    let (client, server) = pair().await;
    executor::join!(connector.connect(host, client), acceptor.accept(server))
}

#[test]
fn curl_agrees_on_a_version_of_http_and_trusts_a_local_authority() {
    if !has(&CURL) {
        return;
    }
    run(async {
        let certified = certified();
        let server = serve(&certified).await;
        let (_directory, root) = file("root.pem", &certified.root);
        let root = root.to_str().unwrap();
        let url = format!(
            "https://127.0.0.1:{}/s",
            server.local_addr().unwrap().port()
        );
        let best = curl(&["--cacert", root, "-w", " %{http_version}", &url]).await;
        assert_eq!(best.unwrap(), "HTTP/2.0 /s 2");
        let two = curl(&["--cacert", root, &url, &url]).await;
        assert_eq!(two.unwrap(), "HTTP/2.0 /sHTTP/2.0 /s");
        assert_eq!(server.report().accepted, 2);
        let old = curl(&["--cacert", root, "--http1.1", &url]).await;
        assert_eq!(old.unwrap(), "HTTP/1.1 /s");
        let error = curl(&[&url]).await.unwrap_err();
        assert!(error.contains("certificate"), "{error}");
        // Whoever comes with a broken handshake disturbs nobody.
        let after = curl(&["--cacert", root, &url]).await;
        assert_eq!(after.unwrap(), "HTTP/2.0 /s");
    });
}

#[test]
fn requests_go_over_a_stream_of_ours() {
    run(async {
        let certified = certified();
        let server = serve(&certified).await;
        let stream = TcpStream::connect(server.local_addr().unwrap())
            .await
            .unwrap();
        let connector = connector(&certified).alpn(&tls::HTTP);
        let stream = connector.connect("localhost", stream).await.unwrap();
        assert!(stream.is_h2());
        let (mut client, connection) = hyper::client::conn::http2::handshake(HyperExecutor, stream)
            .await
            .unwrap();
        executor::spawn(connection);
        for _ in 0..100 {
            let request = Request::get("https://localhost/x").body(Empty::<bytes::Bytes>::new());
            let answer = client.send_request(request.unwrap()).await.unwrap();
            assert_eq!(
                answer.into_body().collect().await.unwrap().to_bytes(),
                "HTTP/2.0 /x"
            );
        }
        assert_eq!(server.report().accepted, 1);
        drop(client);
        let report = server.shutdown(LONG).await;
        assert_eq!((report.finished, report.dropped), (1, 0));
    });
}

#[test]
fn names_and_addresses_must_be_those_of_the_certificate() {
    run(async {
        let certified = certified();
        let shake = |host| shake_hands(connector(&certified), acceptor(&certified), host);
        for host in ["localhost", "127.0.0.1"] {
            let (client, server) = shake(host).await;
            client.unwrap();
            assert!(!server.unwrap().is_h2());
        }
        for host in ["example.com", "[::1]"] {
            let (client, server) = shake(host).await;
            assert_eq!(client.unwrap_err().kind(), ErrorKind::InvalidData, "{host}");
            server.unwrap_err();
        }
        let (stream, _server) = pair().await;
        let error = connector(&certified)
            .connect("no name", stream)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_stream_that_is_shut_down_is_told_from_one_that_is_cut_off() {
    run(async {
        let certified = certified();
        for is_told in [true, false] {
            let (client, server) =
                shake_hands(connector(&certified), acceptor(&certified), "localhost").await;
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            server.write_all(b"all").await.unwrap();
            server.flush().await.unwrap();
            if is_told {
                server.shutdown().await.unwrap();
            }
            drop(server);
            let mut text = String::new();
            let end = client.read_to_string(&mut text).await;
            match is_told {
                true => assert_eq!((end.unwrap(), text.as_str()), (3, "all")),
                false => assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof),
            }
        }
    });
}

#[test]
fn a_handshake_has_a_limit_on_both_sides() {
    paused(async {
        let certified = certified();
        let (stream, _silent) = pair().await;
        let client = connector(&certified).handshake_timeout(LONG);
        assert_eq!(
            client
                .connect("localhost", stream)
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::TimedOut
        );
        let (stream, mut slow) = pair().await;
        executor::spawn(async move {
            // The head of a record, and of a greeting, that never ends.
            for byte in [22, 3, 1, 2, 0, 1].into_iter().chain(std::iter::repeat(0)) {
                executor::time::sleep(Duration::from_secs(1)).await;
                if slow.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        });
        let begun = executor::time::Instant::now();
        let error = acceptor(&certified).accept(stream).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 10);
    });
}

#[test]
fn what_is_no_certificate_or_no_key_is_refused_with_a_reason() {
    let (ours, other) = (certified(), certified());
    let cases = [
        ("", ours.key.as_str()),
        (&ours.chain, ""),
        (&ours.chain, &other.key),
        (&ours.key, &ours.key),
    ];
    for (chain, key) in cases {
        let error = TlsAcceptor::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert_eq!(
        roots_from_pem(b"").unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        roots_from_pem(ours.chain.replace("MII", "MIX").as_bytes())
            .unwrap_err()
            .kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn the_systems_roots_are_those_of_a_file_that_the_environment_names() {
    alone(
        "tls_server::the_systems_roots_are_those_of_a_file_that_the_environment_names",
        || {
            let certified = certified();
            let (_directory, root) = file("root.pem", &certified.root);
            // SAFETY: no other thread is there that reads the environment.
            unsafe { std::env::set_var("SSL_CERT_FILE", &root) };
            let connector = TlsConnector::with_system_roots().unwrap();
            run(async move {
                let (client, _) = shake_hands(connector, acceptor(&certified), "localhost").await;
                client.unwrap();
            });
        },
    );
}
