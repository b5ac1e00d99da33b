//! `Around`: the deadlines around a piece of code, for tasks that are a part of it.
//!
//! Requests reach such tasks by whoever waits for them. A deadline is a number that code inside may ask for, and the scopes that have it may set another
//! one at any time. So the task keeps the scopes, and looks when it is asked.

use std::sync::Arc;
use std::time::Instant;

use super::Scope;
use super::level::{self, Deadline};
use crate::task::current;

/// The scopes up to the innermost shield, and when the grace of that ends.
pub(crate) struct Around {
    scopes: Vec<Scope>,
    until: Option<Instant>,
    /// What the task has from outside in turn.
    outer: Option<Arc<Self>>,
}

impl Around {
    /// What is around the code that calls. `None`: nothing that has a deadline, or could get one.
    pub(crate) fn here() -> Option<Arc<Self>> {
        let mut scopes = Vec::new();
        let shielded = level::find_here(|level| {
            scopes.extend(level.given().cloned());
            match level.deadline() {
                Deadline::Inherited => None,
                Deadline::Shielded(until) => Some(until),
            }
        });
        let outer = match shielded {
            Some(_) => None,
            None => of_task(),
        };
        let until = shielded.flatten();
        if scopes.is_empty() && until.is_none() {
            return outer;
        }
        Some(Arc::new(Self {
            scopes,
            until,
            outer,
        }))
    }

    fn deadline(&self) -> Option<Instant> {
        let outer = self.outer.as_ref().and_then(|outer| outer.deadline());
        let scopes = self.scopes.iter().filter_map(Scope::deadline);
        scopes.chain(self.until).chain(outer).min()
    }
}

/// The earliest deadline around the code that calls.
pub(crate) fn effective_deadline() -> Option<Instant> {
    let mut earliest: Option<Instant> = None;
    let shielded = level::find_here(|level| {
        let own = level.given().and_then(Scope::deadline);
        earliest = earliest.into_iter().chain(own).min();
        match level.deadline() {
            Deadline::Inherited => None,
            Deadline::Shielded(until) => Some(until),
        }
    });
    let outer = match shielded {
        Some(until) => until,
        None => of_task().and_then(|around| around.deadline()),
    };
    earliest.into_iter().chain(outer).min()
}

fn of_task() -> Option<Arc<Around>> {
    current::with_task(|task| task.origin.try_scope().and_then(Scope::around))
}
