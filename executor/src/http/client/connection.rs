//! How a connection is made, and what goes over it.

use std::io;
use std::time::Duration;

use ::http::header::HOST;
use ::http::uri::PathAndQuery;
use ::http::{HeaderValue, Request, Response, Uri, Version};
use ::hyper::body::Incoming;
use ::hyper::client::conn::{TrySendError, http1, http2};
use ::hyper::rt::{Read, Write};

use super::Error;
use super::body::Sent;
use super::origin::Origin;
#[cfg(feature = "tls")]
use crate::hyper::{HyperExecutor, HyperTimer};
use crate::net::TcpStream;
use crate::task::{AbortHandle, Id};
use crate::time::timeout;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) timeout: Duration,
    #[cfg(feature = "tls")]
    pub(super) tls: super::tls::Tls,
}

impl Connector {
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Sender, Error> {
        match timeout(self.timeout, self.connect_for_ever(origin)).await {
            Ok(connected) => connected,
            Err(_) => {
                let Origin { host, port, .. } = origin;
                let text = format!("{host}:{port} has not answered in {:?}", self.timeout);
                Err(Error::Connect(io::Error::new(
                    io::ErrorKind::TimedOut,
                    text,
                )))
            }
        }
    }

    async fn connect_for_ever(&self, origin: &Origin) -> Result<Sender, Error> {
        let stream = connect_tcp(origin).await.map_err(Error::Connect)?;
        #[cfg(feature = "tls")]
        if origin.is_https {
            let secured = self.tls.connect(&origin.host, stream).await;
            let secured = secured.map_err(Error::Connect)?;
            let sender = match secured.is_h2() {
                true => shared(secured).await,
                false => single(secured).await,
            };
            return sender.map_err(Error::Http);
        }
        single(stream).await.map_err(Error::Http)
    }
}

async fn connect_tcp(origin: &Origin) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_any((&*origin.host, origin.port)).await?;
    // A request is written whole: nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// HTTP/1: one request at a time.
async fn single<IO>(io: IO) -> hyper::Result<Sender>
where
    IO: Read + Write + Unpin + Send + 'static,
{
    let (requests, connection) = http1::handshake(io).await?;
    // It moves the bytes, and ends when nobody can send requests any more. Its error is the sender's, too.
    let connection = crate::spawn(connection.with_upgrades()).abort_handle();
    Ok(Sender::Single(Single {
        requests,
        connection,
    }))
}

/// HTTP/2: many requests at a time.
#[cfg(feature = "tls")]
async fn shared<IO>(io: IO) -> hyper::Result<Sender>
where
    IO: Read + Write + Unpin + Send + 'static,
{
    let mut builder = http2::Builder::new(HyperExecutor);
    let (requests, connection) = builder.timer(HyperTimer).handshake(io).await?;
    let connection = crate::spawn(connection).id();
    Ok(Sender::Shared(Shared {
        requests,
        connection,
    }))
}

/// Where requests go in.
pub(super) enum Sender {
    Single(Single),
    Shared(Shared),
}

/// A connection that does one request at a time. What is half done on it can only be ended by ending it.
pub(super) struct Single {
    pub(super) requests: http1::SendRequest<Sent>,
    pub(super) connection: AbortHandle,
}

/// A connection for many requests at a time. One of them may fail, and the connection live.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) requests: http2::SendRequest<Sent>,
    /// Which one it is.
    pub(super) connection: Id,
}

impl Sender {
    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::Single(single) => single.requests.ready().await,
            Self::Shared(shared) => shared.requests.ready().await,
        }
    }

    /// Sends a request with a whole URL, which the error gives back as it was sent, if it was not.
    pub(super) async fn send(
        &mut self,
        mut request: Request<Sent>,
        origin: &Origin,
    ) -> Result<Response<Incoming>, TrySendError<Request<Sent>>> {
        match self {
            Self::Single(single) => {
                suit_http1(&mut request, origin);
                single.requests.try_send_request(request).await
            }
            Self::Shared(shared) => shared.requests.try_send_request(request).await,
        }
    }
}

/// In HTTP/1 the host is a header, and the URL begins with the path.
fn suit_http1(request: &mut Request<Sent>, origin: &Origin) {
    if request.version() == Version::HTTP_2 {
        *request.version_mut() = Version::HTTP_11;
    }
    if !request.headers().contains_key(HOST)
        && let Some(host) = host(request.uri(), origin)
    {
        request.headers_mut().insert(HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
}

fn host(url: &Uri, origin: &Origin) -> Option<HeaderValue> {
    let is_default = origin.port == if origin.is_https { 443 } else { 80 };
    let authority = url.authority()?;
    let host = match is_default {
        true => authority.host(),
        false => authority.as_str(),
    };
    HeaderValue::from_str(host).ok()
}
