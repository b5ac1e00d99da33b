//! `yield_now`: a task steps back behind those that are ready.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::task;

/// Lets the other tasks that are ready run first.
///
/// # Cancel safety
///
/// Cancel safe: it does nothing but wait.
#[doc(alias = "sleep0")]
#[doc(alias = "checkpoint")]
pub fn yield_now() -> impl Future<Output = ()> {
    YieldNow { yielded: false }
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        task::step_back(cx.waker());
        Poll::Pending
    }
}
