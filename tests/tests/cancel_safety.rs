//! Cancel safety: each operation is dropped after k polls, for every k until it is done, and nothing is lost or left behind.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use executor::io::unix::AsyncFd;
use executor::io::{AsyncReadExt, AsyncWriteExt, Interest};
use executor::net::{
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream, unix::pipe,
};
use executor::process::Command;
use executor::signal::unix::{SignalKind, signal};
use executor::sync::mpmc::{self, Queue};
use executor::sync::{BreakableBarrier, CapacityLimiter, Condvar, Event, Mutex};
use executor::task::{
    JoinSet, TaskTracker, as_completed, checkpoint, consume_budget, running, spawn, yield_now,
};
use executor::time::{Instant, interval, sleep, timeout};
use futures::StreamExt;

use crate::support::{Directory, each_runtime, pair, within};

/// An operation on something, which it borrows.
pub(crate) type Op<'a, O> = Pin<Box<dyn Future<Output = O> + 'a>>;

/// Knows whether it was woken, and passes that on.
struct Told {
    woken: AtomicBool,
    outer: Waker,
}

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.outer.wake_by_ref();
    }
}

/// One poll, of which it is seen whether it led to a wake.
async fn poll<O>(op: &mut Op<'_, O>) -> (Arc<Told>, Poll<O>) {
    std::future::poll_fn(|cx| {
        let told = Arc::new(Told {
            woken: AtomicBool::new(false),
            outer: cx.waker().clone(),
        });
        let waker = Waker::from(told.clone());
        let result = op.as_mut().poll(&mut Context::from_waker(&waker));
        Poll::Ready((told, result))
    })
    .await
}

async fn until_woken(told: &Told) {
    std::future::poll_fn(|_| match told.woken.load(SeqCst) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// For each k: makes the world anew, polls the operation up to k times, each time when it was woken, drops it, and checks what is left; once
/// dropped after the poll, and once after what would have led to the next. `help` makes the operation possible, after the first poll or after the drop.
pub(crate) async fn dropped_after_each_poll<A, B, O>(
    new: impl AsyncFn() -> (A, B),
    op: impl for<'a> Fn(&'a mut A) -> Op<'a, O>,
    help: impl AsyncFn(&mut B),
    check: impl AsyncFn(A, B, Option<O>),
) {
    for (polls, late) in (0..1000).flat_map(|polls| [(polls, false), (polls, true)]) {
        let (mut subject, mut other) = new().await;
        let mut output = None;
        let mut helped = false;
        let mut op = op(&mut subject);
        let mut told: Option<Arc<Told>> = None;
        for poll in 0..=polls {
            if let Some(told) = &told
                && (late || poll < polls)
            {
                if !helped {
                    help(&mut other).await;
                    helped = true;
                }
                until_woken(told).await;
            }
            if poll == polls {
                break;
            }
            let (waker, result) = self::poll(&mut op).await;
            if let Poll::Ready(ready) = result {
                output = Some(ready);
                break;
            }
            told = Some(waker);
        }
        drop(op);
        if !helped {
            help(&mut other).await;
        }
        let done = output.is_some();
        check(subject, other, output).await;
        if done {
            return;
        }
    }
    panic!("it does not end");
}

/// On each runtime, under a hang limit.
pub(crate) fn on_each(test: impl AsyncFn()) {
    within(60, || {
        each_runtime(|runtime| runtime.block_on(test()));
    });
}

#[test]
fn a_read_that_is_dropped_loses_no_byte() {
    on_each(async || {
        dropped_after_each_poll(
            pair,
            |stream| {
                Box::pin(async {
                    let mut buffer = [0; 16];
                    let read = stream.read(&mut buffer).await.unwrap();
                    buffer[..read].to_vec()
                })
            },
            async |peer: &mut TcpStream| peer.write_all(b"hello").await.unwrap(),
            rest_is_hello,
        )
        .await;
        dropped_after_each_poll(
            pair,
            |stream| {
                Box::pin(async {
                    stream
                        .async_io(Interest::READABLE, || stream.try_read(&mut [0; 0]))
                        .await
                        .unwrap();
                    stream.peek(&mut [0; 2]).await.unwrap();
                    stream.readable().await.unwrap();
                    Vec::new()
                })
            },
            async |peer: &mut TcpStream| peer.write_all(b"hello").await.unwrap(),
            rest_is_hello,
        )
        .await;
    });
}

/// What the operation has read, and what is left.
async fn rest_is_hello(mut stream: TcpStream, peer: TcpStream, read: Option<Vec<u8>>) {
    let mut all = read.unwrap_or_default();
    drop(peer);
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"hello");
}

#[test]
fn a_read_of_a_pipe_or_a_unix_stream_that_is_dropped_loses_no_byte() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let (sender, receiver) = pipe::pipe().unwrap();
                (receiver, sender)
            },
            |receiver| {
                Box::pin(async {
                    let mut buffer = [0; 16];
                    let read = receiver.read(&mut buffer).await.unwrap();
                    buffer[..read].to_vec()
                })
            },
            async |sender: &mut pipe::Sender| sender.write_all(b"hello").await.unwrap(),
            async |mut receiver, sender, read: Option<Vec<u8>>| {
                let mut all = read.unwrap_or_default();
                drop(sender);
                receiver.read_to_end(&mut all).await.unwrap();
                assert_eq!(all, b"hello");
            },
        )
        .await;
        dropped_after_each_poll(
            async || UnixStream::pair().unwrap(),
            |stream| {
                Box::pin(async {
                    let mut buffer = [0; 16];
                    let read = stream.read(&mut buffer).await.unwrap();
                    buffer[..read].to_vec()
                })
            },
            async |peer: &mut UnixStream| peer.write_all(b"hello").await.unwrap(),
            async |mut stream, peer, read: Option<Vec<u8>>| {
                let mut all = read.unwrap_or_default();
                drop(peer);
                stream.read_to_end(&mut all).await.unwrap();
                assert_eq!(all, b"hello");
            },
        )
        .await;
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                (listener, (address, None))
            },
            |listener| Box::pin(async { listener.accept().await.unwrap() }),
            async |(address, connected)| {
                *connected = Some(TcpStream::connect(*address).await.unwrap());
            },
            async |listener: TcpListener, (_, connected): (_, Option<TcpStream>), accepted| {
                let (_, peer) = match accepted {
                    Some(accepted) => accepted,
                    None => listener.accept().await.unwrap(),
                };
                assert_eq!(peer, connected.unwrap().local_addr().unwrap());
            },
        )
        .await;
        let directory = Directory::new();
        dropped_after_each_poll(
            async || {
                let path = directory.file("socket");
                let _ = std::fs::remove_file(&path);
                (UnixListener::bind(&path).unwrap(), path)
            },
            |listener| Box::pin(async { drop(listener.accept().await.unwrap()) }),
            async |path| drop(UnixStream::connect(path).await.unwrap()),
            async |listener: UnixListener, _, accepted| {
                if accepted.is_none() {
                    listener.accept().await.unwrap();
                }
            },
        )
        .await;
    });
}

#[test]
fn a_receive_that_is_dropped_loses_no_datagram() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                peer.connect(socket.local_addr().unwrap()).await.unwrap();
                (socket, peer)
            },
            |socket| {
                Box::pin(async {
                    socket.peek_from(&mut [0; 8]).await.unwrap();
                    socket.recv_from(&mut [0; 8]).await.unwrap()
                })
            },
            async |peer: &mut UdpSocket| assert_eq!(peer.send(b"one").await.unwrap(), 3),
            async |socket: UdpSocket, peer, received| {
                let (read, from) = match received {
                    Some(received) => received,
                    None => socket.recv_from(&mut [0; 8]).await.unwrap(),
                };
                assert_eq!((read, from), (3, peer.local_addr().unwrap()));
            },
        )
        .await;
        dropped_after_each_poll(
            async || UnixDatagram::pair().unwrap(),
            |socket| Box::pin(async { socket.recv(&mut [0; 8]).await.unwrap() }),
            async |peer: &mut UnixDatagram| assert_eq!(peer.send(b"one").await.unwrap(), 3),
            async |socket: UnixDatagram, _peer, received| {
                let read = match received {
                    Some(read) => read,
                    None => socket.recv(&mut [0; 8]).await.unwrap(),
                };
                assert_eq!(read, 3);
            },
        )
        .await;
    });
}

#[test]
fn waiting_for_a_descriptor_that_is_dropped_leaves_its_readiness() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let (ours, peer) = std::os::unix::net::UnixStream::pair().unwrap();
                ours.set_nonblocking(true).unwrap();
                (AsyncFd::new(ours).unwrap(), peer)
            },
            |fd| Box::pin(async { drop(fd.readable().await.unwrap()) }),
            async |peer| std::io::Write::write_all(peer, b"x").unwrap(),
            async |fd: AsyncFd<_>, _peer, _| drop(fd.readable().await.unwrap()),
        )
        .await;
    });
}

#[test]
fn a_queue_loses_no_item_and_no_room() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let queue = Queue::bounded(1);
                (queue.clone(), queue)
            },
            |queue| Box::pin(async { queue.pop().await.unwrap() }),
            async |queue: &mut Queue<u32>| queue.push(7).await.unwrap(),
            async |queue, _, popped| {
                let item = match popped {
                    Some(item) => item,
                    None => queue.pop().await.unwrap(),
                };
                assert_eq!((item, queue.len()), (7, 0));
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let queue = Queue::bounded(1);
                queue.try_push(1).unwrap();
                (queue.clone(), queue)
            },
            |queue| Box::pin(async { queue.push(2).await.unwrap() }),
            async |queue: &mut Queue<u32>| assert_eq!(queue.pop().await, Ok(1)),
            async |queue, _, pushed| {
                assert_eq!(queue.len(), usize::from(pushed.is_some()));
                if pushed.is_none() {
                    queue.push(2).await.unwrap();
                }
                assert_eq!(queue.pop().await, Ok(2));
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let queue = Queue::unbounded();
                queue.try_push(1).unwrap();
                let item = queue.pop_guarded().await.unwrap();
                (queue, Some(item))
            },
            |queue: &mut Queue<u32>| Box::pin(async { queue.join().await }),
            async |item| drop(item.take()),
            async |queue, _, _| queue.join().await,
        )
        .await;
        dropped_after_each_poll(
            async || {
                let (sender, receiver) = mpmc::channel(1);
                (receiver, sender)
            },
            |receiver| Box::pin(async { receiver.recv().await.unwrap() }),
            async |sender: &mut mpmc::Sender<u32>| sender.send(7).await.unwrap(),
            async |receiver, _sender, received| {
                let item = match received {
                    Some(item) => item,
                    None => receiver.recv().await.unwrap(),
                };
                assert_eq!(item, 7);
            },
        )
        .await;
    });
}

#[test]
fn events_barriers_tokens_and_conditions_are_as_before() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let event = Arc::new(Event::new());
                (event.clone(), event)
            },
            |event| Box::pin(async { event.wait().await }),
            async |event: &mut Arc<Event>| event.set(),
            async |event, _, _| event.wait().await,
        )
        .await;
        dropped_after_each_poll(
            async || {
                let limiter = Arc::new(CapacityLimiter::<u32>::new(1));
                limiter.set_total_tokens(0);
                (limiter.clone(), limiter)
            },
            |limiter| Box::pin(async { drop(limiter.acquire_for(2).await.unwrap()) }),
            async |limiter: &mut Arc<CapacityLimiter<u32>>| limiter.set_total_tokens(1),
            async |limiter, _, _| {
                assert_eq!(limiter.borrowed_tokens(), 0);
                drop(limiter.acquire_for(2).await.unwrap());
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let barrier = Arc::new(BreakableBarrier::new(2));
                (barrier.clone(), barrier)
            },
            |barrier| Box::pin(async { barrier.wait().await.unwrap() }),
            async |barrier: &mut Arc<BreakableBarrier>| {
                let other = barrier.clone();
                let task = spawn(async move { other.wait().await });
                while barrier.waiting() == 0 && !task.is_finished() {
                    yield_now().await;
                }
            },
            async |barrier, _, passed| {
                // The other has come alone, after the drop.
                if passed.is_none() && barrier.waiting() == 1 {
                    barrier.wait().await.unwrap();
                }
                assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let state = Arc::new((Mutex::new(false), Condvar::new()));
                (state.clone(), state)
            },
            |state| {
                Box::pin(async {
                    let (set, condvar) = &**state;
                    let guard = set.lock().await;
                    assert!(*condvar.wait_for(guard, |set| *set).await);
                })
            },
            async |state: &mut Arc<(Mutex<bool>, Condvar)>| {
                *state.0.lock().await = true;
                state.1.notify_one();
            },
            async |state, _, _| assert!(*state.0.lock().await),
        )
        .await;
    });
}

#[test]
fn tasks_that_were_waited_for_keep_their_outputs() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let (give, take) = executor::sync::oneshot::channel();
                let mut set = JoinSet::new();
                set.spawn(async { take.await.unwrap() });
                (set, Some(give))
            },
            |set| Box::pin(async { set.join_next().await.unwrap().unwrap() }),
            async |give| give.take().unwrap().send(7).unwrap(),
            async |mut set: JoinSet<u32>, _, joined| {
                let output = match joined {
                    Some(output) => output,
                    None => set.join_next().await.unwrap().unwrap(),
                };
                assert_eq!((output, set.len()), (7, 0));
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let (give, take) = executor::sync::oneshot::channel();
                (spawn(async { take.await.unwrap() }), Some(give))
            },
            |handle| Box::pin(async { handle.await.unwrap() }),
            async |give| give.take().unwrap().send(7).unwrap(),
            async |handle, _, joined: Option<u32>| {
                let output = match joined {
                    Some(output) => output,
                    None => handle.await.unwrap(),
                };
                assert_eq!(output, 7);
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let (give, take) = executor::sync::oneshot::channel();
                let task = spawn(async { take.await.unwrap() });
                (as_completed(running([task])), Some(give))
            },
            |tasks| Box::pin(async { tasks.next().await.unwrap().unwrap() }),
            async |give| give.take().unwrap().send(7).unwrap(),
            async |mut tasks, _, joined: Option<u32>| {
                let output = match joined {
                    Some(output) => output,
                    None => tasks.next().await.unwrap().unwrap(),
                };
                assert_eq!(output, 7);
            },
        )
        .await;
        dropped_after_each_poll(
            async || {
                let tracker = TaskTracker::new();
                let (give, take) = executor::sync::oneshot::channel::<()>();
                drop(tracker.spawn(async { take.await.unwrap() }));
                tracker.close();
                (tracker, Some(give))
            },
            |tracker| Box::pin(async { tracker.wait().await }),
            async |give| give.take().unwrap().send(()).unwrap(),
            async |tracker, _, _| tracker.wait().await,
        )
        .await;
    });
}

#[test]
fn time_goes_on_without_those_who_left() {
    on_each(async || {
        let short = Duration::from_millis(1);
        dropped_after_each_poll(
            async || (interval(short), ()),
            |interval| Box::pin(async { (interval.tick().await, interval.tick().await).1 }),
            async |_| (),
            async |mut interval, _, _| assert!(interval.tick().await <= Instant::now()),
        )
        .await;
        dropped_after_each_poll(
            async || (Instant::now(), ()),
            |begun| {
                Box::pin(async move {
                    sleep(short).await;
                    assert!(timeout(short, sleep(short * 1000)).await.is_err());
                    begun.elapsed()
                })
            },
            async |_| (),
            async |_, _, slept| assert!(slept.is_none_or(|slept| slept >= 2 * short)),
        )
        .await;
    });
}

#[test]
fn a_child_process_and_a_signal_are_waited_for_again() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let mut child = Command::new("cat")
                    .stdin(std::process::Stdio::piped())
                    .spawn()
                    .unwrap();
                let input = child.stdin.take();
                (child, input)
            },
            |child| Box::pin(async { child.wait().await.unwrap() }),
            async |input| drop(input.take()),
            async |mut child, _, status| {
                let status = match status {
                    Some(status) => status,
                    None => child.wait().await.unwrap(),
                };
                assert!(status.success());
            },
        )
        .await;
        dropped_after_each_poll(
            async || (signal(SignalKind::window_change()).unwrap(), ()),
            |signal| Box::pin(async { signal.recv().await.unwrap() }),
            // SAFETY: a signal that is heard, and that does nothing by itself.
            async |_| assert_eq!(unsafe { libc::raise(libc::SIGWINCH) }, 0),
            async |mut signal, _, heard| {
                if heard.is_none() {
                    signal.recv().await.unwrap();
                }
            },
        )
        .await;
    });
}

#[test]
fn letting_others_run_can_be_left_at_any_time() {
    on_each(async || {
        dropped_after_each_poll(
            async || ((), ()),
            |()| {
                Box::pin(async {
                    yield_now().await;
                    consume_budget().await;
                    checkpoint().await.unwrap();
                })
            },
            async |_| (),
            async |_, _, _| (),
        )
        .await;
    });
}
