//! `Debug` of what has a life: before it is used, in the middle, when it has ended, and when its runtime has.

use std::fmt::Debug;
use std::future::pending;
use std::time::Duration;

use executor::fs::File;
use executor::io::Interest;
use executor::io::unix::AsyncFd;
use executor::net::unix::pipe;
use executor::net::{
    TcpListener, TcpSocket, UdpSocket, UnixDatagram, UnixListener, UnixSocket, UnixStream,
};
use executor::process::Command;
use executor::runtime::LocalRuntime;
use executor::signal::unix::{SignalKind, signal};
use executor::task::{JoinSet, LocalSet};
use executor::time::{interval, sleep, timeout};

use crate::support::{Directory, each_runtime, pair, poll_once, within};

/// Values, and the name that each of them must show, whatever has become of it.
#[derive(Default)]
struct Shown(Vec<(&'static str, Box<dyn Debug>)>);

impl Shown {
    fn add(&mut self, name: &'static str, value: impl Debug + 'static) {
        self.0.push((name, Box::new(value)));
    }

    fn show(&self) {
        for (name, value) in &self.0 {
            for text in [format!("{value:?}"), format!("{value:#?}")] {
                assert!(text.contains(name), "{name}: {text}");
            }
        }
    }
}

#[test]
fn everything_that_outlives_its_runtime_can_be_printed() {
    within(60, || {
        each_runtime(|runtime| {
            let mut shown = Shown::default();
            shown.add("Handle", runtime.handle().clone());
            shown.add("RuntimeMetrics", runtime.metrics());
            shown.add("JoinHandle", runtime.spawn(async {}));
            shown.add("JoinHandle", runtime.spawn(async { panic!("seen") }));
            shown.add("JoinHandle", runtime.spawn(pending::<()>()));
            shown.add("AbortHandle", runtime.spawn(pending::<()>()).abort_handle());
            shown.add("JoinHandle", runtime.spawn_blocking(|| ()));
            runtime.block_on(async {
                let mut set = JoinSet::new();
                shown.add("JoinSet", JoinSet::<()>::new());
                set.spawn(async {});
                set.spawn(pending());
                set.join_next().await.unwrap().unwrap();
                shown.add("JoinSet", set);

                let mut polled = Box::pin(sleep(Duration::from_secs(3600)));
                assert!(poll_once(polled.as_mut()).is_pending());
                shown.add("Sleep", polled);
                let mut over = Box::pin(sleep(Duration::ZERO));
                over.as_mut().await;
                shown.add("Sleep", over);
                shown.add("Sleep", sleep(Duration::MAX));
                shown.add("Timeout", timeout(Duration::ZERO, pending::<()>()));
                let mut ticks = interval(Duration::from_secs(3600));
                ticks.tick().await;
                shown.add("Interval", ticks);

                let directory = Directory::new();
                let (one, other) = pair().await;
                let (reader, writer) = one.into_split();
                shown.add("TcpStream", other);
                shown.add("OwnedReadHalf", reader);
                shown.add("OwnedWriteHalf", writer);
                shown.add(
                    "TcpListener",
                    TcpListener::bind("127.0.0.1:0").await.unwrap(),
                );
                shown.add("Socket", TcpSocket::new_v4().unwrap());
                shown.add("UdpSocket", UdpSocket::bind("127.0.0.1:0").await.unwrap());
                let (one, other) = UnixStream::pair().unwrap();
                assert!(poll_once(std::pin::pin!(one.readable())).is_pending());
                shown.add("UnixStream", one);
                shown.add("OwnedReadHalf", other.into_split().0);
                let listener = UnixListener::bind(directory.file("s")).unwrap();
                assert!(poll_once(std::pin::pin!(listener.accept())).is_pending());
                shown.add("UnixListener", listener);
                shown.add("UnixSocket", UnixSocket::new_stream().unwrap());
                shown.add("UnixDatagram", UnixDatagram::unbound().unwrap());
                let (sender, receiver) = pipe::pipe().unwrap();
                drop(sender);
                shown.add("Receiver", receiver);
                let (ours, peer) = std::os::unix::net::UnixStream::pair().unwrap();
                drop(peer);
                ours.set_nonblocking(true).unwrap();
                let ours = AsyncFd::with_interest(ours, Interest::READABLE).unwrap();
                ours.readable().await.unwrap().clear_ready();
                shown.add("AsyncFd", ours);

                shown.add("File", File::open("/dev/null").await.unwrap());
                shown.add("ReadDir", executor::fs::read_dir("/").await.unwrap());
                shown.add("Stdin", executor::io::stdin());
                shown.add("Stdout", executor::io::stdout());
                shown.add("Command", Command::new("true"));
                let mut child = Command::new("true").spawn().unwrap();
                child.wait().await.unwrap();
                shown.add("Child", child);
                shown.add("Signal", signal(SignalKind::child()).unwrap());
            });
            shown.show();
            drop(runtime);
            shown.show();
        });
    });
}

#[test]
fn sets_of_local_tasks_can_be_printed_by_their_own_tasks() {
    within(30, || {
        let runtime = LocalRuntime::new().unwrap();
        assert!(format!("{runtime:?}").contains("LocalRuntime"));
        let set = std::rc::Rc::new(LocalSet::new());
        let inside = set.clone();
        runtime.block_on(set.run_until(async move {
            let task = executor::task::spawn_local(async move { format!("{inside:?}") });
            assert!(format!("{task:?}").contains("JoinHandle"));
            assert!(task.await.unwrap().contains("LocalSet"));
        }));
    });
}

#[test]
fn what_was_refused_or_has_failed_can_be_printed() {
    within(30, || {
        each_runtime(|runtime| {
            let _entered = runtime.enter();
            // A regular file.
            let file = std::fs::File::open("/proc/self/exe").unwrap();
            let refused = AsyncFd::register(file).unwrap_err();
            assert!(format!("{refused:?} {refused}").contains("not permitted"));
            let error = runtime
                .block_on(runtime.spawn(async { panic!("seen") }))
                .unwrap_err();
            assert!(format!("{error:?} {error}").contains("seen"));
            let error = runtime.block_on(async { timeout(Duration::ZERO, pending::<()>()).await });
            assert!(format!("{error:?}").contains("Elapsed"));
        });
    });
}
