//! `JoinSet` against a list, with random operations: what finishes comes out once, in its order, as what it is.

use std::collections::VecDeque;
use std::task::Poll;

use executor::task::{self, AbortHandle, Id, JoinError, JoinSet};
use futures::channel::oneshot;
use proptest::prelude::*;

use crate::support::{current_thread, poll_once, within};

#[derive(Clone, Debug)]
enum Op {
    Spawn,
    SpawnBlocking,
    /// Ends the task with an output.
    Finish(usize),
    /// Ends the task with a panic.
    Panic(usize),
    Abort(usize),
    AbortAll,
    DetachAll,
    /// The next output, if there is one already.
    TryNext,
    /// As a task that polls the set once and gives up.
    PollNext,
    /// The next output, if anything is left to wait for.
    Next,
    Shutdown,
}

fn op() -> impl Strategy<Value = Op> {
    let any_task = any::<usize>();
    prop_oneof![
        12 => Just(Op::Spawn),
        2 => Just(Op::SpawnBlocking),
        6 => any_task.prop_map(Op::Finish),
        2 => any_task.prop_map(Op::Panic),
        3 => any_task.prop_map(Op::Abort),
        1 => prop::bool::weighted(0.3).prop_map(|all| if all { Op::AbortAll } else { Op::TryNext }),
        1 => prop::bool::weighted(0.2).prop_map(|all| if all { Op::DetachAll } else { Op::TryNext }),
        4 => Just(Op::TryNext),
        3 => Just(Op::PollNext),
        3 => Just(Op::Next),
        1 => prop::bool::weighted(0.2).prop_map(|all| if all { Op::Shutdown } else { Op::TryNext }),
    ]
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Output(usize),
    Panicked,
    Cancelled,
}

/// A task of the set that goes on.
struct Running {
    abort: AbortHandle,
    number: usize,
    /// Ends it: true with an output, false with a panic.
    end: oneshot::Sender<bool>,
}

#[derive(Default)]
struct Model {
    set: JoinSet<usize>,
    running: Vec<Running>,
    finished: VecDeque<(Id, End)>,
    made: usize,
}

/// The output of a task that is told how to end.
async fn told(number: usize, told: oneshot::Receiver<bool>) -> usize {
    match told.await {
        Ok(false) => std::panic::resume_unwind(Box::new(number)),
        // Whoever would tell it has gone: it is detached.
        Ok(true) | Err(_) => number,
    }
}

impl Model {
    async fn apply(&mut self, op: Op) {
        match op {
            Op::Spawn => {
                self.made += 1;
                let (end, receiver) = oneshot::channel();
                let abort = self.set.spawn(told(self.made, receiver));
                self.running.push(Running {
                    abort,
                    number: self.made,
                    end,
                });
            }
            Op::SpawnBlocking => {
                self.made += 1;
                let number = self.made;
                let task = self.set.spawn_blocking(move || number);
                self.finished.push_back((task.id(), End::Output(number)));
                // Another thread announces its end, a moment after `is_finished` says so: it is waited for, behind the others.
                while let Some(expected) = self.finished.pop_front() {
                    let next = self.set.join_next_with_id().await;
                    assert_eq!(next.map(end), Some(expected));
                }
            }
            Op::Finish(at) => self.end(at, true).await,
            Op::Panic(at) => self.end(at, false).await,
            Op::Abort(at) => {
                if let Some(task) = self.take(at) {
                    task.abort.abort();
                    finished(&task.abort).await;
                    self.finished.push_back((task.abort.id(), End::Cancelled));
                }
            }
            Op::AbortAll => {
                self.set.abort_all();
                for task in &self.running {
                    finished(&task.abort).await;
                }
                self.drain_cancelled();
            }
            Op::DetachAll => {
                self.set.detach_all();
                self.finished.clear();
                self.running.clear();
            }
            Op::TryNext => {
                let next = self.set.try_join_next_with_id();
                assert_eq!(next.map(end), self.finished.pop_front());
            }
            Op::PollNext => match poll_once(std::pin::pin!(self.set.join_next_with_id())) {
                Poll::Ready(next) => assert_eq!(next.map(end), self.finished.pop_front()),
                Poll::Pending => assert!(self.finished.is_empty() && !self.running.is_empty()),
            },
            Op::Next => {
                if !self.finished.is_empty() || self.running.is_empty() {
                    let next = self.set.join_next_with_id().await;
                    assert_eq!(next.map(end), self.finished.pop_front());
                }
            }
            Op::Shutdown => {
                self.set.shutdown().await;
                self.finished.clear();
                self.running.clear();
            }
        }
    }

    async fn end(&mut self, at: usize, well: bool) {
        if let Some(task) = self.take(at) {
            task.end.send(well).unwrap();
            finished(&task.abort).await;
            let end = if well {
                End::Output(task.number)
            } else {
                End::Panicked
            };
            self.finished.push_back((task.abort.id(), end));
        }
    }

    fn take(&mut self, at: usize) -> Option<Running> {
        let count = self.running.len();
        (count > 0).then(|| self.running.swap_remove(at % count))
    }

    /// Takes the whole set out: the order in which tasks end that are aborted together is nobody's business.
    fn drain_cancelled(&mut self) {
        let first = self.finished.len();
        let mut ends = Vec::new();
        while let Some(next) = self.set.try_join_next_with_id() {
            ends.push(end(next));
        }
        let (before, aborted) = ends.split_at(first);
        assert!(self.finished.drain(..).eq(before.iter().copied()));
        let mut aborted = aborted.to_vec();
        for task in self.running.drain(..) {
            let cancelled = (task.abort.id(), End::Cancelled);
            let at = aborted.iter().position(|end| *end == cancelled).unwrap();
            aborted.remove(at);
        }
        assert_eq!(aborted, []);
    }

    fn check(&self) {
        assert_eq!(self.set.len(), self.running.len() + self.finished.len());
        let nothing_left = self.running.is_empty() && self.finished.is_empty();
        assert_eq!(self.set.is_empty(), nothing_left);
        assert!(self.running.iter().all(|task| !task.abort.is_finished()));
    }
}

async fn finished(task: &AbortHandle) {
    while !task.is_finished() {
        task::yield_now().await;
    }
}

fn end(next: Result<(Id, usize), JoinError>) -> (Id, End) {
    match next {
        Ok((id, output)) => (id, End::Output(output)),
        Err(error) if error.is_panic() => (error.id(), End::Panicked),
        Err(error) => (error.id(), End::Cancelled),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_set_does_what_a_list_does(ops in prop::collection::vec(op(), 1..60)) {
        within(60, || current_thread().block_on(async {
            let mut model = Model::default();
            for op in ops {
                model.apply(op).await;
                model.check();
            }
        }));
    }
}
