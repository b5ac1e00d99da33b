//! `Watch`: notices that a connection has stayed in a state for too long.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::time::{Instant, Sleep, sleep};

pin_project! {
    /// Looks once in each `limit`, which costs a request nothing: a state is noticed after one limit at least, and two at most.
    #[derive(Debug)]
    pub(super) struct Watch {
        limit: Duration,
        // What it has seen last.
        seen: Option<u64>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Watch {
    /// Without a limit nothing is ever noticed. `seen` is what a look would find now.
    pub(super) fn new(limit: Option<Duration>, seen: Option<u64>) -> Self {
        // One of zero would look for ever.
        let limit = limit.map(|limit| limit.max(Duration::from_millis(1)));
        Self {
            limit: limit.unwrap_or_default(),
            seen,
            sleep: limit.map(sleep),
        }
    }

    /// Ready when `look` has found the same as a limit before, and that was not `None`. May be polled again afterwards.
    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        look: impl Fn() -> Option<u64>,
    ) -> Poll<()> {
        let mut this = self.project();
        let Some(mut sleep) = this.sleep.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        loop {
            ready!(sleep.as_mut().poll(cx));
            sleep.as_mut().reset(Instant::after(*this.limit));
            let found = look();
            let before = std::mem::replace(this.seen, found);
            if found.is_some() && found == before {
                return Poll::Ready(());
            }
        }
    }
}
