//! `executor::http::serve`: what answers, and how it ends.

use std::collections::HashMap;
use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::FromRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::routing::{get as on_get, post};
use bytes::Bytes;
use executor::http::{self, ServerBuilder};
use executor::hyper::HyperExecutor;
use executor::net::{Server, ServerReport, TcpListener, TcpStream, UnixListener};
use executor::sync::Notify;
use executor::task::{JoinHandle, JoinSet};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::run;
use crate::web::{CURL, client, connect, curl, get, has, listen, paused, says};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.local_addr().unwrap())
}

/// A shutdown that has asked the connections, and how many came too early to be refused: these may have been accepted, too.
async fn begin_shutdown(server: Server) -> (JoinHandle<ServerReport>, u64) {
    let address = server.local_addr().unwrap();
    let shutdown = executor::spawn(server.shutdown(LONG));
    let mut early = 0;
    while TcpStream::connect(address).await.is_ok() {
        early += 1;
        executor::task::yield_now().await;
    }
    (shutdown, early)
}

/// Nothing was dropped of the one connection that there was before the shutdown, and of those that came while it began.
fn all_have_finished(report: ServerReport, early: u64) {
    assert!((1..=1 + early).contains(&report.accepted), "{report:?}");
    assert_eq!((report.finished, report.dropped), (report.accepted, 0));
}

/// A service that answers when it is told to, and says when it has begun.
#[derive(Clone, Default)]
struct Slow {
    begun: Arc<Notify>,
    go: Arc<Notify>,
}

impl Slow {
    async fn answer(self) -> Result<Response<Full<Bytes>>, Infallible> {
        self.begun.notify_one();
        self.go.notified().await;
        Ok(Response::new(Full::from("at last")))
    }

    fn serve(&self, listener: TcpListener) -> Server {
        let slow = self.clone();
        http::serve(
            listener,
            service_fn(move |_: Request<Incoming>| slow.clone().answer()),
        )
    }
}

#[test]
fn curl_is_answered_by_the_version_it_speaks() {
    if !has(&CURL) {
        return;
    }
    run(async {
        let server = http::serve(listen().await, service_fn(says));
        let url = url(&server, "/a");
        assert_eq!(curl(&["--http1.1", &url]).await.unwrap(), "HTTP/1.1 /a");
        assert_eq!(curl(&["--http1.0", &url]).await.unwrap(), "HTTP/1.0 /a");
        let by_2 = curl(&["--http2-prior-knowledge", "-w", " %{http_version}", &url]).await;
        assert_eq!(by_2.unwrap(), "HTTP/2.0 /a 2");
        assert_eq!(server.report().accepted, 3);
    });
}

#[test]
fn curl_is_answered_over_a_unix_socket() {
    if !has(&CURL) {
        return;
    }
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http");
        let _server = http::serve(UnixListener::bind(&path).unwrap(), service_fn(says));
        let path = path.to_str().unwrap();
        let answer = curl(&["--unix-socket", path, "http://localhost/u"]).await;
        assert_eq!(answer.unwrap(), "HTTP/1.1 /u");
    });
}

/// The sum of the query's numbers.
async fn add(Query(numbers): Query<HashMap<String, u32>>) -> String {
    numbers.values().sum::<u32>().to_string()
}

#[test]
fn a_router_of_axum_and_layers_of_tower_answer() {
    if !has(&CURL) {
        return;
    }
    run(async {
        let router = Router::new()
            .route("/add", on_get(add))
            .route(
                "/length",
                post(|body: Bytes| async move { body.len().to_string() }),
            )
            .layer(
                ServiceBuilder::new()
                    .layer(ConcurrencyLimitLayer::new(2))
                    .layer(CorsLayer::permissive())
                    .layer(RequestBodyLimitLayer::new(10)),
            );
        let server = http::serve(listen().await, http::tower(router));
        let url = |path| url(&server, path);
        let sum = curl(&[
            "-i",
            "-H",
            "Origin: http://else.where",
            &url("/add?a=1&b=2"),
        ])
        .await
        .unwrap();
        assert!(sum.contains("access-control-allow-origin: *"), "{sum}");
        assert!(sum.ends_with("\r\n\r\n3"), "{sum}");
        assert_eq!(curl(&["-d", "12345", &url("/length")]).await.unwrap(), "5");
        let too_long = curl(&[
            "-d",
            "12345678901",
            "-w",
            "%{http_code}",
            "-o",
            "/dev/null",
            &url("/length"),
        ])
        .await;
        assert_eq!(too_long.unwrap(), "413");
        let nowhere = curl(&["-w", "%{http_code}", &url("/nowhere")]).await;
        assert_eq!(nowhere.unwrap(), "404");
    });
}

#[test]
fn a_connection_serves_many_requests_and_knows_its_peer() {
    run(async {
        let server = ServerBuilder::new().serve_with(listen().await, |peer: SocketAddr| {
            service_fn(move |_: Request<Incoming>| async move {
                Ok::<_, Infallible>(Response::new(peer.to_string()))
            })
        });
        let stream = connect(&server).await;
        let me = stream.local_addr().unwrap().to_string();
        let mut client = client(stream).await;
        for _ in 0..100 {
            assert_eq!(get(&mut client, "/").await.unwrap().1, me);
        }
        assert_eq!(server.report().accepted, 1);
    });
}

#[test]
fn small_writes_are_sent_at_once() {
    run(async {
        let server = http::serve(listen().await, service_fn(says));
        let stream = connect(&server).await;
        let me = stream.local_addr().unwrap();
        let mut client = client(stream).await;
        get(&mut client, "/").await.unwrap();
        assert!(of_peer(me).unwrap().nodelay().unwrap());
    });
}

/// The end of a connection in this process whose other end is at `address`. It is only looked at.
fn of_peer(address: SocketAddr) -> Option<ManuallyDrop<std::net::TcpStream>> {
    (0..4096).find_map(|fd| {
        // SAFETY: it is asked for addresses and options only, which fail for what is no socket, and is not closed here.
        let stream = ManuallyDrop::new(unsafe { std::net::TcpStream::from_raw_fd(fd) });
        (stream.peer_addr().ok() == Some(address)).then_some(stream)
    })
}

#[test]
fn a_service_that_panics_ends_its_connection_alone() {
    run(async {
        let service = service_fn(async |request: Request<Incoming>| {
            assert_ne!(request.uri().path(), "/panic", "as it was asked to");
            says(request).await
        });
        let server = http::serve(listen().await, service);
        let mut other = client(connect(&server).await).await;
        get(&mut other, "/").await.unwrap();
        let mut panicking = client(connect(&server).await).await;
        get(&mut panicking, "/panic").await.unwrap_err();
        assert_eq!(get(&mut other, "/b").await.unwrap().1, "HTTP/1.1 /b");
        let report = server.shutdown(LONG).await;
        assert_eq!((report.panicked, report.finished), (1, 1));
    });
}

#[test]
fn a_shutdown_closes_idle_connections_at_once() {
    run(async {
        let server = http::serve(listen().await, service_fn(says));
        let mut idle = client(connect(&server).await).await;
        get(&mut idle, "/").await.unwrap();
        let _silent = connect(&server).await;
        while server.connections() < 2 {
            executor::task::yield_now().await;
        }
        // It would wait for an hour.
        let report = server.shutdown(LONG).await;
        assert_eq!((report.accepted, report.finished), (2, 2));
        get(&mut idle, "/").await.unwrap_err();
    });
}

#[test]
fn a_shutdown_lets_a_request_under_way_be_answered() {
    run(async {
        let slow = Slow::default();
        let server = slow.serve(listen().await);
        let mut client = client(connect(&server).await).await;
        let answer = executor::spawn(async move { get(&mut client, "/").await });
        slow.begun.notified().await;
        let (shutdown, early) = begin_shutdown(server).await;
        slow.go.notify_one();
        let (head, body) = answer.await.unwrap().unwrap();
        assert_eq!(body, "at last");
        assert_eq!(head.status(), StatusCode::OK);
        all_have_finished(shutdown.await.unwrap(), early);
    });
}

#[test]
fn the_last_answer_of_a_connection_says_so() {
    paused(async {
        let slow = Slow::default();
        let server = slow.serve(listen().await);
        let mut client = client(connect(&server).await).await;
        let answer = executor::spawn(async move { get(&mut client, "/").await });
        slow.begun.notified().await;
        server.close_clients();
        // This clock goes on when all tasks wait: the connection has been asked.
        executor::time::sleep(Duration::from_millis(1)).await;
        slow.go.notify_one();
        let (head, body) = answer.await.unwrap().unwrap();
        assert_eq!(body, "at last");
        assert_eq!(head.headers()["connection"], "close");
        assert!(server.is_serving());
        let mut next = self::client(connect(&server).await).await;
        slow.go.notify_one();
        get(&mut next, "/").await.unwrap();
    });
}

#[test]
fn after_the_grace_a_request_that_is_not_answered_is_aborted() {
    run(async {
        let slow = Slow::default();
        let server = slow.serve(listen().await);
        let mut client = client(connect(&server).await).await;
        let answer = executor::spawn(async move { get(&mut client, "/").await });
        slow.begun.notified().await;
        let report = server.shutdown(Duration::from_millis(50)).await;
        assert_eq!((report.dropped, report.open), (1, 0));
        answer.await.unwrap().unwrap_err();
    });
}

#[test]
fn over_http_2_a_shutdown_lets_requests_under_way_be_answered() {
    run(async {
        let slow = Slow::default();
        let server = slow.serve(listen().await);
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(HyperExecutor, connect(&server).await)
                .await
                .unwrap();
        executor::spawn(connection);
        let request = || {
            Request::get("http://localhost/")
                .body(Empty::<Bytes>::new())
                .unwrap()
        };
        let answer = executor::spawn(client.send_request(request()));
        slow.begun.notified().await;
        let (shutdown, early) = begin_shutdown(server).await;
        slow.go.notify_one();
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(
            answer.into_body().collect().await.unwrap().to_bytes(),
            "at last"
        );
        drop(client);
        all_have_finished(shutdown.await.unwrap(), early);
    });
}

#[test]
fn over_http_2_a_shutdown_closes_idle_connections_at_once() {
    run(async {
        let server = http::serve(listen().await, service_fn(says));
        let stream = connect(&server).await;
        let (mut client, connection) = hyper::client::conn::http2::handshake(HyperExecutor, stream)
            .await
            .unwrap();
        executor::spawn(connection);
        let request = Request::get("http://localhost/").body(Empty::<Bytes>::new());
        let answer = client.send_request(request.unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
        let report = server.shutdown(LONG).await;
        assert_eq!((report.finished, report.dropped), (1, 0));
        drop(client);
    });
}

#[test]
fn a_shutdown_under_load_loses_no_request() {
    run(async {
        let begun = Arc::new(AtomicU64::new(0));
        let server = {
            let begun = begun.clone();
            http::serve(
                listen().await,
                service_fn(move |_: Request<Incoming>| {
                    begun.fetch_add(1, SeqCst);
                    async {
                        executor::time::sleep(Duration::from_millis(2)).await;
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![
                            b'x';
                            10_000
                        ]))))
                    }
                }),
            )
        };
        let mut clients = JoinSet::new();
        for _ in 0..40 {
            let mut client = client(connect(&server).await).await;
            clients.spawn(async move {
                let mut answered = 0;
                // The first error is the server's farewell.
                while let Ok((_, body)) = get(&mut client, "/").await {
                    assert_eq!(body.len(), 10_000);
                    answered += 1;
                }
                answered
            });
        }
        while begun.load(SeqCst) < 400 {
            executor::task::yield_now().await;
        }
        let report = server.shutdown(LONG).await;
        let answered: u64 = clients.join_all().await.iter().sum();
        assert_eq!(answered, begun.load(SeqCst), "{report}");
        assert_eq!((report.finished, report.dropped), (40, 0));
    });
}

#[test]
fn no_more_connections_are_accepted_than_were_allowed() {
    run(async {
        let server = ServerBuilder::new()
            .max_connections(1)
            .serve(listen().await, service_fn(says));
        let mut first = client(connect(&server).await).await;
        get(&mut first, "/").await.unwrap();
        let mut second = client(connect(&server).await).await;
        let answer = executor::spawn(async move { get(&mut second, "/").await.map(drop) });
        for _ in 0..10 {
            get(&mut first, "/").await.unwrap();
        }
        assert_eq!(server.report().accepted, 1);
        drop(first);
        answer.await.unwrap().unwrap();
    });
}
