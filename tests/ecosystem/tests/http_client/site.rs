//! Servers that the client is tried on.

use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use executor::hyper::HyperTimer;
use executor::io::AsyncReadExt;
use executor::net::{Server, TcpListener, TcpStream, serve};
use executor::sync::watch;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};

pub(super) type Page = Response<BoxBody<Bytes, Infallible>>;

/// A server on hyper, which keeps connections.
pub(super) struct Site {
    server: Server<SocketAddr>,
    requests: Arc<watch::Sender<usize>>,
}

impl Site {
    pub(super) async fn new<P, F>(page: P) -> Self
    where
        P: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Page> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let requests = Arc::new(watch::Sender::new(0));
        let (page, counted) = (Arc::new(page), requests.clone());
        let server = serve(listener, move |stream: TcpStream, _| {
            let (page, counted) = (page.clone(), counted.clone());
            async move {
                let service = service_fn(move |request| {
                    counted.send_modify(|requests| *requests += 1);
                    let page = page(request);
                    async { Ok::<_, Infallible>(page.await) }
                });
                // A client that breaks off is its own affair.
                let _ = hyper::server::conn::http1::Builder::new()
                    .timer(HyperTimer)
                    .serve_connection(stream, service)
                    .await;
            }
        });
        Self { server, requests }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.local_addr().unwrap()
    }

    pub(super) fn url(&self, path: impl Display) -> String {
        format!("http://{}/{path}", self.address())
    }

    pub(super) fn connections(&self) -> u64 {
        self.server.report().accepted
    }

    pub(super) fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until so many requests have come.
    pub(super) async fn has_had(&self, requests: usize) {
        let mut changes = self.requests.subscribe();
        changes.wait_for(|had| *had >= requests).await.unwrap();
    }
}

pub(super) fn whole(body: impl Into<Bytes>) -> Page {
    Response::new(Full::new(body.into()).boxed())
}

/// A server that does with each connection what it is told to.
pub(super) async fn raw<C, F>(connection: C) -> SocketAddr
where
    C: Fn(TcpStream) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = serve(listener, move |stream, _| connection(stream));
    let address = server.local_addr().unwrap();
    // Until the runtime ends.
    executor::spawn(async move { server.serve_forever().await });
    address
}

/// Reads the head of a request; empty at the end of the stream.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}
