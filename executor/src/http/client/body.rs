//! The bodies: any that a user sends, as one type; and the response's, which gives its connection back when it has been read.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use ::bytes::Bytes;
use ::hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::Error;
use super::pool::Lease;
use crate::time::{Instant, Sleep, sleep_until};

/// The body of a response.
///
/// [`bytes`](Self::bytes) and [`text`](Self::text) read it whole. Piece by piece it is read through hyper's trait
/// [`Body`](hyper::body::Body), for which the crate `http-body-util` has methods.
///
/// As long as it has not been read to its end, the connection is in use, and the response has its place among those that the client may have.
/// The client's [`timeout`](super::ClientBuilder::timeout) goes on, too. To drop it before its end closes an HTTP/1 connection.
pub struct Body {
    incoming: Incoming,
    /// Until the end.
    lease: Option<Lease>,
    deadline: Instant,
    /// Once it had to be waited for.
    alarm: Option<Pin<Box<Sleep>>>,
    limit: usize,
}

impl Body {
    pub(super) fn new(incoming: Incoming, lease: Lease, deadline: Instant, limit: usize) -> Self {
        let mut body = Self {
            incoming,
            lease: Some(lease),
            deadline,
            alarm: None,
            limit,
        };
        body.give_back_if_ended();
        body
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], [`Error::Timeout`], or that the connection broke.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read is lost with the future.
    #[doc(alias = "read")]
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.read().await?.into())
    }

    /// Reads all of it, as text.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), and [`Error::NotText`] if it is not UTF-8, whatever the headers say.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read is lost with the future.
    pub async fn text(self) -> Result<String, Error> {
        String::from_utf8(self.read().await?).map_err(Error::NotText)
    }

    async fn read(mut self) -> Result<Vec<u8>, Error> {
        let limit = self.limit;
        let announced = usize::try_from(self.incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(Error::TooLarge(limit));
        }
        let mut whole = Vec::with_capacity(announced);
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
            // The other kind is trailers.
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if data.len() > limit - whole.len() {
                return Err(Error::TooLarge(limit));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole)
    }

    fn give_back_if_ended(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        alarm.as_mut().poll(cx)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                // Who knows the length may not ask again.
                self.give_back_if_ended();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.lease = None;
                Poll::Ready(Some(Err(Error::Http(error))))
            }
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_alarm(cx).map(|()| {
                self.lease = None;
                Some(Err(Error::Timeout))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("size", &self.incoming.size_hint())
            .field("has_ended", &self.lease.is_none())
            .finish()
    }
}

/// The body of a request.
pub(super) enum Sent {
    Nothing,
    Boxed(Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>),
}

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

impl Sent {
    pub(super) fn new<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Self::Nothing;
        }
        Self::Boxed(Box::pin(SameError { body }))
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Nothing => Poll::Ready(None),
            Self::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Nothing => SizeHint::with_exact(0),
            Self::Boxed(body) => body.size_hint(),
        }
    }
}

pin_project_lite::pin_project! {
    /// A body whose errors are boxed.
    struct SameError<B> {
        #[pin]
        body: B,
    }
}

impl<B> HttpBody for SameError<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = self.project().body.poll_frame(cx);
        frame.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
