//! Futures that must stay on one thread: they note where they are polled and dropped.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};

/// Of one thread: how often its values were polled and dropped, and how often elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    thread: ThreadId,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    polls: AtomicUsize,
    drops: AtomicUsize,
    elsewhere: AtomicUsize,
}

impl Home {
    /// The calling thread's.
    pub(crate) fn here() -> Self {
        Self {
            thread: thread::current().id(),
            counts: Arc::default(),
        }
    }

    /// A value that notes where it is dropped, and is not `Send`.
    pub(crate) fn value(&self) -> Stays {
        Stays {
            home: self.clone(),
            _not_send: PhantomData,
        }
    }

    /// The future, which notes where it is polled and dropped.
    pub(crate) fn keep<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Kept {
            future: Box::pin(future),
            stays: self.value(),
        }
    }

    /// How many values were dropped. None was polled or dropped elsewhere.
    #[track_caller]
    pub(crate) fn drops(&self) -> usize {
        let elsewhere = self.counts.elsewhere.load(SeqCst);
        assert_eq!(elsewhere, 0, "polls and drops on other threads");
        self.counts.drops.load(SeqCst)
    }

    /// How many polls there were.
    #[track_caller]
    pub(crate) fn polls(&self) -> usize {
        self.drops();
        self.counts.polls.load(SeqCst)
    }

    fn note(&self, count: &AtomicUsize) {
        if thread::current().id() != self.thread {
            self.counts.elsewhere.fetch_add(1, SeqCst);
        }
        count.fetch_add(1, SeqCst);
    }
}

#[derive(Debug)]
pub(crate) struct Stays {
    home: Home,
    _not_send: PhantomData<*const ()>,
}

impl Drop for Stays {
    fn drop(&mut self) {
        self.home.note(&self.home.counts.drops);
    }
}

struct Kept<F> {
    future: Pin<Box<F>>,
    stays: Stays,
}

impl<F: Future> Future for Kept<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let home = &self.stays.home;
        home.note(&home.counts.polls);
        self.future.as_mut().poll(cx)
    }
}
