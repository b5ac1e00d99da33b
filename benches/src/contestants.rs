//! Who takes part, and in what: where the parts that are generic over the runtime become functions in a table.

use std::time::Duration;

use crate::cli::Options;
#[cfg(tokio_unstable)]
use crate::peers::UNSTABLE;
use crate::peers::{
    Executor, ExecutorCt, Foreign, Pages, Runtime, Smol, Streams, TUNED, Timers, Tokio, TokioCt,
    Tools,
};
use crate::programs::Program;
use crate::rows::{Row, Table};
use crate::stalls::Scenario;
use crate::{Result, churn, http, idle, rows, stalls};

/// A runtime by name. The functions take the number of workers first.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) flavour: Flavour,
    /// Takes part only where it is asked for, and in `spawns`, which its settings are for.
    pub(crate) seldom: bool,
    pub(crate) start: fn(usize) -> Result<Box<dyn Live>>,
    /// What this runtime can be measured by, see [`rows`].
    pub(crate) rows: fn(Table, &Options) -> Vec<Row>,
    /// Nothing without sockets.
    pub(crate) with_sockets: Option<WithSockets>,
}

/// Who polls the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Workers.
    MultiThread,
    /// The thread that calls `block_on`.
    CurrentThread,
}

pub(crate) struct WithSockets {
    /// See [`http::serve`].
    pub(crate) serve: fn(usize, u16, Option<u64>) -> Result,
    /// See [`idle::wait`].
    pub(crate) wait: fn(usize) -> Result,
    /// See [`stalls::stall`].
    pub(crate) stall: fn(Scenario, &Options) -> Result,
    /// See [`churn::runtimes`].
    pub(crate) churn: fn(&Options) -> Result<Vec<f64>>,
}

/// A runtime that has been started.
pub(crate) trait Live: Send + Sync {
    /// How long `repeats` runs of `program`, one after the other, take.
    ///
    /// # Errors
    ///
    /// That of the process in which they run, if it is another.
    fn time(&self, program: Program, repeats: u32) -> Result<Duration>;
}

impl<R: Runtime> Live for R {
    fn time(&self, program: Program, repeats: u32) -> Result<Duration> {
        Ok(program.time(self, repeats))
    }
}

impl Contestant {
    /// All of them, ours first in each flavour: the ratios are those of the others to it.
    pub(crate) const ALL: [Self; 6 + cfg!(tokio_unstable) as usize] = [
        OURS,
        Self::of::<Tokio>().and_sockets::<Tokio>(),
        Self::of::<Tokio<TUNED>>()
            .and_sockets::<Tokio<TUNED>>()
            .seldom(),
        #[cfg(tokio_unstable)]
        Self::of::<Tokio<UNSTABLE>>().and_sockets::<Tokio<UNSTABLE>>(),
        Self::of::<Smol>().and_foreign::<Smol>(),
        Self::of::<ExecutorCt>().on_one_thread(),
        Self::of::<TokioCt>().on_one_thread(),
    ];

    pub(crate) fn named(name: &str) -> Result<Self> {
        let named = Self::ALL
            .into_iter()
            .find(|contestant| contestant.name == name);
        named.ok_or_else(|| {
            let names = Self::ALL.map(|contestant| contestant.name).join(", ");
            format!("no runtime is called {name}: {names}").into()
        })
    }

    pub(crate) fn sockets(&self) -> Result<&WithSockets> {
        let missing = || {
            format!(
                "{} has no sockets here: see the feature `sockets`",
                self.name
            )
        };
        self.with_sockets.as_ref().ok_or_else(|| missing().into())
    }

    const fn of<R: Runtime>() -> Self {
        Self {
            name: R::NAME,
            flavour: Flavour::MultiThread,
            seldom: false,
            start: |workers| Ok(Box::new(R::start(workers)?)),
            rows: rows::of_tasks::<R>,
            with_sockets: None,
        }
    }

    const fn on_one_thread(mut self) -> Self {
        self.flavour = Flavour::CurrentThread;
        self
    }

    const fn seldom(mut self) -> Self {
        self.seldom = true;
        self
    }

    const fn and_foreign<R: Foreign>(mut self) -> Self {
        self.rows = rows::of_workers::<R>;
        self
    }

    const fn and_sockets<R: Pages + Streams + Timers + Tools>(mut self) -> Self {
        self.rows = rows::of_all::<R>;
        self.with_sockets = Some(WithSockets {
            serve: http::serve::<R>,
            wait: idle::wait::<R>,
            stall: stalls::stall::<R>,
            churn: churn::runtimes::<R>,
        });
        self
    }
}

#[cfg(feature = "sockets")]
const OURS: Contestant = Contestant::of::<Executor>().and_sockets::<Executor>();
#[cfg(not(feature = "sockets"))]
const OURS: Contestant = Contestant::of::<Executor>();
