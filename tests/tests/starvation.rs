//! Tasks that never stop keep every worker busy: what comes from outside gets through all the same, be it a task, a wake, an event of a
//! socket, a timer or a closure's end.

use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::net as unix;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{UdpSocket, UnixStream};
use executor::runtime::{Handle, LocalRuntime};
use executor::task::{coop::consume_budget, spawn_local, yield_now};
use executor::time::{MissedTickBehavior, interval, sleep};
use futures::channel::{mpsc, oneshot};
use futures::{FutureExt, StreamExt};

use crate::support::{block_on, current_thread, until, within, workers};

/// What the tasks of a storm do, without end.
#[derive(Clone, Copy, Debug)]
enum Storm {
    /// They step back behind the others, which costs next to nothing.
    Yields,
    /// They never wait, and are made to step back.
    Computes,
}

const STORMS: [Storm; 2] = [Storm::Yields, Storm::Computes];

/// How many tasks of a storm there are for each worker.
const TASKS: usize = 300;

/// How often a test makes sure that it was not luck.
const TIMES: usize = 20;

/// Told to stop when dropped.
#[derive(Clone, Default)]
struct Until(Arc<AtomicBool>);

impl Until {
    fn is_over(&self) -> bool {
        self.0.load(SeqCst)
    }

    fn end(&self) {
        self.0.store(true, SeqCst);
    }
}

impl Storm {
    async fn rage(self, over: Until) {
        while !over.is_over() {
            match self {
                Self::Yields => yield_now().await,
                Self::Computes => consume_budget().await,
            }
        }
    }
}

/// Calls `outside` on a thread that is none of the runtime's, while the runtime's workers have a storm each.
fn beside_storms(outside: impl Fn(&Handle)) {
    for storm in STORMS {
        for (runtime, workers) in [(workers(1), 1), (workers(2), 2), (current_thread(), 1)] {
            let (end, ended) = oneshot::channel::<()>();
            let handle = runtime.handle().clone();
            let driver = thread::spawn(move || runtime.block_on(ended.map(drop)));
            let over = Until::default();
            let began = Arc::new(AtomicUsize::new(0));
            for _ in 0..TASKS * workers {
                let (began, over) = (began.clone(), over.clone());
                handle.spawn(async move {
                    began.fetch_add(1, SeqCst);
                    storm.rage(over).await;
                });
            }
            within(60, || {
                until(|| began.load(SeqCst) == TASKS * workers);
                outside(&handle);
                // The future given to `block_on` has its turn, too.
                drop(end);
                driver.join().unwrap();
            });
            over.end();
        }
    }
}

#[test]
fn tasks_that_are_spawned_outside_run_beside_a_storm() {
    beside_storms(|handle| {
        for n in 0..TIMES {
            assert_eq!(block_on(handle.spawn(async move { n })).unwrap(), n);
        }
    });
}

#[test]
fn tasks_that_are_woken_outside_run_beside_a_storm() {
    beside_storms(|handle| {
        let (ask, mut asked) = mpsc::unbounded::<oneshot::Sender<()>>();
        handle.spawn(async move {
            while let Some(answer) = asked.next().await {
                answer.send(()).unwrap();
            }
        });
        for _ in 0..TIMES {
            let (answer, answered) = oneshot::channel();
            ask.unbounded_send(answer).unwrap();
            block_on(answered).unwrap();
        }
    });
}

#[test]
fn sockets_are_heard_beside_a_storm() {
    beside_storms(|handle| {
        let (ours, peer) = unix::UnixStream::pair().unwrap();
        let _entered = handle.enter();
        handle.spawn(echo(UnixStream::from_std(ours).unwrap()));
        assert_echoes(&peer);
    });
}

#[test]
fn timers_fire_beside_a_storm() {
    beside_storms(|handle| {
        let sleeper = handle.spawn(async {
            for _ in 0..TIMES {
                sleep(Duration::from_millis(1)).await;
            }
        });
        block_on(sleeper).unwrap();
    });
}

#[test]
fn closures_that_have_ended_are_heard_beside_a_storm() {
    beside_storms(|handle| {
        let waiting = handle.spawn(async {
            for n in 0..TIMES {
                let closure = executor::task::spawn_blocking(move || n);
                assert_eq!(closure.await.unwrap(), n);
            }
        });
        block_on(waiting).unwrap();
    });
}

#[test]
fn everything_gets_through_to_a_local_runtime_with_a_storm() {
    for storm in STORMS {
        let (ours, peer) = unix::UnixStream::pair().unwrap();
        let (ask, mut asked) = mpsc::unbounded::<oneshot::Sender<()>>();
        let over = Until::default();
        let outside = thread::spawn({
            let over = over.clone();
            move || {
                assert_echoes(&peer);
                for _ in 0..TIMES {
                    let (answer, answered) = oneshot::channel();
                    ask.unbounded_send(answer).unwrap();
                    block_on(answered).unwrap();
                }
                // The tasks below end.
                drop((peer, ask));
                over
            }
        });
        within(60, || {
            LocalRuntime::new().unwrap().block_on(async {
                for _ in 0..TASKS {
                    spawn_local(storm.rage(over.clone()));
                }
                let echo = spawn_local(echo(UnixStream::from_std(ours).unwrap()));
                let answers = spawn_local(async move {
                    while let Some(answer) = asked.next().await {
                        answer.send(()).unwrap();
                    }
                });
                for _ in 0..TIMES {
                    sleep(Duration::from_millis(1)).await;
                }
                echo.await.unwrap();
                answers.await.unwrap();
            });
        });
        outside.join().unwrap().end();
    }
}

/// Runs two futures as tasks of a runtime with one thread: an endless one, and beside it a timer that ticks every 10 ms. The second must get on.
fn ticks_beside<F: Future<Output = ()> + Send + 'static>(endless: impl Fn(Until) -> F) {
    for runtime in [workers(1), current_thread()] {
        let over = Until::default();
        let endless = endless(over.clone());
        within(60, || {
            runtime.block_on(async {
                let endless = executor::spawn(endless);
                let ticks = executor::spawn(async {
                    let mut interval = interval(Duration::from_millis(10));
                    // So that each tick is one more wait.
                    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    for _ in 0..TIMES {
                        interval.tick().await;
                    }
                });
                ticks.await.unwrap();
                over.end();
                endless.await.unwrap();
            });
        });
    }
}

#[test]
fn a_timer_ticks_beside_a_peer_that_sends_faster_than_we_read() {
    ticks_beside(|over| {
        let (ours, mut peer) = unix::UnixStream::pair().unwrap();
        // Until nobody reads any more.
        thread::spawn(move || while peer.write(&[0; 64 << 10]).is_ok() {});
        async move {
            let mut ours = UnixStream::from_std(ours).unwrap();
            while !over.is_over() {
                // What one call of the peer sends lasts for thousands of ours.
                assert_eq!(ours.read(&mut [0]).await.unwrap(), 1);
            }
        }
    });
}

#[test]
fn a_timer_ticks_beside_one_that_sends_for_ever() {
    ticks_beside(|over| {
        let nobody_reads = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        async move {
            let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let there = nobody_reads.local_addr().unwrap();
            while !over.is_over() {
                ours.send_to(b"x", there).await.unwrap();
            }
        }
    });
}

#[test]
fn a_timer_ticks_beside_a_storm() {
    for storm in STORMS {
        ticks_beside(move |over| async move {
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| executor::spawn(storm.rage(over.clone())))
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

/// Tasks that wake each other through the next slot do not count, and must not keep the queue waiting either.
#[test]
fn a_timer_ticks_beside_two_tasks_that_wake_each_other() {
    ticks_beside(|over| async move {
        let (ping, mut pings) = mpsc::unbounded();
        let (pong, mut pongs) = mpsc::unbounded();
        let other = executor::spawn(async move {
            while pings.next().await.is_some() {
                pong.unbounded_send(()).unwrap();
            }
        });
        while !over.is_over() {
            ping.unbounded_send(()).unwrap();
            pongs.next().await.unwrap();
        }
        drop(ping);
        other.await.unwrap();
    });
}

async fn echo(mut stream: UnixStream) {
    let mut byte = [0];
    while stream.read(&mut byte).await.unwrap() > 0 {
        stream.write_all(&byte).await.unwrap();
    }
}

fn assert_echoes(mut peer: &unix::UnixStream) {
    for n in 0..TIMES as u8 {
        peer.write_all(&[n]).unwrap();
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [n]);
    }
}
