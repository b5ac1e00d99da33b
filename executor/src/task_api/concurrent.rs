//! `concurrent`: futures that take turns inside of one task, and may borrow what is around it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt};
use pin_project_lite::pin_project;

use crate::rt_sync::whole::Mutex;

/// Runs an async closure, and what it spawns into the scope that it is given, all inside the calling task. Ready with the closure's
/// output when all have ended.
///
/// The children may borrow what is outside of the closure, because they are a part of this future: they are polled when it is, and dropped with
/// it. So they take turns and never run at the same time; what should run in parallel is [spawned](crate::spawn). A child that is woken
/// costs one poll, however many there are. A panic of one passes through the whole.
///
/// The children may not borrow the closure's own variables, which may go before them.
///
/// # Cancel safety
///
/// Dropping it drops the closure's future and all children.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::concurrent;
///
/// let words = vec!["one".to_string(), "two".to_string()];
/// let total = concurrent(async |scope| {
///     let lengths: Vec<_> = words.iter().map(|word| scope.spawn(async { word.len() })).collect();
///     let mut total = 0;
///     for length in lengths {
///         total += length.await;
///     }
///     total
/// });
/// assert_eq!(total.await, 6);
/// # });
/// ```
///
/// ```compile_fail
/// executor::task::concurrent(async |scope| {
///     let inside = String::new();
///     scope.spawn(async { inside.len() });
/// });
/// ```
#[doc(alias = "open_nursery")]
pub fn concurrent<'env, F, B>(body: F) -> Concurrent<'env, B>
where
    F: FnOnce(ConcurrentScope<'env>) -> B,
    B: Future,
{
    let scope = ConcurrentScope(Arc::new(Mutex::new(Some(Incoming::default()))));
    Concurrent {
        body: body(scope.clone()),
        output: None,
        children: FuturesUnordered::new(),
        scope,
    }
}

pin_project! {
    /// The future of [`concurrent`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Concurrent<'env, B: Future> {
        #[pin]
        body: B,
        output: Option<B::Output>,
        children: FuturesUnordered<Child<'env>>,
        scope: ConcurrentScope<'env>,
    }

    impl<B: Future> PinnedDrop for Concurrent<'_, B> {
        fn drop(this: Pin<&mut Self>) {
            // A child that is not polled yet, and holds the scope, would hold itself.
            this.scope.close();
        }
    }
}

/// Where the children of a [`concurrent`] are spawned. The children may have it, too, and other tasks and threads.
#[derive(Clone)]
pub struct ConcurrentScope<'env>(Arc<Mutex<Option<Incoming<'env>>>>);

/// What was spawned since the last poll. There is none once the scope has ended.
#[derive(Default)]
struct Incoming<'env> {
    children: Vec<Child<'env>>,
    /// While the whole waits: what comes then comes from elsewhere, and nobody else would have it polled.
    waker: Option<Waker>,
}

type Child<'env> = Pin<Box<dyn Future<Output = ()> + Send + 'env>>;

impl<'env> ConcurrentScope<'env> {
    /// Adds a child. It is polled soon, by the task that awaits the whole, whether or not the handle is awaited; dropping that changes nothing.
    ///
    /// Once the scope has ended, which a destructor may see, the future is dropped.
    pub fn spawn<F>(&self, future: F) -> ConcurrentHandle<F::Output>
    where
        F: Future + Send + 'env,
        F::Output: Send + 'env,
    {
        let (send, output) = oneshot::channel();
        let child: Child<'env> = Box::pin(async move {
            // An error says that nobody wants it.
            let _ = send.send(future.await);
        });
        let mut incoming = self.0.lock();
        let (waker, refused) = match &mut *incoming {
            Some(incoming) => {
                incoming.children.push(child);
                (incoming.waker.take(), None)
            }
            None => (None, Some(child)),
        };
        drop(incoming);
        drop(refused);
        waker.into_iter().for_each(Waker::wake);
        ConcurrentHandle(output)
    }

    /// Moves the new children to the others. True: there were some. The next one wakes `waker`, if there is one.
    fn move_to(&self, children: &FuturesUnordered<Child<'env>>, waker: Option<&Waker>) -> bool {
        // Cloned and dropped without the lock.
        let waker = waker.cloned();
        let (new, _old) = match &mut *self.0.lock() {
            Some(incoming) => (
                std::mem::take(&mut incoming.children),
                std::mem::replace(&mut incoming.waker, waker),
            ),
            None => (Vec::new(), waker),
        };
        let any = !new.is_empty();
        new.into_iter().for_each(|child| children.push(child));
        any
    }

    fn close(&self) {
        let left = self.0.lock().take();
        // Not under the lock.
        drop(left);
    }
}

impl<B: Future> Future for Concurrent<'_, B> {
    type Output = B::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output> {
        let this = self.project();
        // What this poll itself spawns is seen by it.
        this.scope.move_to(this.children, None);
        if this.output.is_none()
            && let Poll::Ready(output) = this.body.poll(cx)
        {
            *this.output = Some(output);
        }
        loop {
            this.scope.move_to(this.children, None);
            match this.children.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => {}
                // The latest poll may have spawned, and others do at any time.
                _ if this.scope.move_to(this.children, Some(cx.waker())) => {}
                Poll::Ready(None) if this.output.is_some() => break,
                _ => return Poll::Pending,
            }
        }
        this.scope.close();
        Poll::Ready(this.output.take().expect("looked at above"))
    }
}

/// The output of a child of a [`concurrent`]. Dropping it changes nothing.
///
/// # Panics
///
/// Awaiting it outside of its scope, once that was dropped, panics.
///
/// # Cancel safety
///
/// Awaiting `&mut handle` is cancel safe.
#[derive(Debug)]
pub struct ConcurrentHandle<T>(oneshot::Receiver<T>);

impl<T> Future for ConcurrentHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let output = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(output.unwrap_or_else(|oneshot::Canceled| {
            panic!("the child of a `concurrent` was dropped with it: await its handle inside")
        }))
    }
}

impl<B: Future> fmt::Debug for Concurrent<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Concurrent")
            .field("children", &self.children.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConcurrentScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentScope").finish_non_exhaustive()
    }
}
