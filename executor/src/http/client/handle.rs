//! `Client`: a request, and when it is made once more.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::bytes::Bytes;
use ::http::{Request, Response, Uri};
use ::hyper::body::Body as HttpBody;
use tower_service::Service;

use super::body::Sent;
use super::connection::Connector;
use super::origin::Origin;
use super::pool::{Lease, Pool};
use super::{Body, ClientBuilder, Error};
use crate::time::{Instant, timeout_at};

/// An HTTP client. Clones share their connections and limits.
///
/// A request waits for its place, if there are as many as there may be, takes a connection that waits, or makes one, and has both until the body of
/// the response has been read to its end, or was dropped. Requests in turn to one host, each read to the end before the next, go over one
/// connection.
///
/// A connection that the server has closed meanwhile is replaced. Where a request had already been sent over one that had been used before, it is
/// sent once more only if that can do no harm: its method is idempotent, as GET is, and it has no body. Else the error is returned.
///
/// Over HTTP/2 a request that fails, or is given up, leaves the connection to the others that share it. If the time of one is over, and nobody has been answered since
/// it was sent, the connection is taken for dead: the next requests go over a new one.
///
/// The connections are tasks of the runtime in which they are made; use a client in one runtime. When the last clone and the last body are dropped,
/// connections that wait are closed.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::http::Client;
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// use executor::net::{TcpListener, TcpStream, serve};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let server = serve(listener, |mut stream: TcpStream, _| async move {
///     // A request as short as this one comes at once.
///     let _ = stream.read(&mut [0; 1024]).await;
///     let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
///     let _ = stream.write_all(answer.as_bytes()).await;
///     std::future::pending().await
/// });
///
/// let client = Client::new();
/// let url = format!("http://{}/", server.local_addr()?);
/// let response = client.get(url).await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.into_body().text().await?, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[doc(alias = "ClientSession")]
#[doc(alias = "TCPConnector")]
pub struct Client {
    pub(super) pool: Arc<Pool>,
    pub(super) connector: Connector,
    pub(super) timeout: Duration,
    pub(super) body_limit: usize,
}

impl Client {
    /// A client with the limits that [`ClientBuilder`] begins with.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A client with other limits.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Asks for `url`.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the request is given up.
    pub async fn get<U>(&self, url: U) -> Result<Response<Body>, Error>
    where
        U: TryInto<Uri>,
        U::Error: StdError,
    {
        let url = url
            .try_into()
            .map_err(|error| Error::Url(error.to_string()))?;
        let mut request = Request::new(Sent::Nothing);
        *request.uri_mut() = url;
        self.send_in_time(request).await
    }

    /// Sends a request, whose URL must be a whole one, and returns the head of the response, whatever its status is. The body is read from it.
    ///
    /// The header `host` is added if it is not there. A `String` is a body; the crate `http-body-util` has more.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the request is given up. Whether the server has seen it is not known then.
    pub async fn request<B>(&self, request: Request<B>) -> Result<Response<Body>, Error>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.send_in_time(request.map(Sent::new)).await
    }

    async fn send_in_time(&self, request: Request<Sent>) -> Result<Response<Body>, Error> {
        let deadline = Instant::after(self.timeout);
        match timeout_at(deadline, self.send(request, deadline)).await {
            Ok(response) => response,
            Err(_) => Err(Error::Timeout),
        }
    }

    async fn send(
        &self,
        mut request: Request<Sent>,
        deadline: Instant,
    ) -> Result<Response<Body>, Error> {
        let url = request.uri().clone();
        let mut lease = Lease::acquire(&self.pool, Origin::of(&url)?, deadline).await;
        if !request.body().is_nothing() {
            lease.may_outlast_its_answer();
        }
        let mut may_repeat = true;
        loop {
            let is_reused = lease.reuse().await;
            if !is_reused {
                lease.connect(&self.connector).await?;
            }
            let may_fail = is_reused && may_repeat;
            let again = may_fail.then(|| repeated(&request)).flatten();
            let mut error = match lease.send(request).await {
                Ok(response) => {
                    let limit = self.body_limit;
                    return Ok(response.map(|body| Body::new(body, lease, deadline, limit)));
                }
                Err(error) => error,
            };
            // One that others share may live, and refuse the same request for ever.
            may_repeat &= !lease.fail();
            request = match (error.take_message(), again) {
                (Some(mut unsent), _) if is_reused => {
                    *unsent.uri_mut() = url.clone();
                    unsent
                }
                (None, Some(again)) => again,
                _ => return Err(Error::Http(error.into_error())),
            };
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// For layers of tower. It is always ready: requests wait for their places later.
impl<B> Service<Request<B>> for Client
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (client, request) = (self.clone(), request.map(Sent::new));
        Box::pin(async move { client.send_in_time(request).await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connector.timeout)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

/// The same request once more, if it does no harm to make it twice, and there is no body that is gone.
fn repeated(request: &Request<Sent>) -> Option<Request<Sent>> {
    let is_harmless = request.method().is_idempotent() && request.body().is_nothing();
    is_harmless.then(|| {
        let mut again = Request::new(Sent::Nothing);
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.version_mut() = request.version();
        *again.headers_mut() = request.headers().clone();
        *again.extensions_mut() = request.extensions().clone();
        again
    })
}
