//! Small whole lives of runtimes, for tools that look at a process from its start to its end: `ci/valgrind`.
//!
//! Each ends as programs do that leave nothing behind: every runtime has been dropped, every value is gone.

use std::future::{Future, pending};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpStream};
use executor::runtime::{Builder, LocalRuntime, Runtime};
use executor::task::{JoinSet, block_in_place, spawn_blocking, yield_now};
use executor::time::{interval, sleep, timeout};

/// The lives by their names, which the command line gives.
const LIVES: [(&str, fn()); 6] = [
    ("nothing", nothing),
    ("echo", echo),
    ("blocking", blocking),
    ("dropped", dropped),
    ("wakers", wakers),
    ("local", local),
];

fn main() {
    let wanted: Vec<_> = std::env::args().skip(1).collect();
    for name in &wanted {
        let (_, live) = LIVES
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| {
                let known = LIVES.map(|(name, _)| name).join(", ");
                panic!("no such life: {name}. There are {known}")
            });
        live();
        println!("{name} has ended");
    }
}

/// One of each flavour.
fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap(),
        Builder::new_current_thread().build().unwrap(),
    ]
}

/// Starts and ends, with and without a task in between.
fn nothing() {
    drop(runtimes());
    for runtime in runtimes() {
        let task = runtime.spawn(async { String::from("output") });
        assert_eq!(runtime.block_on(task).unwrap(), "output");
        // An output that nobody takes.
        drop(runtime.spawn(async { vec![1; 100] }));
    }
}

/// Connections, and timers of which some fire and some are given up.
fn echo() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = executor::spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    executor::spawn(async move {
                        let (mut reader, mut writer) = stream.split();
                        executor::io::copy(&mut reader, &mut writer).await
                    });
                }
            });
            let mut clients = JoinSet::new();
            for byte in 0..20_u8 {
                clients.spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    let mut ticks = interval(Duration::from_millis(1));
                    for _ in 0..5 {
                        ticks.tick().await;
                        stream.write_all(&[byte; 64]).await.unwrap();
                        let mut answer = [0; 64];
                        let read = stream.read_exact(&mut answer);
                        timeout(Duration::from_secs(600), read)
                            .await
                            .unwrap()
                            .unwrap();
                        assert_eq!(answer, [byte; 64]);
                    }
                });
            }
            while let Some(client) = clients.join_next().await {
                client.unwrap();
            }
            server.abort();
            assert!(server.await.unwrap_err().is_cancelled());
        });
    }
}

/// The blocking pool, files, a seat that is handed over, and a panic.
fn blocking() {
    std::panic::set_hook(Box::new(|_| ()));
    for runtime in runtimes() {
        runtime.block_on(async {
            let jobs: Vec<_> = (0..8)
                .map(|n| spawn_blocking(move || vec![n; 100]))
                .collect();
            for job in jobs {
                assert_eq!(job.await.unwrap().len(), 100);
            }
            assert!(
                executor::fs::read("/proc/self/cmdline")
                    .await
                    .unwrap()
                    .len()
                    > 1
            );
            let panicked = executor::spawn(async { panic!("expected") });
            assert!(panicked.await.unwrap_err().is_panic());
        });
    }
    let [runtime, _] = runtimes();
    let places = (0..4).map(|_| runtime.spawn(async { block_in_place(thread::yield_now) }));
    for task in places.collect::<Vec<_>>() {
        runtime.block_on(task).unwrap();
    }
}

/// Runtimes end while tasks wait for everything there is to wait for.
fn dropped() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (sender, receiver) = executor::sync::oneshot::channel::<String>();
            for _ in 0..10 {
                spawn_owning(pending());
                spawn_owning(sleep(Duration::from_secs(3600)));
                spawn_owning(async { spinning().await });
            }
            spawn_owning(async move {
                let _ = listener.accept().await;
                let _ = listener.accept().await;
            });
            spawn_owning(async move {
                let _ = stream.read(&mut [0]).await;
            });
            spawn_owning(async move {
                let _ = receiver.await;
            });
            spawn_owning(async move {
                let _sender = sender;
                pending().await
            });
            for _ in 0..100 {
                yield_now().await;
            }
        });
        let mut set = JoinSet::new();
        (0..10).for_each(|_| _ = set.spawn_on(pending::<()>(), runtime.handle()));
        drop(runtime);
        drop(set);
    }
}

async fn spinning() {
    loop {
        yield_now().await;
    }
}

/// Spawns a task that also has a value to drop.
fn spawn_owning(future: impl Future<Output = ()> + Send + 'static) {
    let value = String::from("dropped with the task");
    drop(executor::spawn(async move {
        future.await;
        drop(value);
    }));
}

/// Wakers and handles that outlive their runtime, on another thread.
fn wakers() {
    for runtime in runtimes() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let foreign = thread::spawn(move || {
            for waker in receiver {
                let waker: std::task::Waker = waker;
                waker.wake_by_ref();
                drop(waker.clone());
                waker.wake();
            }
        });
        let handles: Vec<_> = (0..50)
            .map(|_| {
                let sender = sender.clone();
                let mut polls = 0;
                runtime.spawn(std::future::poll_fn(move |cx| {
                    polls += 1;
                    let _ = sender.send(cx.waker().clone());
                    match polls {
                        3 => std::task::Poll::Ready(Arc::new(polls)),
                        _ => std::task::Poll::Pending,
                    }
                }))
            })
            .collect();
        runtime.block_on(yield_now());
        drop(sender);
        drop(runtime);
        foreign.join().unwrap();
        drop(handles);
    }
}

/// Tasks that are not `Send`.
fn local() {
    let runtime = LocalRuntime::new().unwrap();
    let value = std::rc::Rc::new(1);
    let task = runtime.spawn_local({
        let value = value.clone();
        async move { *value }
    });
    assert_eq!(runtime.block_on(task).unwrap(), 1);
    drop(runtime.spawn_local(async move {
        pending::<()>().await;
        drop(value);
    }));
    runtime.block_on(yield_now());
}
