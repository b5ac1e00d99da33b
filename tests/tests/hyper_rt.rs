//! hyper on our sockets, tasks and timers.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::hyper::{HyperExecutor, HyperTimer};
use executor::net::{TcpListener, UnixStream};
use executor::runtime::Builder;
use executor::time::Instant;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{self, Executor, Timer};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};

use crate::support::{each_runtime, pair, within, workers};

#[test]
fn requests_are_answered_over_one_connection() {
    each_runtime(|runtime| {
        within(30, || {
            runtime.block_on(async {
                let (client, server) = pair().await;
                request_over(client, server).await;
                let (client, server) = UnixStream::pair().unwrap();
                request_over(client, server).await;
            })
        })
    });
}

/// One connection between two sockets, with bodies of several sizes.
async fn request_over<S: rt::Read + rt::Write + Unpin + Send + 'static>(client: S, server: S) {
    let server = executor::spawn(serve(server));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(client).await.unwrap();
    let connection = executor::spawn(connection);
    for size in [0, 1, 100_000] {
        let body = Bytes::from(vec![b'x'; size]);
        let request = Request::post("/").header("host", "test");
        let request = request.body(Full::new(body.clone())).unwrap();
        sender.ready().await.unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let answer = response.into_body().collect().await.unwrap();
        assert_eq!(answer.to_bytes(), body);
    }
    drop(sender);
    connection.await.unwrap().unwrap();
    server.await.unwrap().unwrap();
}

#[test]
fn a_slow_head_is_given_up() {
    within(30, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let start = Instant::now();
            let error = serve(stream).await.unwrap_err();
            assert!(
                error.is_timeout() || error.to_string().contains("timeout"),
                "{error:?}"
            );
            assert!(start.elapsed() >= HEAD_TIME);
            let mut rest = Vec::new();
            // A reset is an end, too: the server has not read everything.
            let _ = client.read_to_end(&mut rest);
        });
    });
}

#[test]
fn a_timer_is_reset_in_place() {
    within(30, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let start = HyperTimer.now();
            let mut sleep = HyperTimer.sleep(Duration::from_secs(1));
            let place = (&raw const *sleep).cast::<()>();
            let mut cx = Context::from_waker(Waker::noop());
            assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);

            HyperTimer.reset(&mut sleep, start + Duration::from_secs(60));
            assert_eq!(
                (&raw const *sleep).cast::<()>(),
                place,
                "nothing was allocated"
            );
            sleep.as_mut().await;
            assert!(HyperTimer.now() >= start + Duration::from_secs(60));

            // Also after it has fired.
            HyperTimer.reset(&mut sleep, start + Duration::from_secs(90));
            sleep.as_mut().await;
            assert!(HyperTimer.now() >= start + Duration::from_secs(90));
            HyperTimer
                .sleep_until(start + Duration::from_secs(120))
                .await;
            assert!(HyperTimer.now() >= start + Duration::from_secs(120));
        });
    });
}

#[test]
fn the_executor_spawns() {
    within(30, || {
        let runtime = workers(1);
        let _entered = runtime.enter();
        let (sender, receiver) = mpsc::channel();
        HyperExecutor.execute(async move { sender.send(1).unwrap() });
        assert_eq!(receiver.recv(), Ok(1));
    });
}

async fn serve(stream: impl rt::Read + rt::Write + Unpin) -> hyper::Result<()> {
    let echo = |request: Request<Incoming>| async {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    };
    hyper::server::conn::http1::Builder::new()
        .timer(HyperTimer)
        .header_read_timeout(HEAD_TIME)
        .serve_connection(stream, service_fn(echo))
        .await
}

const HEAD_TIME: Duration = Duration::from_secs(30);
