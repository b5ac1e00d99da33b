//! The server by hyper: HTTP/1, one short answer to everything. Generic over the runtime; `net` loads it.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::Result;
use crate::peers::Sockets;
use crate::process::answer_usage;
#[cfg(feature = "sockets")]
use crate::process::more_descriptors;

/// Serves on `port` of this machine, prints which it is, and answers for its usage until the standard input ends. If so told, every
/// so-manieth request keeps its thread for 20 ms.
pub(crate) fn serve<R: Sockets>(workers: usize, port: u16, stall_every: Option<u64>) -> Result {
    let runtime = R::start(workers)?;
    let port = runtime.block_on(async {
        let listener = R::bind((Ipv4Addr::LOCALHOST, port).into()).await?;
        let port = R::local_addr(&listener)?.port();
        R::spawn_detached(accept::<R>(listener, stall_every));
        Result::Ok(port)
    })?;
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

/// The same by our own `http::serve`, with the limits that it has unless told otherwise.
#[cfg(feature = "sockets")]
pub(crate) fn serve_with_limits(workers: usize, port: u16) -> Result {
    use crate::peers::{Executor, Runtime};

    more_descriptors()?;
    let runtime = Executor::start(workers)?;
    let port = runtime.block_on(async {
        let listener = executor::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let server = executor::http::serve(listener, service_fn(|request| hello(request, None)));
        // It ends with the process.
        executor::spawn(async move { server.serve_forever().await });
        Result::Ok(port)
    })?;
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

async fn accept<R: Sockets>(mut listener: R::Listener, stall_every: Option<u64>) {
    loop {
        let stream = R::accept(&mut listener)
            .await
            .expect("the load takes few descriptors");
        // No header timeout, for either runtime.
        let service = service_fn(move |request| hello(request, stall_every));
        let connection = http1::Builder::new().serve_connection(stream, service);
        R::spawn_detached(async move {
            // The load ends by closing its connections.
            let _ = connection.await;
        });
    }
}

async fn hello(
    _: Request<Incoming>,
    stall_every: Option<u64>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    if let Some(every) = stall_every {
        // Relaxed: only the number matters.
        if REQUESTS.fetch_add(1, Relaxed) % every == every - 1 {
            thread::sleep(STALL);
        }
    }
    let mut response = Response::new(Full::new(Bytes::from_static(b"Hello, World!")));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// Counted only if every so-manieth stalls.
static REQUESTS: AtomicU64 = AtomicU64::new(0);
const STALL: Duration = Duration::from_millis(20);
