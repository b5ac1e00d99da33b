//! WebSockets on connections that were HTTP, by tokio-tungstenite.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use ecosystem::websocket;
use executor::http::ServerBuilder;
use executor::net::{Server, TcpListener, TcpStream};
use futures::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::run;
use crate::web::has;

/// Says back what it hears, until the client has had enough.
async fn echo(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some((response, socket)) = websocket::accept(&mut request) else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return Ok(response);
    };
    executor::spawn(async move {
        let Ok(mut socket) = socket.await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if !message.is_close() && socket.send(message).await.is_err() {
                break;
            }
        }
    });
    Ok(response)
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
fn an_upgraded_connection_takes_its_place_until_it_is_dropped() {
    run(async {
        let server = serve(ServerBuilder::new()).await;
        let mut socket = connect(&server).await;
        socket.send(Message::text("a")).await.unwrap();
        socket.next().await.unwrap().unwrap();
        // HTTP is over, the connection is not; and it is not HTTP's to close.
        server.close_clients();
        socket.send(Message::text("b")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("b"));
        assert_eq!((server.connections(), server.report().finished), (1, 0));
        drop(socket);
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
