//! What can go wrong with a request.

use std::fmt;
use std::io;
use std::string::FromUtf8Error;

/// Why there is no response, or not all of it.
///
/// A status such as 404 is no error: it is what the server has answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL is none that this client can fetch; the text says why.
    Url(String),
    /// There is no connection: the name could not be looked up, nobody listens, the certificate is not to be trusted, or it took longer than
    /// [`connect_timeout`](super::ClientBuilder::connect_timeout) ([`TimedOut`](io::ErrorKind::TimedOut)).
    Connect(io::Error),
    /// The request or its answer took longer than [`timeout`](super::ClientBuilder::timeout).
    Timeout,
    /// What was sent or received is not HTTP, or the connection broke; or the request's body gave an error.
    Http(hyper::Error),
    /// The body is larger than [`body_limit`](super::ClientBuilder::body_limit), which is this many bytes.
    TooLarge(usize),
    /// The body is not UTF-8.
    NotText(FromUtf8Error),
}

impl Error {
    /// True if a time limit was to blame, that of the whole or that of connecting.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Connect(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "cannot fetch this URL: {why}"),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Timeout => f.write_str("the request took too long"),
            Self::Http(error) => write!(f, "HTTP failed: {error}"),
            Self::TooLarge(limit) => write!(f, "the body has more than {limit} bytes"),
            Self::NotText(error) => write!(f, "the body is not text: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::Http(error) => Some(error),
            Self::NotText(error) => Some(error),
            Self::Url(_) | Self::Timeout | Self::TooLarge(_) => None,
        }
    }
}
