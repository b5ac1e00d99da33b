//! `executor::http::Client` over TLS, against servers whose certificates are of an authority of the test's own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use executor::http::client::Error;
use executor::http::{Client, ServerBuilder};
use executor::net::{Server, TcpListener};
use executor::task::JoinSet;
use executor::time::sleep;
use executor::tls::{TlsAcceptor, TlsConnector, roots_from_pem};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::run;
use crate::web::{self, Certified, certified, paused};

fn acceptor(certified: &Certified) -> TlsAcceptor {
    TlsAcceptor::from_pem(certified.chain.as_bytes(), certified.key.as_bytes()).unwrap()
}

/// It trusts the authority of that one.
fn client(certified: &Certified) -> Client {
    let roots = roots_from_pem(certified.root.as_bytes()).unwrap();
    Client::builder()
        .tls(TlsConnector::with_roots(roots))
        .build()
}

/// Says which version of HTTP it was asked in, after a moment.
async fn server(host: &str, acceptor: TlsAcceptor) -> Server<SocketAddr> {
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let page = service_fn(async |request: Request<Incoming>| {
        sleep(Duration::from_millis(1)).await;
        Ok::<_, Infallible>(Response::new(format!("{:?}", request.version())))
    });
    ServerBuilder::new().tls(acceptor).serve(listener, page)
}

fn url(server: &Server<SocketAddr>) -> String {
    format!("https://{}/", server.local_addr().unwrap())
}

async fn text(client: Client, url: String) -> String {
    let response = client.get(url).await.unwrap();
    response.into_body().text().await.unwrap()
}

#[test]
fn all_requests_to_a_server_that_offers_http_2_share_a_connection() {
    run(async {
        let certified = certified();
        let server = server("127.0.0.1", acceptor(&certified)).await;
        let client = client(&certified);
        assert_eq!(text(client.clone(), url(&server)).await, "HTTP/2.0");
        let mut tasks = JoinSet::new();
        for _ in 0..100 {
            tasks.spawn(text(client.clone(), url(&server)));
        }
        while let Some(version) = tasks.join_next().await {
            assert_eq!(version.unwrap(), "HTTP/2.0");
        }
        assert_eq!(server.report().accepted, 1);
    });
}

#[test]
fn http_1_over_tls_uses_one_connection_in_turn() {
    run(async {
        let certified = certified();
        let acceptor = acceptor(&certified).alpn(&["http/1.1"]);
        let server = server("127.0.0.1", acceptor).await;
        let client = client(&certified);
        for _ in 0..100 {
            assert_eq!(text(client.clone(), url(&server)).await, "HTTP/1.1");
        }
        assert_eq!(server.report().accepted, 1);
    });
}

#[test]
fn requests_that_come_before_the_first_connection_all_have_their_answer() {
    run(async {
        let certified = certified();
        let server = server("127.0.0.1", acceptor(&certified)).await;
        let client = client(&certified);
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            tasks.spawn(text(client.clone(), url(&server)));
        }
        while let Some(version) = tasks.join_next().await {
            assert_eq!(version.unwrap(), "HTTP/2.0");
        }
        assert!(server.report().accepted <= 50);
    });
}

#[test]
fn a_server_of_another_name_or_of_an_authority_nobody_knows_is_refused() {
    run(async {
        let certified = certified();
        // The certificate is for 127.0.0.1 and localhost.
        let other = server("127.0.0.2", acceptor(&certified)).await;
        let unknown = server("127.0.0.1", acceptor(&web::certified())).await;
        let client = client(&certified);
        for (server, reason) in [
            (&other, "not valid for name"),
            (&unknown, "invalid peer certificate"),
        ] {
            let error = client.get(url(server)).await.unwrap_err();
            assert!(matches!(error, Error::Connect(_)), "{error:?}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    });
}

#[test]
fn an_http_2_connection_that_the_server_ends_is_replaced() {
    run(async {
        let certified = certified();
        let first = server("127.0.0.1", acceptor(&certified)).await;
        let (address, url) = (first.local_addr().unwrap(), url(&first));
        let client = client(&certified);
        assert_eq!(text(client.clone(), url.clone()).await, "HTTP/2.0");
        first.shutdown(Duration::from_secs(20)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let page = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new("second".to_owned()))
        });
        let _second = ServerBuilder::new()
            .tls(acceptor(&certified))
            .serve(listener, page);
        assert_eq!(text(client, url).await, "second");
    });
}

/// Answers, refuses, or does not answer at all, by the path.
async fn moody(certified: &Certified) -> Server<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = service_fn(
        async |request: Request<Incoming>| match request.uri().path() {
            "/refused" => Err("as it was asked to"),
            "/never" => std::future::pending().await,
            _ => {
                let body = request.into_body().collect().await;
                body.map(|_| Response::new("fine".to_owned()))
                    .map_err(|_| "half a body")
            }
        },
    );
    let builder = ServerBuilder::new().tls(acceptor(certified));
    builder.serve(listener, page)
}

#[test]
fn a_request_that_fails_leaves_the_connection_to_the_others() {
    run(async {
        let certified = certified();
        let server = moody(&certified).await;
        let (client, url) = (client(&certified), url(&server));
        for _ in 0..10 {
            assert_eq!(text(client.clone(), url.clone()).await, "fine");
            let refused = client.get(format!("{url}refused")).await;
            assert!(matches!(refused, Err(Error::Http(_))), "{refused:?}");
            let half = [Ok(Frame::data(Bytes::from("half"))), Err("as it was told")];
            let body = StreamBody::new(futures::stream::iter(half));
            let broken = client
                .request(Request::post(&url).body(body).unwrap())
                .await;
            assert!(matches!(broken, Err(Error::Http(_))), "{broken:?}");
        }
        assert_eq!(server.report().accepted, 1);
    });
}

#[test]
fn a_connection_on_which_nothing_was_answered_in_time_is_replaced() {
    paused(async {
        let certified = certified();
        let server = moody(&certified).await;
        let roots = roots_from_pem(certified.root.as_bytes()).unwrap();
        let client = Client::builder()
            .timeout(Duration::from_secs(10))
            .tls(TlsConnector::with_roots(roots))
            .build();
        let url = url(&server);
        let never = || {
            let (client, url) = (client.clone(), format!("{url}never"));
            async move {
                let never = client.get(url).await;
                assert!(matches!(never, Err(Error::Timeout)), "{never:?}");
            }
        };
        let answered = || text(client.clone(), url.clone());
        answered().await;
        // Others are answered meanwhile: it is not to blame.
        executor::join!(never(), async {
            sleep(Duration::from_secs(5)).await;
            answered().await;
        });
        answered().await;
        assert_eq!(server.report().accepted, 1);
        never().await;
        answered().await;
        answered().await;
        assert_eq!(server.report().accepted, 2);
    });
}

#[test]
fn over_http_2_no_connection_is_kept_either_if_none_is_to_be() {
    run(async {
        let certified = certified();
        let server = moody(&certified).await;
        let roots = roots_from_pem(certified.root.as_bytes()).unwrap();
        let client = Client::builder()
            .idle_timeout(Duration::ZERO)
            .tls(TlsConnector::with_roots(roots))
            .build();
        for _ in 0..5 {
            text(client.clone(), url(&server)).await;
        }
        assert_eq!(server.report().accepted, 5);
    });
}
