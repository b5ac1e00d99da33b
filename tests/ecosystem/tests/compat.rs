//! What needs a tokio, beside our own: under `tokio_compat`.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use executor::net::TcpListener;
use executor::time::{sleep, timeout};
use executor::tokio_compat::in_tokio;
use tokio::sync::oneshot;

use crate::{PATIENCE, run};

/// An `axum::serve` in tokio's hands, and what ends it.
async fn axum_server() -> (
    SocketAddr,
    oneshot::Sender<()>,
    executor::task::JoinHandle<()>,
) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, address) = oneshot::channel();
    let server = executor::spawn(in_tokio(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        tell.send(listener.local_addr().unwrap()).unwrap();
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/echo", post(async |body: String| body))
            .route(
                "/thread",
                get(async || thread::current().name().unwrap_or_default().to_owned()),
            );
        let stopped = async { stopped.await.unwrap_or_default() };
        axum::serve(listener, router)
            .with_graceful_shutdown(stopped)
            .await
            .unwrap();
    }));
    (address.await.unwrap(), stop, server)
}

#[test]
fn reqwest_talks_to_axum_serve_and_both_end() {
    run(async {
        let (address, stop, server) = axum_server().await;
        in_tokio(async {
            let client = reqwest::Client::new();
            for _ in 0..20 {
                let response = client.get(format!("http://{address}/")).send().await;
                assert_eq!(response.unwrap().text().await.unwrap(), "hello");
            }
            let large = "x".repeat(1 << 20);
            let url = format!("http://{address}/echo");
            let response = client.post(url).body(large.clone()).send().await.unwrap();
            assert!(response.text().await.unwrap() == large);
        })
        .await;
        stop.send(()).unwrap();
        server.await.unwrap();
    });
}

#[test]
fn what_is_spawned_there_runs_on_tokios_thread_and_the_future_itself_on_ours() {
    run(async {
        let (address, _stop, server) = axum_server().await;
        let here = thread::current().name().map(str::to_owned);
        let (name, there) = in_tokio(async {
            let url = format!("http://{address}/thread");
            let there = reqwest::get(url).await.unwrap().text().await.unwrap();
            // Workers may change at an await.
            (thread::current().name().map(str::to_owned), there)
        })
        .await;
        let is_worker = |name: &Option<String>| name.as_ref().is_some_and(|n| n != &there);
        assert!(is_worker(&here) && is_worker(&name), "{here:?}, {name:?}");
        assert!(there.starts_with("async-compat"), "{there}");
        server.abort();
    });
}

#[test]
fn our_sockets_and_timers_work_beside_tokios() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ours = executor::spawn(async move { listener.accept().await.unwrap().0 });
        in_tokio(async move {
            let _theirs = tokio::net::TcpStream::connect(address).await.unwrap();
            let one = tokio::time::sleep(Duration::from_millis(2));
            let other = sleep(Duration::from_millis(2));
            futures::future::join(one, other).await;
            ours.await.unwrap();
        })
        .await;
    });
}

#[test]
fn a_future_that_is_given_up_is_dropped_inside_of_tokio() {
    struct AsksAtItsEnd;
    impl Drop for AsksAtItsEnd {
        fn drop(&mut self) {
            tokio::runtime::Handle::current();
        }
    }
    run(async {
        let never = in_tokio(async {
            let _asks = AsksAtItsEnd;
            tokio::time::sleep(2 * PATIENCE).await;
        });
        timeout(Duration::from_millis(5), never).await.unwrap_err();
    });
}

#[test]
fn outside_of_it_there_is_no_tokio() {
    run(async {
        in_tokio(async {}).await;
        assert!(tokio::runtime::Handle::try_current().is_err());
    });
}
