//! `yield_now`: a task steps back behind those that are ready.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets the other tasks that are ready run first.
///
/// # Cancel safety
///
/// Cancel safe: it does nothing but wait.
#[doc(alias = "sleep0")]
#[doc(alias = "checkpoint")]
pub async fn yield_now() {
    YieldNow { yielded: false }.await;
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
        // A wake during the poll puts the task behind all others of its worker.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
