//! WebSockets on connections that were HTTP, by tokio-tungstenite.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use ecosystem::websocket;
use executor::http::{self, ServerBuilder, on_upgrade};
use executor::hyper::{HyperExecutor, TokioIo};
use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{Server, TcpListener, TcpStream};
use executor::task::{FutureExt, shield};
use executor::time::sleep;
use futures::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::web::{has, paused};
use crate::{PATIENCE, run};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// Says back what it hears, until the client has had enough, or the server has.
async fn echo(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = websocket::accept(&mut request, async |mut socket| {
        loop {
            match socket.next().or_cancelled().await {
                Ok(Some(Ok(message))) if message.is_close() => {}
                Ok(Some(Ok(message))) => {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                Ok(_) => return,
                Err(_) => {
                    let code = CloseCode::Away;
                    let reason = "the server ends".into();
                    let farewell = socket.close(Some(CloseFrame { code, reason }));
                    let _ = shield(PATIENCE, farewell).await;
                    return;
                }
            }
        }
    });
    Ok(response.unwrap_or_else(|| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response
    }))
}

async fn serve(builder: ServerBuilder) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    builder.serve(listener, service_fn(echo))
}

async fn connect(server: &Server) -> WebSocketStream<TcpStream> {
    let address = server.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let connected = tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await;
    connected.unwrap().0
}

#[test]
fn messages_come_back() {
    run(async {
        let server = serve(ServerBuilder::new()).await;
        let mut socket = connect(&server).await;
        for i in 0..100 {
            let message = Message::text(format!("{i}").repeat(i * 10));
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message);
        }
        socket.close(None).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().is_close());
    });
}

#[test]
fn a_client_of_node_hears_its_echo() {
    const CLIENT: &str = r#"
        const socket = new WebSocket(process.argv[1]);
        const sent = ["one", "zwei", "x".repeat(70000)];
        let heard = 0;
        socket.onopen = () => sent.forEach((text) => socket.send(text));
        socket.onerror = (event) => { console.log("error", event.message); process.exit(1); };
        socket.onmessage = (event) => {
            if (event.data !== sent[heard++]) { console.log("heard", event.data.slice(0, 99)); process.exit(1); }
            if (heard === sent.length) socket.close(1000);
        };
        socket.onclose = (event) => console.log("closed", event.code, "heard", heard);
    "#;
    if !has(&["node", "--experimental-websocket", "-e", "0"]) {
        return;
    }
    run(async {
        let server = serve(ServerBuilder::new()).await;
        let url = format!("ws://{}/", server.local_addr().unwrap());
        let output = executor::process::Command::new("node")
            .args(["--experimental-websocket", "-e", CLIENT, &url])
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.trim(), "closed 1000 heard 3", "{errors}");
    });
}

#[test]
fn who_asks_for_something_else_is_told_so() {
    run(async {
        let server = serve(ServerBuilder::new()).await;
        let stream = TcpStream::connect(server.local_addr().unwrap())
            .await
            .unwrap();
        let mut client = crate::web::client(stream).await;
        let (head, _) = crate::web::get(&mut client, "/").await.unwrap();
        assert_eq!(head.status(), StatusCode::UPGRADE_REQUIRED);
    });
}

#[test]
fn a_shutdown_tells_what_a_connection_was_upgraded_to() {
    run(async {
        let server = serve(ServerBuilder::new()).await;
        let mut socket = connect(&server).await;
        socket.send(Message::text("a")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("a"));
        let shutdown = executor::spawn(server.shutdown(LONG));
        let Message::Close(Some(farewell)) = socket.next().await.unwrap().unwrap() else {
            panic!("no farewell");
        };
        assert_eq!(farewell.code, CloseCode::Away);
        let report = shutdown.await.unwrap();
        assert_eq!((report.finished, report.dropped, report.open), (1, 0, 0));
    });
}

/// What `after` makes of the connection, once it is no HTTP any more.
async fn upgraded<F>(
    request: Request<Incoming>,
    after: impl FnOnce(Upgraded) -> F + Send + 'static,
) -> Result<Response<Full<Bytes>>, Infallible>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut request = request;
    on_upgrade(&mut request, after);
    let mut response = Response::default();
    if request.method() != Method::CONNECT {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert("connection", HeaderValue::from_static("upgrade"));
        headers.insert("upgrade", HeaderValue::from_static("test"));
    }
    Ok(response)
}

/// A connection that is no HTTP any more.
async fn connect_raw(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    let head = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
    stream
}

#[test]
fn what_does_not_listen_is_dropped_with_its_connection() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(
            listener,
            service_fn(|request| {
                upgraded(request, async |_connection| std::future::pending().await)
            }),
        );
        let mut stream = connect_raw(&server).await;
        // It would wait for an hour.
        let report = server.shutdown(LONG).await;
        assert_eq!((report.finished, report.dropped, report.open), (0, 1, 0));
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    });
}

#[test]
fn a_farewell_that_takes_longer_than_the_grace_is_aborted() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(
            listener,
            service_fn(|request| {
                upgraded(request, async |_connection| {
                    let _ = shield(LONG, std::future::pending::<()>()).await;
                })
            }),
        );
        let mut stream = connect_raw(&server).await;
        let report = server.shutdown(Duration::from_millis(50)).await;
        assert_eq!((report.finished, report.dropped, report.open), (0, 1, 0));
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    });
}

#[test]
fn a_panic_after_the_upgrade_is_the_connections() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(
            listener,
            service_fn(|request| {
                upgraded(request, async |_connection| panic!("as it was asked to"))
            }),
        );
        let mut stream = connect_raw(&server).await;
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        let report = server.shutdown(LONG).await;
        assert_eq!((report.finished, report.panicked), (0, 1));
    });
}

/// A connection of HTTP/2, and a stream of it that is none of HTTP any more.
async fn tunnel(server: &Server) -> (http2::SendRequest<Full<Bytes>>, TokioIo<Upgraded>) {
    let stream = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut client, connection) = http2::handshake(HyperExecutor, stream).await.unwrap();
    executor::spawn(connection);
    let request = Request::connect("elsewhere:1").body(Full::default());
    let answer = client.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let tunnel = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    (client, tunnel)
}

#[test]
fn a_stream_of_http_2_is_told_as_well() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(
            listener,
            service_fn(|request| {
                upgraded(request, async |connection| {
                    let mut io = TokioIo::new(connection);
                    let asked = std::future::pending::<()>().or_cancelled().await;
                    assert!(asked.is_err());
                    let farewell = async {
                        io.write_all(b"bye").await.unwrap();
                        io.shutdown().await.unwrap();
                    };
                    shield(PATIENCE, farewell).await.unwrap();
                })
            }),
        );
        let (client, mut tunnel) = tunnel(&server).await;
        let shutdown = executor::spawn(server.shutdown(LONG));
        let mut heard = String::new();
        tunnel.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "bye");
        drop((tunnel, client));
        let report = shutdown.await.unwrap();
        assert_eq!((report.finished, report.dropped), (1, 0));
    });
}

#[test]
fn a_tunnel_of_http_2_stays_however_long_it_is_used_or_silent() {
    paused(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(
            listener,
            service_fn(|request| {
                upgraded(request, async |connection| {
                    let mut io = TokioIo::new(connection);
                    while let Ok(byte) = io.read_u8().await {
                        io.write_all(&[byte]).await.unwrap();
                    }
                })
            }),
        );
        let (client, mut tunnel) = tunnel(&server).await;
        for silence in [5; 40].into_iter().chain([3600]) {
            tunnel.write_all(b"b").await.unwrap();
            assert_eq!(tunnel.read_u8().await.unwrap(), b'b');
            sleep(Duration::from_secs(silence)).await;
        }
        assert_eq!(server.connections(), 1);
        // After its end the connection is idle like any other.
        drop(tunnel);
        sleep(Duration::from_secs(95)).await;
        assert_eq!(server.connections(), 0);
        drop(client);
    });
}

#[test]
fn a_connection_in_a_task_of_its_own_keeps_its_place_and_is_not_asked() {
    run(async {
        let service = service_fn(async |mut request: Request<Incoming>| {
            let connection = hyper::upgrade::on(&mut request);
            executor::spawn(async move {
                let mut io = TokioIo::new(connection.await.unwrap());
                while let Ok(byte) = io.read_u8().await {
                    io.write_all(&[byte]).await.unwrap();
                }
            });
            upgraded(request, async |_| panic!("somebody else has it")).await
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(listener, service);
        let mut stream = connect_raw(&server).await;
        server.close_clients();
        stream.write_all(b"b").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'b');
        assert_eq!((server.connections(), server.report().finished), (1, 0));
        drop(stream);
        while server.connections() > 0 {
            executor::task::yield_now().await;
        }
        assert_eq!(server.report().finished, 1);
    });
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    run(async {
        let builder = ServerBuilder::new().write_timeout(Duration::from_millis(100));
        let server = serve(builder).await;
        let mut socket = connect(&server).await;
        // Until both sides' buffers are full: the echo waits to write, and reads no more.
        while socket.send(Message::binary(vec![0; 100_000])).await.is_ok() {}
        while server.connections() > 0 {
            executor::task::yield_now().await;
        }
        let mut other = connect(&server).await;
        other.send(Message::text("a")).await.unwrap();
        assert_eq!(other.next().await.unwrap().unwrap(), Message::text("a"));
    });
}
