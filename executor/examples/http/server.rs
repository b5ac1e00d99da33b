//! The server: accepts connections, answers requests, and on SIGINT finishes what it has begun.
//!
//! ```text
//!   SIGINT ──▶ the listener closes: ──▶ the connections are told: idle ones close, ──▶ all connections are closed:
//!              nobody gets in           the others answer their request first          the server has ended
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use executor::hyper::HyperTimer;
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use executor::task::JoinHandle;
use executor::time::{sleep, timeout};
use futures::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};

use crate::stop::{self, Stop};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Starts to serve, in a task. SIGINT ends it.
    pub(crate) async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // In a task rather than here: `main` runs on a thread of its own, and each connection would come from there to a worker.
        let task = executor::spawn(run(listener));
        Ok(Self { address, task })
    }

    /// Waits until SIGINT has come and every request is finished.
    pub(crate) async fn ended(self) -> io::Result<()> {
        self.task.await?
    }
}

async fn run(listener: TcpListener) -> io::Result<()> {
    let (stopper, stop) = stop::new();
    // The signal is asked first, so it is caught before the first connection gets in.
    match select(pin!(ctrl_c()), pin!(accept(listener, stop))).await {
        Either::Left((signal, _)) => signal?,
        Either::Right((never, _)) => match never {},
    }
    // `accept` is gone, and the listener with it.
    let finished = timeout(GRACE, stopper.stop());
    match select(pin!(finished), pin!(ctrl_c())).await {
        Either::Left((finished, _)) => Ok(finished?),
        Either::Right(_) => Err(io::Error::other(
            "interrupted again, with requests in flight",
        )),
    }
}

/// Gives each connection a task of its own. No error ends this.
async fn accept(listener: TcpListener, stop: Stop) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(executor::spawn(serve(stream, stop.clone()))),
            // One connection is gone again, or there are too many open files: then the next call waits a moment.
            Err(error) => eprintln!("accept: {error}"),
        }
    }
}

/// Answers what comes over a connection until either side ends it.
async fn serve(stream: TcpStream, mut stop: Stop) {
    // An answer is sent when it is written, not when the one before has been acknowledged. An error means that the
    // connection is gone, as hyper will find.
    let _ = stream.set_nodelay(true);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(HyperTimer)
            // Also ends connections that say nothing.
            .header_read_timeout(HEAD_TIME)
            .serve_connection(stream, service_fn(answer))
    );
    let mut told = false;
    let end = poll_fn(|cx| {
        if !told && stop.is_set(cx) {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    });
    // A client that goes away in the middle of a request is not the server's business.
    let _ = end.await;
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => Ok(Response::new(Full::from("Hello, World!"))),
        // Sends back what it gets, after a while.
        (&Method::POST, "/slow") => {
            let body = Limited::new(request.into_body(), LARGEST_BODY);
            let body = body.collect().await?.to_bytes();
            sleep(Duration::from_secs(1)).await;
            Ok(Response::new(Full::new(body)))
        }
        _ => {
            let mut response = Response::new(Full::from("there is GET / and POST /slow\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
    }
}

/// How long a client may take for the head of its next request.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long requests may go on after SIGINT.
const GRACE: Duration = Duration::from_secs(30);

const LARGEST_BODY: usize = 1 << 20;
