//! Which types may cross threads, be shared, be moved after they were polled: checked by the compiler.

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use executor::fs::{self, DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir};
use executor::hyper::{HyperExecutor, HyperTimer};
use executor::io::unix::{
    AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
};
use executor::io::{Interest as IoInterest, Ready, Stderr, Stdin, Stdout};
use executor::net::{TcpListener, TcpStream};
use executor::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use executor::runtime::{
    Builder, EnterGuard, Handle, Id as RuntimeId, LocalOptions, LocalRuntime, Runtime,
    RuntimeFlavor, RuntimeMetrics, ShutdownReport, Stall, Straggler, StragglerKind, ThreadActivity,
    TryCurrentError, UnhandledPanic,
};
use executor::signal::unix::{Signal, SignalKind};
use executor::task::coop::RestoreOnPending;
use executor::task::{
    AbortHandle, AccessError, CancelScope, Cancelled, ChildFailed, ChildTask, GroupPolicy, Id,
    JoinError, JoinHandle, JoinSet, LocalEnterGuard, LocalKey, LocalSet, StartError, Started,
    TaskError, TaskErrors, TaskGroup, UnobservedFailure,
};
use executor::time::error::Elapsed;
use executor::time::{Instant, Interval, MissedTickBehavior, Sleep, Timeout};

/// `yes!(Send: A, B)` compiles if all of the types have the trait; `no!` if none of them has.
macro_rules! yes {
    ($trait:path: $($type:ty),+ $(,)?) => {
        const _: () = {
            const fn has<T: $trait>() {}
            $(has::<$type>();)+
        };
    };
}

macro_rules! no {
    ($trait:path: $($type:ty),+ $(,)?) => {
        const _: () = {
            // Two ways to find the item, and so an error, if the type has the trait.
            trait Ambiguous<A> {
                const FOUND: () = ();
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $trait> Ambiguous<u8> for T {}
            $(let () = <$type as Ambiguous<_>>::FOUND;)+
        };
    };
}

/// May be sent, not shared.
type SendOnly = Cell<u8>;
/// May be neither.
type Neither = Rc<u8>;

yes!(Send: Runtime, Handle, Builder, RuntimeFlavor, TryCurrentError, JoinHandle<u8>, JoinHandle<SendOnly>, AbortHandle, JoinError, Id);
yes!(Sync: Runtime, Handle, Builder, RuntimeFlavor, TryCurrentError, JoinHandle<u8>, JoinHandle<SendOnly>, AbortHandle, JoinError, Id);
no!(Send: EnterGuard<'static>, JoinHandle<Neither>, Timeout<Neither>);
yes!(Sync: EnterGuard<'static>);
no!(Sync: JoinHandle<Neither>, Timeout<Neither>, Timeout<SendOnly>);

yes!(Send: Sleep, Timeout<u8>, Timeout<SendOnly>, Interval, Instant, Elapsed, MissedTickBehavior, TcpStream, TcpListener);
yes!(Sync: Sleep, Timeout<u8>, Interval, Instant, Elapsed, MissedTickBehavior, TcpStream, TcpListener);

type Server = executor::net::Server;
type ServerBuilder = executor::net::ServerBuilder;
type ServerReport = executor::net::ServerReport;

yes!(Send: Server, ServerBuilder, ServerReport);
yes!(Sync: Server, ServerReport);
// Its function need not be.
no!(Sync: ServerBuilder);
yes!(Unpin: Server, ServerBuilder, ServerReport);
yes!(Copy: ServerReport);
yes!(std::fmt::Debug: Server, ServerBuilder, ServerReport);

yes!(Send: executor::net::InheritedListener);
yes!(Sync: executor::net::InheritedListener);
yes!(Unpin: executor::net::InheritedListener);
yes!(std::fmt::Debug: executor::net::InheritedListener);

yes!(Send: executor::time::ClockHold);
yes!(Sync: executor::time::ClockHold);
yes!(Unpin: executor::time::ClockHold);

yes!(Send: RuntimeId, RuntimeMetrics);
yes!(Sync: RuntimeId, RuntimeMetrics);
yes!(Unpin: RuntimeId, RuntimeMetrics);
yes!(UnwindSafe: RuntimeId, RuntimeMetrics);
yes!(RefUnwindSafe: RuntimeId, RuntimeMetrics);
yes!(Clone: RuntimeId, RuntimeMetrics);
yes!(std::hash::Hash: RuntimeId);
yes!(std::fmt::Display: RuntimeId);

yes!(Unpin: JoinHandle<std::marker::PhantomPinned>, AbortHandle, Runtime, Handle, Interval, Instant, TcpStream, TcpListener);
no!(Unpin: Sleep, Timeout<u8>);

yes!(Send: executor::net::tcp::ConnectError);
yes!(Sync: executor::net::tcp::ConnectError);
yes!(std::error::Error: executor::net::tcp::ConnectError);

yes!(Send: DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir);
yes!(Sync: DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir);
yes!(Unpin: DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir);
yes!(Send: Stdin, Stdout, Stderr);
yes!(Sync: Stdin, Stdout, Stderr);
yes!(Unpin: Stdin, Stdout, Stderr);
yes!(UnwindSafe: Stdin, Stdout, Stderr);
yes!(RefUnwindSafe: Stdin, Stdout, Stderr);
no!(Clone: Stdin, Stdout, Stderr);
yes!(std::fmt::Debug: Stdin, Stdout, Stderr);

yes!(Clone: FileTimes, OpenOptions);
no!(Clone: DirBuilder, DirEntry, File, ReadDir);
yes!(std::fmt::Debug: DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir);

yes!(Send: JoinSet<u8>, JoinSet<SendOnly>);
yes!(Sync: JoinSet<u8>, JoinSet<SendOnly>);
yes!(Unpin: JoinSet<Neither>, JoinSet<std::marker::PhantomPinned>);
no!(Send: JoinSet<Neither>);
no!(Sync: JoinSet<Neither>);
no!(Clone: JoinSet<u8>);

type Scope<T, F> = executor::task::futures::TaskLocalFuture<T, std::future::Ready<F>>;

yes!(Send: Scope<u8, SendOnly>, Scope<SendOnly, u8>, AccessError, LocalKey<Neither>);
yes!(Sync: Scope<u8, u8>, AccessError, LocalKey<Neither>);
no!(Send: Scope<Neither, u8>, Scope<u8, Neither>);
no!(Sync: Scope<SendOnly, u8>, Scope<u8, SendOnly>);
no!(Unpin: Scope<u8, u8>);
yes!(std::error::Error: AccessError);

type OrCancelled<T> = executor::task::futures::OrCancelled<std::future::Ready<T>>;
type RunScope<T> = executor::task::futures::RunScope<std::future::Ready<T>>;
type Shield<T> = executor::task::futures::Shield<std::future::Ready<T>>;

yes!(Send: Cancelled, CancelScope, OrCancelled<SendOnly>, RunScope<SendOnly>, Shield<SendOnly>);
yes!(Sync: Cancelled, CancelScope, OrCancelled<u8>, RunScope<u8>, Shield<u8>);
no!(Send: OrCancelled<Neither>, RunScope<Neither>, Shield<Neither>);
no!(Sync: OrCancelled<SendOnly>, RunScope<SendOnly>, Shield<SendOnly>);
yes!(Unpin: Cancelled, CancelScope, OrCancelled<u8>, RunScope<u8>, Shield<u8>);
yes!(Clone: Cancelled, CancelScope);
yes!(std::error::Error: Cancelled);
yes!(std::fmt::Debug: Cancelled, CancelScope, OrCancelled<u8>, RunScope<u8>, Shield<u8>);

type Group<F, T> = executor::task::futures::Group<std::future::Ready<F>, T, T>;

yes!(Send: ChildTask<SendOnly>, ChildFailed, GroupPolicy, StartError<SendOnly>, Started<Neither>, TaskError<SendOnly>, TaskErrors<SendOnly>, TaskGroup<SendOnly>, Group<SendOnly, SendOnly>);
yes!(Sync: ChildTask<SendOnly>, ChildFailed, GroupPolicy, StartError<u8>, TaskError<u8>, TaskErrors<u8>, TaskGroup<SendOnly>, Group<u8, u8>);
no!(Send: ChildTask<Neither>, StartError<Neither>, TaskError<Neither>, TaskErrors<Neither>, TaskGroup<Neither>, Group<Neither, u8>, Group<u8, Neither>);
no!(Sync: Started<u8>);
yes!(Unpin: ChildTask<u8>, ChildFailed, GroupPolicy, StartError<u8>, Started<u8>, TaskError<u8>, TaskErrors<u8>, TaskGroup<u8>, Group<u8, u8>);
yes!(Clone: ChildFailed, GroupPolicy, TaskGroup<Neither>);
yes!(std::error::Error: ChildFailed, StartError<std::fmt::Error>, TaskError<std::fmt::Error>, TaskErrors<std::fmt::Error>);
yes!(std::fmt::Debug: ChildTask<u8>, ChildFailed, GroupPolicy, StartError<u8>, Started<u8>, TaskError<u8>, TaskErrors<u8>, TaskGroup<u8>, Group<u8, u8>);

use executor::task::TaskTracker;
use executor::task::futures::{TaskTrackerToken, TrackedFuture};

yes!(Send: TaskTracker, TaskTrackerToken, TrackedFuture<SendOnly>);
yes!(Sync: TaskTracker, TaskTrackerToken, TrackedFuture<u8>);
yes!(Unpin: TaskTracker, TaskTrackerToken, TrackedFuture<u8>);
yes!(Clone: TaskTracker, TaskTrackerToken);
yes!(std::fmt::Debug: TaskTracker, TaskTrackerToken, TrackedFuture<u8>);
yes!(Send: executor::task::Finalizer);
no!(Sync: executor::task::Finalizer);
yes!(Unpin: executor::task::Finalizer);
yes!(std::fmt::Debug: executor::task::Finalizer);

type TaskBuilder = executor::task::Builder<'static>;

yes!(Send: TaskBuilder);
yes!(Sync: TaskBuilder);
yes!(Unpin: TaskBuilder);
yes!(UnwindSafe: TaskBuilder);
yes!(RefUnwindSafe: TaskBuilder);

type Coop<T> = executor::task::coop::Coop<std::future::Ready<T>>;
type Unconstrained<T> = executor::task::coop::Unconstrained<std::future::Ready<T>>;

yes!(Send: Coop<SendOnly>, Unconstrained<SendOnly>);
yes!(Sync: Coop<u8>, Unconstrained<u8>);
yes!(Unpin: Coop<u8>, Unconstrained<u8>, RestoreOnPending);
no!(Send: Coop<Neither>, Unconstrained<Neither>, RestoreOnPending);
no!(Sync: Coop<SendOnly>, Unconstrained<SendOnly>, RestoreOnPending);

yes!(UnwindSafe: JoinHandle<Neither>, JoinHandle<&'static Cell<u8>>, AbortHandle, JoinError);
yes!(RefUnwindSafe: JoinHandle<Cell<u8>>, AbortHandle, JoinError);

yes!(Clone: Handle, AbortHandle, Id, Instant, RuntimeFlavor, MissedTickBehavior);
no!(Clone: Runtime, JoinHandle<u8>, Sleep);
yes!(std::error::Error: JoinError, Elapsed, TryCurrentError);
yes!(std::fmt::Debug: Runtime, Handle, Builder, EnterGuard<'static>, JoinHandle<Neither>, AbortHandle, JoinError, Id, Sleep, Interval);

no!(Send: LocalSet, LocalEnterGuard, LocalRuntime, LocalOptions);
no!(Sync: LocalSet, LocalEnterGuard, LocalRuntime, LocalOptions);
yes!(Unpin: LocalSet, LocalEnterGuard, LocalRuntime, LocalOptions);
yes!(UnwindSafe: LocalRuntime);
yes!(RefUnwindSafe: LocalRuntime);
no!(UnwindSafe: LocalSet);
no!(RefUnwindSafe: LocalSet);
no!(Clone: LocalSet, LocalRuntime);
yes!(std::fmt::Debug: LocalSet, LocalEnterGuard, LocalRuntime, LocalOptions);

#[test]
fn futures_of_the_public_functions_may_cross_threads() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>(_: &T) {}
    let runtime = crate::support::current_thread();
    let _entered = runtime.enter();
    let mut interval = executor::time::interval(std::time::Duration::from_secs(1));
    send(&executor::task::yield_now());
    sync(&executor::task::yield_now());
    send(&executor::task::coop::consume_budget());
    sync(&executor::task::coop::consume_budget());
    let mut set = JoinSet::<SendOnly>::new();
    send(&set.join_next());
    sync(&set.join_next());
    send(&set.shutdown());
    sync(&set.shutdown());
    send(&interval.tick());
    sync(&interval.tick());
    send(&executor::time::advance(std::time::Duration::ZERO));
    let mut child = Command::new("true").spawn().unwrap();
    send(&child.wait());
    sync(&child.wait());
    send(&child.kill());
    sync(&child.kill());
    send(&Command::new("true").output());
    sync(&child.wait_with_output());
    send(&executor::signal::ctrl_c());
    sync(&executor::signal::ctrl_c());
    let queue = executor::sync::mpmc::Queue::<SendOnly>::unbounded();
    send(&queue.push(std::cell::Cell::new(1)));
    send(&queue.pop_guarded());
    send(&queue.join());
    let limiter = executor::sync::CapacityLimiter::<u8>::new(1);
    send(&limiter.acquire_for(1));
    let lock = executor::sync::Mutex::new(std::cell::Cell::new(1));
    let condvar = executor::sync::Condvar::new();
    send(&condvar.wait_for(lock.try_lock().unwrap(), |_| true));
    send(&executor::sync::Event::new().wait());
    send(&executor::sync::BreakableBarrier::new(1).wait());
    send(&TcpStream::connect("127.0.0.1:1"));
    send(&TcpStream::connect_any("127.0.0.1:1"));
    send(&TcpListener::bind("127.0.0.1:0"));
    let (mut one, mut other) = executor::net::UnixStream::pair().unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    send(&executor::net::sendfile(&file, &mut (0..1), &mut one));
    send(&executor::net::splice(&mut one, &mut other));
    send(&executor::net::splice_bidirectional(&mut one, &mut other));
}

#[test]
fn futures_of_files_may_cross_threads_and_be_shared() {
    fn both<T: Send + Sync>(_: T) {}
    let file = File::from_std(std::fs::File::open("/dev/null").unwrap());
    both(fs::canonicalize(""));
    both(fs::copy("", ""));
    both(fs::create_dir(""));
    both(fs::create_dir_all(""));
    both(fs::hard_link("", ""));
    both(fs::metadata(""));
    both(fs::read(""));
    both(fs::read_dir(""));
    both(fs::read_link(""));
    both(fs::read_to_string(""));
    both(fs::remove_dir(""));
    both(fs::remove_dir_all(""));
    both(fs::remove_file(""));
    both(fs::rename("", ""));
    both(fs::symlink("", ""));
    both(fs::symlink_metadata(""));
    both(fs::try_exists(""));
    both(fs::write("", Vec::new()));
    both(OpenOptions::new().open(""));
    both(DirBuilder::new().create(""));
    both(File::open(""));
    both(File::create(""));
    both(file.sync_all());
    both(file.sync_data());
    both(file.set_len(0));
    both(file.set_times(FileTimes::new()));
    both(file.set_modified(std::time::SystemTime::now()));
    both(file.metadata());
    both(file.try_clone());
    both(file.into_std());
}

#[test]
fn debug_works_in_every_state() {
    crate::support::each_runtime(|runtime| {
        let (handle, task) = (
            runtime.handle().clone(),
            runtime.spawn(std::future::pending::<()>()),
        );
        let abort = task.abort_handle();
        let show = || format!("{handle:?} {task:?} {abort:?}");
        assert!(show().contains("JoinHandle"));
        assert!(
            format!(
                "{runtime:?} {:?} {:?}",
                Builder::new_multi_thread(),
                runtime.enter()
            )
            .contains("Runtime")
        );
        drop(runtime);
        assert!(show().contains("JoinHandle"));
    });
}

yes!(Send: Child, ChildStderr, ChildStdin, ChildStdout, Command);
yes!(Sync: Child, ChildStderr, ChildStdin, ChildStdout, Command);
yes!(Unpin: Child, ChildStderr, ChildStdin, ChildStdout, Command);
yes!(UnwindSafe: ChildStderr, ChildStdin, ChildStdout);
yes!(RefUnwindSafe: ChildStderr, ChildStdin, ChildStdout);
yes!(std::fmt::Debug: Child, ChildStderr, ChildStdin, ChildStdout, Command);

yes!(Send: Signal, SignalKind);
yes!(Sync: Signal, SignalKind);
yes!(Unpin: Signal, SignalKind);
yes!(UnwindSafe: SignalKind);
yes!(RefUnwindSafe: SignalKind);
yes!(std::fmt::Debug: Signal, SignalKind);

yes!(Send: IoInterest, Ready);
yes!(Sync: IoInterest, Ready);
yes!(Unpin: IoInterest, Ready);
yes!(UnwindSafe: IoInterest, Ready);
yes!(RefUnwindSafe: IoInterest, Ready);
yes!(Copy: IoInterest, Ready);
yes!(Ord: Ready);

// A panic leaves a runtime whole.
yes!(UnwindSafe: Runtime, Handle, TcpStream, TcpListener);
yes!(RefUnwindSafe: Runtime, Handle, TcpStream, TcpListener);

/// Has a descriptor, and the auto traits of `T`.
struct HasFd<T>(std::marker::PhantomData<T>);

impl<T> std::os::fd::AsRawFd for HasFd<T> {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        -1
    }
}

type Guard<T> = AsyncFdReadyGuard<'static, HasFd<T>>;
type MutGuard<T> = AsyncFdReadyMutGuard<'static, HasFd<T>>;

yes!(Send: AsyncFd<HasFd<u8>>, AsyncFd<HasFd<SendOnly>>, Guard<u8>, MutGuard<u8>, MutGuard<SendOnly>, TryIoError);
yes!(Send: AsyncFdRegisterError<u8>, AsyncFdRegisterError<SendOnly>);
no!(Send: AsyncFd<HasFd<Neither>>, Guard<SendOnly>, Guard<Neither>, MutGuard<Neither>, AsyncFdRegisterError<Neither>);
yes!(Sync: AsyncFd<HasFd<u8>>, Guard<u8>, MutGuard<u8>, AsyncFdRegisterError<u8>, TryIoError);
no!(Sync: AsyncFd<HasFd<SendOnly>>, Guard<SendOnly>, MutGuard<SendOnly>, AsyncFdRegisterError<SendOnly>);
yes!(Unpin: AsyncFd<HasFd<u8>>, Guard<Neither>, MutGuard<Neither>, AsyncFdRegisterError<u8>);
yes!(std::error::Error: AsyncFdRegisterError<Neither>);

#[test]
fn waits_for_a_descriptor_cross_threads_as_far_as_it_does() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>(_: &T) {}
    // Compiled, not run: there is no such descriptor.
    #[expect(unused)]
    fn waits(mut shared: AsyncFd<HasFd<u8>>, mut sent: AsyncFd<HasFd<SendOnly>>) {
        send(&shared.readable());
        sync(&shared.readable());
        send(&shared.ready(IoInterest::ERROR));
        send(&shared.writable_mut());
        sync(&shared.writable_mut());
        send(&sent.readable_mut());
        send(&sent.writable_mut());
        send(&sent.async_io_mut(IoInterest::READABLE, |_| Ok(())));
    }
}

type SetBuilder<T> = executor::task::join_set::Builder<'static, T>;

yes!(Send: SetBuilder<u8>, SetBuilder<SendOnly>);
no!(Send: SetBuilder<Neither>);
yes!(Sync: SetBuilder<u8>);
no!(Sync: SetBuilder<Neither>);

yes!(Send: HyperExecutor, HyperTimer, Stall, ThreadActivity);
yes!(Send: ShutdownReport, Straggler, StragglerKind, UnhandledPanic, UnobservedFailure);
yes!(Sync: HyperExecutor, HyperTimer, Stall, ThreadActivity);
yes!(Sync: ShutdownReport, Straggler, StragglerKind, UnhandledPanic, UnobservedFailure);
yes!(Unpin: HyperExecutor, HyperTimer, Stall, ThreadActivity);
yes!(Unpin: ShutdownReport, Straggler, StragglerKind, UnhandledPanic, UnobservedFailure);
yes!(UnwindSafe: HyperExecutor, HyperTimer, Stall, ThreadActivity);
yes!(UnwindSafe: ShutdownReport, Straggler, StragglerKind, UnhandledPanic, UnobservedFailure);
yes!(std::fmt::Debug: HyperExecutor, HyperTimer, Stall, ThreadActivity);
yes!(std::fmt::Debug: ShutdownReport, Straggler, StragglerKind, UnhandledPanic, UnobservedFailure);

#[cfg(executor_ledger)]
yes!(Send: executor::runtime::ledger::Entry);
#[cfg(executor_ledger)]
yes!(Sync: executor::runtime::ledger::Entry);

#[test]
fn every_public_type_is_in_these_tables() {
    use crate::support::source::{files, read, tokens};
    let mut listed = tokens(&read("tests/tests/auto_traits.rs"));
    // Those of features that the tests of the core do without.
    listed.extend(tokens(&read("tests/ecosystem/tests/auto_traits.rs")));
    // Public because traits name them: they have no name outside.
    let unnameable = ["Answer", "Token", "Plain", "WrapHandlesInRunning", "Caller"];
    for file in files("executor/src", "rs") {
        let tokens = tokens(&read(&file));
        for words in tokens.windows(3) {
            let is_type = words[0].is("pub") && (words[1].is("struct") || words[1].is("enum"));
            let name = &words[2];
            if is_type && name.is_word() && !unnameable.iter().any(|other| name.is(other)) {
                assert!(
                    listed.iter().any(|other| other.is(&name.text)),
                    "{file}: say here which auto traits `{}` has",
                    name.text
                );
            }
        }
    }
}

/// What `sync` has besides tokio's, generators, values that are inherited, and what debug mode tells.
mod waits {
    use super::*;
    use executor::runtime::{DebugEvent, DroppedTask, SlowPoll};
    use executor::stream::{Emitter, Generate, TryGenerate};
    use executor::sync::mpmc::{
        Buffer, ChannelStatistics, Closed, Fifo, Lifo, PushError, QueueStatistics, Receiver,
        Sender, SmallestFirst, TryPopError, TryPushError, WorkItem,
    };
    use executor::sync::{
        AlreadyBorrows, BarrierBroken, BreakableBarrier, CapacityLimiter, CapacityStatistics,
        CapacityToken, Condvar, Event, TryBorrowError,
    };
    use executor::task::ContextKey;

    type Body = fn(Emitter<SendOnly>) -> std::future::Ready<()>;
    type Generated = Generate<SendOnly, Body, std::future::Ready<()>>;
    type Tried = TryGenerate<SendOnly, u8, Body, std::future::Ready<()>>;

    yes!(Send: Event, Condvar, BreakableBarrier, CapacityLimiter, CapacityToken<'static>, CapacityStatistics<u8>);
    yes!(Sync: Event, Condvar, BreakableBarrier, CapacityLimiter, CapacityToken<'static>, CapacityStatistics<u8>);
    yes!(Send: Buffer<Fifo<SendOnly>>, Buffer<Lifo<SendOnly>>, Buffer<SmallestFirst<SendOnly>>, WorkItem<Fifo<SendOnly>>);
    yes!(Sync: Buffer<Fifo<SendOnly>>, Buffer<Lifo<SendOnly>>, Buffer<SmallestFirst<SendOnly>>, WorkItem<Fifo<u8>>);
    no!(Send: Buffer<Fifo<Neither>>, WorkItem<Fifo<Neither>>);
    no!(Sync: Buffer<Fifo<Neither>>, WorkItem<Fifo<SendOnly>>);
    yes!(Send: Sender<SendOnly>, Receiver<SendOnly>, PushError<SendOnly>, TryPushError<SendOnly>);
    yes!(Sync: Sender<SendOnly>, Receiver<SendOnly>, PushError<u8>, TryPushError<u8>);
    yes!(Send: ChannelStatistics, QueueStatistics);
    yes!(Clone: ChannelStatistics, QueueStatistics);
    no!(Send: Sender<Neither>, Receiver<Neither>);
    yes!(Clone: Buffer<Fifo<SendOnly>>, Sender<SendOnly>, Receiver<SendOnly>);
    yes!(std::error::Error: Closed, PushError<Neither>, TryPushError<Neither>, TryPopError, BarrierBroken, AlreadyBorrows, TryBorrowError);
    yes!(Send: Emitter<SendOnly>, Generated, Tried);
    no!(Send: Emitter<Neither>);
    yes!(Sync: ContextKey<SendOnly>);
    yes!(Send: DebugEvent, DroppedTask, SlowPoll);
    yes!(Sync: DebugEvent, DroppedTask, SlowPoll);
    yes!(std::fmt::Display: DebugEvent, DroppedTask, SlowPoll);
}

/// What waits for several tasks, children that borrow, and functions that the runtime calls.
mod compose {
    use super::*;
    use executor::macros::gathering::{Argument, Entry, GatherTuple};
    use executor::task::{
        AsCompleted, BlockingScope, BlockingScopeHandle, CallbackHandle, Concurrent,
        ConcurrentHandle, ConcurrentScope, DeferHandle, Gather, GatherSettled, ReturnWhen, Running,
        RunningTask, TryGather, Wait,
    };
    use executor::time::TimerHandle;
    use std::marker::PhantomPinned;

    type Children<T> = Concurrent<'static, std::future::Ready<T>>;
    type Pair<T> = GatherTuple<(Entry<T>, Entry<u8>)>;

    yes!(Send: Gather<SendOnly>, TryGather<SendOnly, SendOnly>, GatherSettled<SendOnly>, Pair<SendOnly>, AsCompleted<SendOnly>, Wait<SendOnly>, ReturnWhen, RunningTask<SendOnly>, Running<SendOnly>);
    yes!(Sync: Gather<u8>, TryGather<u8, SendOnly>, GatherSettled<u8>, Pair<u8>, AsCompleted<SendOnly>, Wait<u8>, ReturnWhen);
    no!(Send: Gather<Neither>, TryGather<Neither, u8>, GatherSettled<Neither>, Pair<Neither>, AsCompleted<Neither>, Wait<Neither>, RunningTask<Neither>, Running<Neither>);
    no!(Sync: Gather<SendOnly>, GatherSettled<SendOnly>, Pair<SendOnly>, Wait<SendOnly>, Argument<u8>);
    yes!(Unpin: Gather<PhantomPinned>, TryGather<PhantomPinned, u8>, GatherSettled<PhantomPinned>, Pair<PhantomPinned>, AsCompleted<PhantomPinned>, Wait<PhantomPinned>);
    yes!(Send: Children<SendOnly>, ConcurrentScope<'static>, ConcurrentHandle<SendOnly>, BlockingScope<'static, 'static>, BlockingScopeHandle<'static, SendOnly>);
    yes!(Sync: ConcurrentScope<'static>, ConcurrentHandle<SendOnly>, BlockingScope<'static, 'static>, BlockingScopeHandle<'static, SendOnly>);
    no!(Send: Children<Neither>, ConcurrentHandle<Neither>, BlockingScopeHandle<'static, Neither>);
    no!(Sync: Children<u8>);
    yes!(Unpin: ConcurrentScope<'static>, ConcurrentHandle<PhantomPinned>, BlockingScopeHandle<'static, PhantomPinned>);
    yes!(Clone: ReturnWhen, ConcurrentScope<'static>, DeferHandle, TimerHandle);
    no!(Clone: CallbackHandle<u8>, BlockingScope<'static, 'static>);
    yes!(Send: CallbackHandle<SendOnly>, DeferHandle, TimerHandle);
    yes!(Sync: CallbackHandle<SendOnly>, DeferHandle, TimerHandle);
    no!(Send: CallbackHandle<Neither>);
    yes!(Unpin: CallbackHandle<PhantomPinned>, DeferHandle, TimerHandle);
    yes!(std::fmt::Debug: Gather<Neither>, TryGather<Neither, u8>, GatherSettled<Neither>, Pair<Neither>, AsCompleted<Neither>, Wait<Neither>, ReturnWhen, RunningTask<Neither>);
    yes!(std::fmt::Debug: Children<Neither>, ConcurrentScope<'static>, BlockingScope<'static, 'static>, BlockingScopeHandle<'static, Neither>, CallbackHandle<Neither>, DeferHandle, TimerHandle);
}

/// Sockets and pipes, whole and in halves.
mod streams {
    use executor::net::unix::{self, UCred, pipe};
    use executor::net::{TcpSocket, UnixListener, UnixSocket, UnixStream, tcp};

    yes!(Send: TcpSocket, tcp::ReadHalf<'static>, tcp::WriteHalf<'static>, tcp::OwnedReadHalf, tcp::OwnedWriteHalf, tcp::ReuniteError);
    yes!(Sync: TcpSocket, tcp::ReadHalf<'static>, tcp::WriteHalf<'static>, tcp::OwnedReadHalf, tcp::OwnedWriteHalf, tcp::ReuniteError);
    yes!(Unpin: TcpSocket, tcp::ReadHalf<'static>, tcp::WriteHalf<'static>, tcp::OwnedReadHalf, tcp::OwnedWriteHalf, tcp::ReuniteError);
    yes!(Send: UnixStream, UnixListener, UnixSocket, unix::SocketAddr, UCred, pipe::Sender, pipe::Receiver, pipe::OpenOptions);
    yes!(Sync: UnixStream, UnixListener, UnixSocket, unix::SocketAddr, UCred, pipe::Sender, pipe::Receiver, pipe::OpenOptions);
    yes!(Unpin: UnixStream, UnixListener, UnixSocket, unix::SocketAddr, UCred, pipe::Sender, pipe::Receiver, pipe::OpenOptions);
    yes!(Send: unix::ReadHalf<'static>, unix::WriteHalf<'static>, unix::OwnedReadHalf, unix::OwnedWriteHalf, unix::ReuniteError);
    yes!(Sync: unix::ReadHalf<'static>, unix::WriteHalf<'static>, unix::OwnedReadHalf, unix::OwnedWriteHalf, unix::ReuniteError);
    yes!(Unpin: unix::ReadHalf<'static>, unix::WriteHalf<'static>, unix::OwnedReadHalf, unix::OwnedWriteHalf, unix::ReuniteError);
    yes!(UnwindSafe: TcpSocket, UnixStream, UnixListener, UnixSocket, pipe::Sender, pipe::Receiver, pipe::OpenOptions);
    yes!(RefUnwindSafe: TcpSocket, UnixStream, UnixListener, UnixSocket, pipe::Sender, pipe::Receiver, pipe::OpenOptions);
    yes!(std::error::Error: tcp::ReuniteError, unix::ReuniteError);
    yes!(Clone: unix::SocketAddr, UCred, pipe::OpenOptions);

    use std::panic::{RefUnwindSafe, UnwindSafe};

    #[test]
    fn futures_of_streams_may_cross_threads() {
        fn check<T: Send + Sync>(_: &T) {}
        let runtime = crate::support::current_thread();
        let _entered = runtime.enter();
        let (stream, _peer) = UnixStream::pair().unwrap();
        check(&stream.readable());
        check(&stream.writable());
        check(&stream.ready(super::IoInterest::READABLE));
        check(&UnixStream::connect("/nowhere"));
        check(
            &TcpSocket::new_v4()
                .unwrap()
                .connect(([127, 0, 0, 1], 1).into()),
        );
        let (sender, receiver) = pipe::pipe().unwrap();
        check(&sender.writable());
        check(&receiver.ready(super::IoInterest::READABLE));
    }
}

mod datagrams {
    use super::*;
    use executor::net::{UdpSocket, UnixDatagram};

    yes!(Send: UdpSocket, UnixDatagram);
    yes!(Sync: UdpSocket, UnixDatagram);
    yes!(Unpin: UdpSocket, UnixDatagram);
    yes!(UnwindSafe: UdpSocket, UnixDatagram);
    yes!(RefUnwindSafe: UdpSocket, UnixDatagram);

    #[test]
    fn operations_on_datagrams_may_cross_threads() {
        fn send<T: Send>(_: &T) {}
        // Compiled, not run: nothing is to be sent.
        #[expect(unused)]
        fn operations(udp: &UdpSocket, unix: &UnixDatagram, buffer: &mut [u8]) {
            send(&UdpSocket::bind("127.0.0.1:0"));
            send(&udp.connect("127.0.0.1:1"));
            send(&udp.send_to(b"x", "127.0.0.1:1"));
            send(&udp.recv_from(buffer));
            send(&udp.peek_from(buffer));
            send(&udp.ready(IoInterest::READABLE));
            send(&unix.send_to(b"x", "path"));
            send(&unix.recv_from(buffer));
            send(&unix.readable());
        }
    }
}
