//! `Tracked`: a service, its answers and their bodies, which tell the connection's `Activity` where they are. Requests may leave upgrades.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use pin_project_lite::pin_project;

use super::activity::{Activity, UnderWay};
use super::piece::Piece;
use super::upgrade::Upgrades;

#[derive(Debug)]
pub(super) struct Tracked<S> {
    service: S,
    activity: Arc<Activity>,
    upgrades: Upgrades,
}

impl<S> Tracked<S> {
    pub(super) fn new(service: S, activity: Arc<Activity>, upgrades: Upgrades) -> Self {
        Self {
            service,
            activity,
            upgrades,
        }
    }
}

impl<R, S, B> Service<Request<R>> for Tracked<S>
where
    S: Service<Request<R>, Response = Response<B>>,
{
    type Response = Response<TrackedBody<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn call(&self, mut request: Request<R>) -> Self::Future {
        self.upgrades.offer(&mut request);
        let under_way = self.activity.begin();
        Answer {
            future: self.service.call(request),
            under_way: Some(under_way),
        }
    }
}

pin_project! {
    /// The service's future.
    pub(super) struct Answer<F> {
        #[pin]
        future: F,
        // Taken by the answer.
        under_way: Option<UnderWay>,
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<TrackedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        let mut under_way = this.under_way.take();
        if let Some(under_way) = &mut under_way {
            under_way.wait_for_client();
        }
        Poll::Ready(Ok(response.map(|body| TrackedBody { body, under_way })))
    }
}

pin_project! {
    /// The body of an answer.
    pub(super) struct TrackedBody<B> {
        #[pin]
        body: B,
        // Until all has been handed over.
        under_way: Option<UnderWay>,
    }
}

impl<B: Body> Body for TrackedBody<B> {
    type Data = Piece<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.body.poll_frame(cx);
        let unsent = match (&polled, this.under_way.as_mut()) {
            (Poll::Ready(Some(Ok(_))), Some(under_way)) => Some(under_way.hand_over()),
            (Poll::Ready(_), _) => {
                *this.under_way = None;
                None
            }
            (Poll::Pending, under_way) => {
                under_way.into_iter().for_each(UnderWay::wait_for_server);
                return Poll::Pending;
            }
        };
        polled.map_ok(|frame| frame.map_data(|data| Piece::new(data, unsent)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
