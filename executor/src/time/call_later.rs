//! `call_later`: a function that is called at a point in time.
//!
//! Until then it is no task, but a timer whose waker is the function itself: woken, it spawns the task that calls it. So one that is taken back,
//! as most are, was never queued, polled or ended.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{Duration, Instant, Sleep, sleep_until};
use crate::rt_sync::whole::Mutex;
use crate::runtime::Handle;

/// Calls a function when so much time has passed, in the runtime that the caller is in. It must not block.
///
/// [`TimerHandle`] takes it back, or puts it off. Functions whose time has come may run at the same time, on several workers; on the
/// current-thread flavour they are called in the order of their times. A panic is that of a task whose handle was dropped, see
/// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure). A runtime that ends drops the functions that it has not called.
///
/// # Panics
///
/// As [`spawn`](crate::spawn).
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::time::{Duration, call_later};
///
/// let (send, called) = futures::channel::oneshot::channel();
/// call_later(Duration::from_millis(1), move || send.send(42).unwrap());
/// assert_eq!(called.await.unwrap(), 42);
///
/// let never = call_later(Duration::from_secs(60), || unreachable!());
/// assert!(never.cancel());
/// # });
/// ```
#[track_caller]
pub fn call_later<F: FnOnce() + Send + 'static>(delay: Duration, f: F) -> TimerHandle {
    call_at(Instant::after(delay), f)
}

/// Calls a function at `deadline`. See [`call_later`].
///
/// # Panics
///
/// As [`spawn`](crate::spawn).
#[track_caller]
pub fn call_at<F: FnOnce() + Send + 'static>(deadline: Instant, f: F) -> TimerHandle {
    let timer = Arc::new(Timer(Mutex::new(Waiting {
        deadline,
        call: Some(Call {
            sleep: Box::pin(sleep_until(deadline)),
            function: f,
            runtime: Handle::current(),
            origin: Location::caller(),
        }),
    })));
    timer.look();
    TimerHandle(timer)
}

/// A function that is called at a point in time, see [`call_later`]. Dropping it changes nothing.
#[derive(Clone)]
pub struct TimerHandle(Arc<dyn Control>);

impl TimerHandle {
    /// Drops the function. True: it was not called, and will not be.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// When the function is, or was to be, called.
    #[doc(alias = "when")]
    pub fn deadline(&self) -> Instant {
        self.0.deadline()
    }

    /// Sets another time, sooner or later. False: it is too late, the function was called, or taken back.
    pub fn reset(&self, deadline: Instant) -> bool {
        self.0.clone().reset(deadline)
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

/// What the handle and the wheel share, the latter as a waker. While it waits the wheel keeps it alive; that ends when it fires, is taken back, or the
/// runtime closes its wheels, which wakes it.
struct Timer<F>(Mutex<Waiting<F>>);

struct Waiting<F> {
    deadline: Instant,
    /// Taken by whoever calls it, or takes it back.
    call: Option<Call<F>>,
}

struct Call<F> {
    /// Dropped, it leaves the wheel.
    sleep: Pin<Box<Sleep>>,
    function: F,
    runtime: Handle,
    origin: &'static Location<'static>,
}

/// What is left of a [`Timer`] for those who do not know its function's type.
trait Control: Send + Sync {
    fn cancel(&self) -> bool;
    fn deadline(&self) -> Instant;
    fn reset(self: Arc<Self>, deadline: Instant) -> bool;
}

impl<F: FnOnce() + Send + 'static> Control for Timer<F> {
    fn cancel(&self) -> bool {
        let call = self.0.lock().call.take();
        // Dropped here, without the lock.
        call.is_some()
    }

    fn deadline(&self) -> Instant {
        self.0.lock().deadline
    }

    fn reset(self: Arc<Self>, deadline: Instant) -> bool {
        {
            let mut waiting = self.0.lock();
            let Some(call) = &mut waiting.call else {
                return false;
            };
            // If it has fired: it would wake us, who look below, and with the lock we could not.
            let _us = call.sleep.as_mut().reset_and_leave(deadline);
            waiting.deadline = deadline;
        }
        self.look();
        true
    }
}

impl<F: FnOnce() + Send + 'static> Timer<F> {
    /// Calls the function if its time has come; else the timer wakes us.
    fn look(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut waiting = self.0.lock();
        let Some(call) = &mut waiting.call else {
            return;
        };
        // All wakers that it keeps are this one: no code of the user runs under the lock.
        let sleep = call.sleep.as_mut();
        let Poll::Ready(result) = sleep.poll_unless_closed(&mut Context::from_waker(&waker)) else {
            return;
        };
        let call = waiting.call.take();
        drop(waiting);
        // A runtime that has ended drops the function.
        if let (Ok(()), Some(call)) = (result, call) {
            call.spawn();
        }
    }
}

impl<F: FnOnce() + Send + 'static> Call<F> {
    /// Never in the middle of what this thread does: it may be about to wake many others.
    fn spawn(self) {
        let function = self.function;
        drop(
            self.runtime
                .spawn_at(self.origin, async move { function() }),
        );
    }
}

impl<F: FnOnce() + Send + 'static> Wake for Timer<F> {
    fn wake(self: Arc<Self>) {
        self.look();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.look();
    }
}
