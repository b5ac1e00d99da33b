//! Tests of the end: what comes from outside when everybody has looked for the last time.

use std::panic::Location;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::super::home::Home;
use super::ThreadlessRuntime;
use crate::task::{self, Id};

/// Says on which thread it is dropped.
struct Tells(Sender<ThreadId>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

#[test]
fn what_is_woken_after_the_last_drain_is_dropped_by_another_thread() {
    let runtime = ThreadlessRuntime::new(1, 0);
    let (tell, told) = channel();
    let token = || {
        let tells = Tells(tell.clone());
        let future = async move { drop(tells) };
        task::new(future, Home::nowhere(), Id::next(), Location::caller()).0
    };
    runtime.shared.close();
    runtime.shared.inject_woken(token());
    assert!(told.try_recv().is_err(), "the closer has yet to look");
    runtime.shared.drain_last();
    assert_eq!(told.try_recv(), Ok(thread::current().id()));
    // More than once.
    for _ in 0..3 {
        runtime.shared.inject_woken(token());
        let dropped_by = told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_ne!(dropped_by, thread::current().id());
    }
}
