//! `generate`: an async function that emits values becomes a stream.
//!
//! The function and whoever takes its values are one task, and share a place for one value:
//! ```text
//!   poll_next ──polls──▶ body ── emit: value into the place, Pending ──▶ poll_next takes it out: Ready(value)
//!   poll_next ──polls──▶ body ── emit: the place is empty, Ready ──▶ the body goes on
//! ```
//! So the body is never ahead by more than the value that was asked for. The place has a lock only because an emitter may be sent elsewhere.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use pin_project_lite::pin_project;

use crate::rt_sync::whole::Mutex;

/// Makes a stream of `body`, which is called with an [`Emitter`] when the first value is asked for.
///
/// It is lazy: the body runs while a value is asked for, in the task that asks, and waits in [`emit`](Emitter::emit) until the next one is. The
/// stream ends with the body. Dropped before that, it drops the body where it waits: what the body has locked, opened or counted is given
/// back by destructors. Clean-up that has to wait does not happen then: see [`with_resource`](crate::task::with_resource).
///
/// # Panics
///
/// A panic of the body is one of whoever asks for the value.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::stream::{self, StreamExt};
///
/// fn squares() -> impl executor::stream::Stream<Item = u64> {
///     stream::generate(async |mut out| {
///         let mut n = 0;
///         loop {
///             out.emit(n * n).await;
///             n += 1;
///         }
///     })
/// }
/// let first: Vec<_> = squares().take(4).collect().await;
/// assert_eq!(first, [0, 1, 4, 9]);
/// # });
/// ```
#[doc(alias = "yield")]
#[doc(alias = "async_generator")]
#[doc(alias = "as_safe_channel")]
pub fn generate<T, B, F>(body: B) -> Generate<T, B, F>
where
    B: FnOnce(Emitter<T>) -> F,
    F: Future<Output = ()>,
{
    Generate {
        body: Body::new(body),
    }
}

/// As [`generate`], for a body that may fail: its error is the last item.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::stream::{self, TryStreamExt};
///
/// let numbers = stream::try_generate(async |mut out| {
///     for word in ["1", "2", "three"] {
///         out.emit(word.parse::<u32>()?).await;
///     }
///     Ok::<_, std::num::ParseIntError>(())
/// });
/// let mut numbers = std::pin::pin!(numbers);
/// assert_eq!(numbers.try_next().await, Ok(Some(1)));
/// assert_eq!(numbers.try_next().await, Ok(Some(2)));
/// assert!(numbers.try_next().await.is_err());
/// assert_eq!(numbers.try_next().await, Ok(None));
/// # });
/// ```
pub fn try_generate<T, E, B, F>(body: B) -> TryGenerate<T, E, B, F>
where
    B: FnOnce(Emitter<T>) -> F,
    F: Future<Output = Result<(), E>>,
{
    TryGenerate {
        body: Body::new(body),
    }
}

/// Where the body of a [`generate`] puts its values.
pub struct Emitter<T>(Arc<Mutex<Place<T>>>);

struct Place<T> {
    value: Option<T>,
    /// Waits for the value to be taken out. It is the stream's own, or one that something inside of the body made of it.
    emitter: Option<Waker>,
    /// Waits for a value, while the body is not being polled.
    stream: Option<Waker>,
}

impl<T> Emitter<T> {
    /// Gives a value to whoever has asked for it, and waits until the next one is asked for.
    ///
    /// It belongs in the body. Sent elsewhere, to a task for example, it works as long as the body is there; once the stream has ended or is gone
    /// it waits for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was polled, it has emitted nothing. After that the value is given out whatever happens.
    pub async fn emit(&mut self, value: T) {
        let mut value = Some(value);
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let (poll, stream, old) = {
                let mut place = self.0.lock();
                if place.value.is_some() {
                    // Also of an earlier call, which was dropped while it waited.
                    (Poll::Pending, None, place.emitter.replace(waker))
                } else if let Some(value) = value.take() {
                    place.value = Some(value);
                    let old = place.emitter.replace(waker);
                    (Poll::Pending, place.stream.take(), old)
                } else {
                    (Poll::Ready(()), None, Some(waker))
                }
            };
            drop(old);
            stream.into_iter().for_each(Waker::wake);
            poll
        })
        .await;
    }
}

impl<T> fmt::Debug for Emitter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").finish_non_exhaustive()
    }
}

pin_project! {
    /// The stream that [`generate`] makes.
    #[must_use = "streams do nothing unless they are polled"]
    pub struct Generate<T, B, F> {
        #[pin]
        body: Body<T, B, F, ()>,
    }
}

pin_project! {
    /// The stream that [`try_generate`] makes.
    #[must_use = "streams do nothing unless they are polled"]
    pub struct TryGenerate<T, E, B, F> {
        #[pin]
        body: Body<T, B, F, Result<(), E>>,
    }
}

pin_project! {
    struct Body<T, B, F, R> {
        // Until the first poll.
        start: Option<B>,
        place: Arc<Mutex<Place<T>>>,
        // While it runs.
        #[pin]
        running: Option<F>,
        // Until it is given out.
        end: Option<R>,
    }
}

/// What is given out.
enum Item<T, R> {
    Value(T),
    /// The last one.
    End(R),
}

impl<T, B, F, R> Body<T, B, F, R>
where
    B: FnOnce(Emitter<T>) -> F,
    F: Future<Output = R>,
{
    fn new(body: B) -> Self {
        Self {
            start: Some(body),
            place: Arc::new(Mutex::new(Place {
                value: None,
                emitter: None,
                stream: None,
            })),
            running: None,
            end: None,
        }
    }

    /// `None`: it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item<T, R>>> {
        let mut this = self.project();
        if let Some(start) = this.start.take() {
            let future = start(Emitter(this.place.clone()));
            this.running.set(Some(future));
        }
        // A value that came while the body was not polled, or whose call was dropped.
        if let Some(value) = take(this.place, cx) {
            return Poll::Ready(Some(Item::Value(value)));
        }
        if let Some(running) = this.running.as_mut().as_pin_mut() {
            match running.poll(cx) {
                Poll::Ready(end) => {
                    this.running.set(None);
                    *this.end = Some(end);
                }
                Poll::Pending => return leave_waker(this.place, cx).map(|v| Some(Item::Value(v))),
            }
            if let Some(value) = this.place.lock().value.take() {
                return Poll::Ready(Some(Item::Value(value)));
            }
        }
        Poll::Ready(this.end.take().map(Item::End))
    }
}

/// Takes a value that is there, or else lets the emitter go on: because now the next one is asked for.
fn take<T>(place: &Mutex<Place<T>>, cx: &Context<'_>) -> Option<T> {
    let (emitter, _old) = {
        let mut place = place.lock();
        if let Some(value) = place.value.take() {
            return Some(value);
        }
        (place.emitter.take(), place.stream.take())
    };
    // Our own waker would call us, who poll the body now anyway.
    emitter
        .filter(|emitter| !emitter.will_wake(cx.waker()))
        .into_iter()
        .for_each(Waker::wake);
    None
}

/// Takes the value of the poll that has ended, or leaves a waker for one that comes from elsewhere.
fn leave_waker<T>(place: &Mutex<Place<T>>, cx: &Context<'_>) -> Poll<T> {
    let waker = cx.waker().clone();
    let mut place = place.lock();
    match place.value.take() {
        Some(value) => {
            drop(place);
            Poll::Ready(value)
        }
        None => {
            place.stream = Some(waker);
            Poll::Pending
        }
    }
}

impl<T, B, F> Stream for Generate<T, B, F>
where
    B: FnOnce(Emitter<T>) -> F,
    F: Future<Output = ()>,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.project().body.poll(cx).map(|item| match item? {
            Item::Value(value) => Some(value),
            Item::End(()) => None,
        })
    }
}

impl<T, E, B, F> Stream for TryGenerate<T, E, B, F>
where
    B: FnOnce(Emitter<T>) -> F,
    F: Future<Output = Result<(), E>>,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        self.project().body.poll(cx).map(|item| match item? {
            Item::Value(value) => Some(Ok(value)),
            Item::End(end) => end.err().map(Err),
        })
    }
}

impl<T, B, F> fmt::Debug for Generate<T, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generate").finish_non_exhaustive()
    }
}

impl<T, E, B, F> fmt::Debug for TryGenerate<T, E, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryGenerate").finish_non_exhaustive()
    }
}
