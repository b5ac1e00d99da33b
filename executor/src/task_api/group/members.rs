//! `TaskGroup`: the handle by which tasks come into a group.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use super::super::spawn::spawn_at;
use super::child::{ChildTask, Reports};
use super::started::{Answer, StartError, Started};
use crate::rt_sync::whole::Mutex;
use crate::task::{Around, Cancelled, JoinHandle, Origin, Scope, drop_quietly};

/// Spawns tasks into a [`group`](super::group). Clones are handles to the same group, also for its tasks.
///
/// After the group's end what is spawned through it is dropped, and its [`ChildTask`] answers with an error.
#[doc(alias = "Nursery")]
pub struct TaskGroup<E> {
    members: Arc<Members<E>>,
}

/// What the handles and the group's future share.
pub(super) struct Members<E> {
    /// Of the group: its body, and whether it was cancelled.
    pub(super) scope: Scope,
    /// What the group is inside of: known when it is polled.
    pub(super) around: OnceLock<Arc<Around>>,
    arrivals: Mutex<Arrivals<E>>,
}

struct Arrivals<E> {
    tasks: Vec<Member<E>>,
    /// The group's future, which takes them.
    waker: Option<Waker>,
    closed: bool,
}

pub(super) type Member<E> = JoinHandle<Result<(), E>>;

impl<E: Send + 'static> TaskGroup<E> {
    /// Spawns a task into the group. If it fails, that is a failure of the group.
    ///
    /// In a group that was cancelled the task is cancelled as well, at once. The scopes around the group are also the task's, as its
    /// [`effective_deadline`](crate::task::effective_deadline) says.
    ///
    /// # Panics
    ///
    /// As [`spawn`](crate::spawn).
    #[track_caller]
    #[doc(alias = "create_task")]
    #[doc(alias = "start_soon")]
    pub fn spawn<F, T>(&self, future: F) -> ChildTask<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        let (reports, output) = Reports::new(future);
        let origin = Origin::inside(Location::caller(), self.members.around.get().cloned());
        let task = spawn_at(origin, reports);
        let child = ChildTask::new(output, task.abort_handle());
        self.members.add(task);
        child
    }

    /// Spawns a task into the group, and waits until it is ready: until it calls [`Started::set`]. Returns what it said.
    ///
    /// # Errors
    ///
    /// If the task ends before. An error that it returns before is told here, and the group does not fail by it.
    ///
    /// # Cancel safety
    ///
    /// Giving up the wait leaves the task in the group, whose failure it is if it then fails, ready or not. An error that it had returned by then
    /// goes with the wait.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::net::TcpListener;
    /// use executor::task::{self, Started};
    /// use std::io;
    ///
    /// async fn server(ready: Started<u16>) -> io::Result<()> {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     ready.set(listener.local_addr()?.port());
    ///     listener.accept().await?;
    ///     Ok(())
    /// }
    ///
    /// task::group(async |group| {
    ///     let port = group.start(server).await.expect("the server starts");
    ///     executor::net::TcpStream::connect(("127.0.0.1", port)).await?;
    ///     io::Result::Ok(())
    /// })
    /// .await?;
    /// # Ok::<(), executor::task::TaskErrors<io::Error>>(()) }).unwrap();
    /// ```
    pub async fn start<V, F>(
        &self,
        function: impl FnOnce(Started<V>) -> F,
    ) -> Result<V, StartError<E>>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        V: Send + 'static,
    {
        let (answer, wait) = Answer::new();
        let future = function(answer.started());
        drop(self.spawn(async move { answer.end(future.await) }));
        match wait.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(StartError::Failed(error)),
            Err(_) => Err(StartError::Ended),
        }
    }

    /// Asks the body and all tasks of the group to end.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        // The group's future is woken by it, and passes it on.
        self.members.scope.cancel(&Cancelled::new(reason));
    }

    /// True once the group was asked to end, by [`cancel`](Self::cancel), by its policy or from outside.
    pub fn is_cancelled(&self) -> bool {
        self.members.scope.is_requested()
    }
}

impl<E> TaskGroup<E> {
    pub(super) fn new(members: Arc<Members<E>>) -> Self {
        Self { members }
    }
}

impl<E> Members<E> {
    pub(super) fn new() -> Self {
        Self {
            scope: Scope::new(),
            around: OnceLock::new(),
            arrivals: Mutex::new(Arrivals {
                tasks: Vec::new(),
                waker: None,
                closed: false,
            }),
        }
    }

    fn add(&self, task: Member<E>) {
        if let Some(request) = self.scope.request() {
            task.cancel_with(&request);
        }
        let mut arrivals = self.arrivals.lock();
        if arrivals.closed {
            drop(arrivals);
            return task.abort();
        }
        arrivals.tasks.push(task);
        let waker = arrivals.waker.take();
        drop(arrivals);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The tasks that came since the last call. The next one wakes `waker`.
    pub(super) fn arrived(&self, waker: &Waker) -> Vec<Member<E>> {
        // Cloned and dropped without the lock.
        let waker = waker.clone();
        let (old, tasks) = {
            let mut arrivals = self.arrivals.lock();
            let tasks = std::mem::take(&mut arrivals.tasks);
            (arrivals.waker.replace(waker), tasks)
        };
        drop_quietly(old);
        tasks
    }

    /// Ends the group, unless a task has come meanwhile.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut arrivals = self.arrivals.lock();
        arrivals.closed |= arrivals.tasks.is_empty();
        arrivals.closed
    }

    /// Ends the group.
    pub(super) fn close(&self) {
        let (tasks, waker) = {
            let mut arrivals = self.arrivals.lock();
            arrivals.closed = true;
            (std::mem::take(&mut arrivals.tasks), arrivals.waker.take())
        };
        tasks.iter().for_each(JoinHandle::abort);
        drop_quietly((tasks, waker));
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> Self {
        Self::new(self.members.clone())
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("is_cancelled", &self.members.scope.is_requested())
            .finish_non_exhaustive()
    }
}
