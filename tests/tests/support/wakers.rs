//! Wakers from outside the runtime, and the plainest way to wait for a future.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};

/// Waits for a future on this thread, without any runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A waker that counts how often it is woken.
pub(crate) fn counting_waker() -> (Waker, Arc<AtomicUsize>) {
    struct Counting(Arc<AtomicUsize>);
    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    (Waker::from(Arc::new(Counting(count.clone()))), count)
}

/// Where a [`panicking_waker`] panics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PanicIn {
    Wake,
    Clone,
    Drop,
}

/// A waker that panics in one of its functions, also in those of its clones.
pub(crate) fn panicking_waker(place: PanicIn) -> Waker {
    let table = match place {
        PanicIn::Wake => &IN_WAKE,
        PanicIn::Clone => &IN_CLONE,
        PanicIn::Drop => &IN_DROP,
    };
    // SAFETY: the functions of the tables use no data, and may be called from any thread in any order.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), table)) }
}

static IN_WAKE: RawWakerVTable = RawWakerVTable::new(
    |_| RawWaker::new(std::ptr::null(), &IN_WAKE),
    |_| panic!("in wake"),
    |_| panic!("in wake"),
    |_| {},
);
static IN_CLONE: RawWakerVTable =
    RawWakerVTable::new(|_| panic!("in clone"), |_| {}, |_| {}, |_| {});
static IN_DROP: RawWakerVTable = RawWakerVTable::new(
    |_| RawWaker::new(std::ptr::null(), &IN_DROP),
    |_| {},
    |_| {},
    |_| panic!("in drop"),
);
