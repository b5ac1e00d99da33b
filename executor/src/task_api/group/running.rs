//! `Group`: the future that runs a group's body and waits for its tasks.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::super::JoinSet;
use super::errors::{TaskError, TaskErrors};
use super::members::{Members, TaskGroup};
use super::policy::GroupPolicy;
use crate::task::{Around, Cancelled, Deadline, JoinError, Region, Runner, nearest_request};

/// Runs `body`, which spawns tasks into the group that it is given, and waits for all of them: none outlives the group.
///
/// The first task that fails or panics, or the body if it does, cancels all others as [`JoinHandle::cancel`](crate::task::JoinHandle::cancel) does; the
/// group waits until they have ended, and tells of all errors. What is asked of the task that runs the group, or of a scope around it, is asked of
/// the group's tasks as well. [`group_with`] has other policies.
///
/// The body runs in the task that awaits the group, so it may borrow; the tasks run on their own, and may not.
///
/// # Errors
///
/// All that went wrong. Also if the group was cancelled before its body was done, or from outside.
///
/// # Cancel safety
///
/// Dropping the future drops the body and aborts the tasks. Nobody can wait in a destructor: those that are being polled at that moment end with that poll,
/// perhaps after the drop has returned. To have all of them ended, ask for the cancellation, and await the group.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task;
///
/// let sum = task::group(async |group| {
///     let one = group.spawn(async { Ok(1) });
///     let two = group.spawn(async { "2".parse::<i32>() });
///     Ok(one.await.unwrap_or(0) + two.await.unwrap_or(0))
/// });
/// assert_eq!(sum.await.unwrap(), 3);
///
/// let failed = task::group(async |group| {
///     group.spawn(std::future::pending::<Result<(), _>>());
///     group.spawn(async { "two".parse::<i32>() });
///     Ok(())
/// });
/// assert_eq!(failed.await.unwrap_err().failures().count(), 1);
/// # });
/// ```
#[doc(alias = "TaskGroup")]
#[doc(alias = "open_nursery")]
#[doc(alias = "create_task_group")]
#[track_caller]
pub fn group<R, E, F>(body: impl FnOnce(TaskGroup<E>) -> F) -> Group<F, R, E>
where
    F: Future<Output = Result<R, E>>,
    E: Send + 'static,
{
    group_with(GroupPolicy::All, body)
}

/// As [`group`], with another policy.
///
/// With [`GroupPolicy::FirstOk`] the errors of failed tasks are told only if none succeeded, and then those of all. Panics that are not are told to
/// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure), as those of a group that is dropped.
///
/// # Errors
///
/// As [`group`].
///
/// # Cancel safety
///
/// As [`group`].
#[track_caller]
pub fn group_with<R, E, F>(
    policy: GroupPolicy,
    body: impl FnOnce(TaskGroup<E>) -> F,
) -> Group<F, R, E>
where
    F: Future<Output = Result<R, E>>,
    E: Send + 'static,
{
    let members = Arc::new(Members::new());
    Group {
        body: Some(body(TaskGroup::new(members.clone()))),
        output: None,
        region: Region::of(members.scope.clone()),
        tasks: Tasks {
            set: JoinSet::new(),
            members,
            request: None,
        },
        outcome: Outcome {
            policy,
            errors: Vec::new(),
            succeeded: false,
        },
        location: Location::caller(),
        begun: false,
        runner: Runner::default(),
    }
}

pin_project! {
    /// A body and the tasks of its group. Made by [`group`] and [`group_with`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Group<F, R, E> {
        // Dropped before the region ends: what is inside of it leaves first.
        #[pin]
        body: Option<F>,
        output: Option<R>,
        tasks: Tasks<E>,
        outcome: Outcome<E>,
        location: &'static Location<'static>,
        begun: bool,
        runner: Runner,
        region: Region,
    }
}

impl<F, R, E> Future for Group<F, R, E>
where
    F: Future<Output = Result<R, E>>,
    E: Send + 'static,
{
    type Output = Result<R, TaskErrors<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (tasks, outcome, region) = (this.tasks, this.outcome, this.region);
        let scope = &tasks.members.scope.clone();
        let is_first = !std::mem::replace(this.begun, true);
        if is_first && let Some(around) = Around::here() {
            let _ = tasks.members.around.set(around);
        }
        if is_first && let Some(request) = nearest_request() {
            scope.cancel(&request);
            // It does not begin. Tasks that its closure has spawned are asked, and awaited, below.
            this.body.set(None);
        }
        let end = |reason: &'static str| scope.cancel(&Cancelled::of(reason, this.location));

        if let Some(body) = this.body.as_mut().as_pin_mut()
            && let Poll::Ready(result) =
                region.within(cx.waker(), Deadline::Inherited, || body.poll(cx))
        {
            this.body.set(None);
            match result {
                Ok(output) => *this.output = Some(output),
                Err(error) => {
                    outcome.errors.push(TaskError::Failed(error));
                    end("the body of the task group failed");
                }
            }
        }
        tasks.take_arrivals(cx);
        while let Poll::Ready(Some(result)) = tasks.set.poll_unseen(cx) {
            let result = result.map(|(_, result)| result);
            let failed = match &result {
                Ok(result) => result.is_err(),
                Err(error) => error.is_panic(),
            };
            match outcome.add(result) {
                true if failed => end("another task of the group failed"),
                // Its siblings only: the body has what it waited for, or learns that it will not come.
                true => {
                    let reason = "another task of the group is done";
                    tasks.pass_on(&Cancelled::of(reason, this.location));
                }
                false => {}
            }
        }

        region.listen(cx.waker(), true);
        let outer = region.outer_request();
        if let Some(request) = &outer {
            scope.cancel(request);
        }
        let is_late = this
            .runner
            .attend(scope, cx.waker(), region.task(cx.waker()));
        if let Some(request) = scope.request() {
            tasks.pass_on(&request);
            if !scope.spares(cx.waker()) {
                this.body.set(None);
            } else if is_late {
                // What waits in the body looks at its scope when it is polled.
                cx.waker().wake_by_ref();
            }
        }

        if this.body.is_some() || !tasks.set.is_empty() || !tasks.members.close_if_empty() {
            return Poll::Pending;
        }
        region.leave();
        let output = this.output.take();
        // Asked from inside, with a body that has given its output, it is as its user wants it.
        let request = if output.is_none() {
            scope.request()
        } else {
            outer
        };
        Poll::Ready(outcome.take(output, request))
    }
}

/// The tasks of the group. Dropped, it aborts them.
struct Tasks<E> {
    set: JoinSet<Result<(), E>>,
    members: Arc<Members<E>>,
    /// What those in the set were asked, and those that come are.
    request: Option<Cancelled>,
}

impl<E: 'static> Tasks<E> {
    /// Until none is left, because one that has come may have brought another.
    fn take_arrivals(&mut self, cx: &Context<'_>) {
        loop {
            let tasks = self.members.arrived(cx.waker());
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                if let Some(request) = &self.request {
                    task.cancel_with(request);
                }
                self.set.insert(task);
            }
        }
    }

    fn pass_on(&mut self, request: &Cancelled) {
        if self.request.is_none() {
            self.request = Some(request.clone());
            self.set.cancel_all_with(request);
        }
    }
}

impl<E> Drop for Tasks<E> {
    fn drop(&mut self) {
        self.members.close();
        // The set aborts its own.
    }
}

/// What has come of the tasks.
struct Outcome<E> {
    policy: GroupPolicy,
    errors: Vec<TaskError<E>>,
    succeeded: bool,
}

impl<E> Outcome<E> {
    /// A task has ended. True: the others are to end as well.
    fn add(&mut self, result: Result<Result<(), E>, JoinError>) -> bool {
        let succeeded = match result {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                self.errors.push(TaskError::Failed(error));
                false
            }
            Err(error) if error.is_panic() => {
                self.errors.push(TaskError::Panicked(error));
                false
            }
            // As it was asked to: it has neither succeeded nor failed.
            Err(_) => return self.policy == GroupPolicy::FirstDone,
        };
        self.succeeded |= succeeded;
        self.policy.ends_with(succeeded)
    }

    fn take<R>(
        &mut self,
        output: Option<R>,
        request: Option<Cancelled>,
    ) -> Result<R, TaskErrors<E>> {
        let mut errors = std::mem::take(&mut self.errors);
        let failed = match self.policy {
            GroupPolicy::All | GroupPolicy::FirstDone => !errors.is_empty(),
            GroupPolicy::FirstOk => !errors.is_empty() && !self.succeeded,
        };
        match output {
            Some(output) if !failed && request.is_none() => Ok(output),
            _ => {
                // The request that a failure led to says nothing more.
                if errors.is_empty() {
                    errors.extend(request.map(TaskError::Cancelled));
                }
                Err(TaskErrors::new(errors))
            }
        }
    }
}

impl<F, R, E> fmt::Debug for Group<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("policy", &self.outcome.policy)
            .finish_non_exhaustive()
    }
}
