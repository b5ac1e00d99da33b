//! `CancelScope`: a part of a task that is cancelled apart from the rest, by hand or at a deadline.

use std::borrow::Cow;
use std::future::{Future, IntoFuture};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::task::{Cancelled, Deadline, Rare, Region, Runner, Scope, nearest_request};
use crate::time::{Instant, Sleep, sleep_until};

/// A part of a task that can be cancelled, by [`cancel`](Self::cancel) from anywhere or when its deadline comes.
///
/// [`run`](Self::run) takes the future that is that part. Clones are handles to the same scope. Scopes nest: what is asked of an outer one is asked of
/// those inside.
///
/// What in the future hears of the request, [`or_cancelled`](super::FutureExt::or_cancelled) or a scope inside, gets the error where it waits. If
/// nothing does, the future is dropped where it waits, and `run` returns the error. A [`shield`](super::shield) keeps the request off for a while.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::CancelScope;
/// use std::time::Duration;
///
/// let scope = CancelScope::with_timeout(Duration::from_millis(10));
/// let result = scope.run(std::future::pending::<()>()).await;
/// assert!(result.is_err() && scope.is_cancelled());
///
/// let scope = CancelScope::new();
/// let handle = scope.clone();
/// executor::spawn(async move { handle.cancel("the user has left") });
/// let error = scope.run(std::future::pending::<()>()).await.unwrap_err();
/// assert_eq!(error.reason(), "the user has left");
/// # });
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "move_on_after")]
#[doc(alias = "move_on_at")]
#[doc(alias = "fail_after")]
#[doc(alias = "fail_at")]
#[doc(alias = "timeout_after")]
#[doc(alias = "ignore_after")]
pub struct CancelScope(Scope);

impl CancelScope {
    /// Without a deadline.
    pub fn new() -> Self {
        Self(Scope::new())
    }

    /// Cancelled at `deadline`, if it runs then.
    #[track_caller]
    pub fn with_deadline(deadline: Instant) -> Self {
        let scope = Self::new();
        scope.set_deadline(Some(deadline));
        scope
    }

    /// Cancelled when `timeout` has passed from now on.
    #[track_caller]
    pub fn with_timeout(timeout: Duration) -> Self {
        Self::with_deadline(Instant::after(timeout))
    }

    /// Asks what runs in the scope, or will, to end. Of several requests the first one counts.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        self.0.cancel(&Cancelled::new(reason));
    }

    /// True once it, or the scope or task around it while it runs, was asked to cancel; also if what runs in it goes on, or has ended by itself.
    #[doc(alias = "cancel_called")]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_requested()
    }

    /// The request, if it has come.
    pub fn cancelled(&self) -> Option<Cancelled> {
        self.0.request()
    }

    /// When it will be cancelled. That scopes around it have earlier deadlines is not considered: see
    /// [`effective_deadline`](super::effective_deadline).
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline().map(Instant::from_std)
    }

    /// Sets another deadline, or none, at any time. What has been cancelled stays so.
    #[track_caller]
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        // The place of the call is known here only, not when the time has come.
        let request = Cancelled::new("the deadline has passed");
        self.0
            .set_deadline(deadline.map(|at| (at.into_std(), request)));
    }

    /// Runs `future` in the scope. A scope is for one run: of several calls the first counts.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the future was dropped, or not begun, because of a request. One that ends by itself gives its output all the same.
    ///
    /// # Panics
    ///
    /// Polling panics if the scope was given another future before.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future.
    pub fn run<F: IntoFuture>(&self, future: F) -> RunScope<F::IntoFuture> {
        RunScope {
            future: Some(future.into_future()),
            region: self.0.begin().map(Region::of),
            begun: false,
            runner: Runner::default(),
            timer: Rare::default(),
        }
    }
}

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

pin_project! {
    /// A future in a scope. Made by [`CancelScope::run`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct RunScope<F> {
        // Dropped before the region ends: what is inside of it leaves first.
        #[pin]
        future: Option<F>,
        // None if it is not the scope's first.
        region: Option<Region>,
        begun: bool,
        runner: Runner,
        timer: Rare<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for RunScope<F> {
    type Output = Result<F::Output, Cancelled>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(region) = this.region else {
            panic!("a `CancelScope` runs one future: make a scope for each")
        };
        if !mem::replace(this.begun, true)
            && let Some(own) = region.own()
            && let Some(request) = earliest_request(own)
        {
            own.cancel(&request);
            this.future.set(None);
            return Poll::Ready(Err(request));
        }
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("`RunScope` was polled after it was ready");
        if let Poll::Ready(output) =
            region.within(cx.waker(), Deadline::Inherited, || future.poll(cx))
        {
            this.future.set(None);
            region.leave();
            return Poll::Ready(Ok(output));
        }
        let is_asked = region.listen(cx.waker(), true);
        let own = region.own().expect("given by `run`");
        if is_asked && let Some(request) = region.outer_request() {
            own.cancel(&request);
        }
        let is_late = this.runner.attend(own, cx.waker(), region.task(cx.waker()));
        if let Some(at) = this.runner.deadline()
            && poll_timer(this.timer, Instant::from_std(at), cx).is_ready()
        {
            own.expire(at);
        }
        match own.request() {
            Some(request) if !own.spares(cx.waker()) => {
                this.future.set(None);
                region.leave();
                return Poll::Ready(Err(request));
            }
            // What waits inside looks at its scope when it is polled.
            Some(_) if is_late => cx.waker().wake_by_ref(),
            _ => {}
        }
        Poll::Pending
    }
}

/// Of the scope itself, or of what is around it.
// `always`: a part of the poll it is 11 instructions less.
#[inline(always)]
fn earliest_request(own: &Scope) -> Option<Cancelled> {
    match own.request() {
        None => nearest_request(),
        request => request,
    }
}

/// Ready when the time has come. Never, if the runtime of the timer has ended: then the task is dropped.
pub(super) fn poll_timer(
    timer: &mut Rare<Pin<Box<Sleep>>>,
    at: Instant,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if timer.deadline() != at {
        timer.as_mut().reset(at);
    }
    match timer.as_mut().poll_unless_closed(cx) {
        Poll::Ready(Ok(())) => Poll::Ready(()),
        Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
    }
}
