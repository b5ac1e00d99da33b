//! `net::splice` and `net::splice_bidirectional`: what goes in comes out, and so do the ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::os::unix::net as unix;
use std::pin::pin;
use std::thread;

use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{UnixStream, splice, splice_bidirectional};

use crate::support::{
    child, child_under, each_runtime, failing, fds, kind, pair, pair_with_std, poll_once, within,
    workers,
};

/// More than all buffers on the way take.
const LEN: usize = 16 << 20;

/// Bytes that differ from one `seed` to another, and do not repeat at a distance of a power of two.
fn content(seed: usize) -> Vec<u8> {
    (0..LEN).map(|i| ((i + seed) % 251) as u8).collect()
}

async fn unix_pair_with_std() -> (UnixStream, unix::UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let theirs = theirs.into_std().unwrap();
    theirs.set_nonblocking(false).unwrap();
    (ours, theirs)
}

/// Writes one content from a thread, while another reads, and returns what was read.
fn exchange<S>(
    stream: S,
    seed: usize,
    clone: impl Fn(&S) -> S,
    end: impl Fn(&S) + Send + 'static,
) -> thread::JoinHandle<Vec<u8>>
where
    S: Read + Write + Send + 'static,
{
    let mut reader = clone(&stream);
    let mut writer = stream;
    thread::spawn(move || {
        let writing = thread::spawn(move || {
            writer.write_all(&content(seed)).unwrap();
            end(&writer);
        });
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        writing.join().unwrap();
        read
    })
}

fn tcp_exchange(stream: StdStream, seed: usize) -> thread::JoinHandle<Vec<u8>> {
    let clone = |stream: &StdStream| stream.try_clone().unwrap();
    exchange(stream, seed, clone, |stream| {
        stream.shutdown(Shutdown::Write).unwrap()
    })
}

fn unix_exchange(stream: unix::UnixStream, seed: usize) -> thread::JoinHandle<Vec<u8>> {
    let clone = |stream: &unix::UnixStream| stream.try_clone().unwrap();
    exchange(stream, seed, clone, |stream| {
        stream.shutdown(Shutdown::Write).unwrap()
    })
}

#[test]
fn a_proxy_carries_both_directions_whole() {
    each_runtime(|runtime| {
        within(60, || {
            runtime.block_on(async {
                let (mut inbound, client) = pair_with_std().await;
                let (mut outbound, server) = unix_pair_with_std().await;
                let (client, server) = (tcp_exchange(client, 1), unix_exchange(server, 2));
                let copied = splice_bidirectional(&mut inbound, &mut outbound)
                    .await
                    .unwrap();
                assert_eq!(copied, (LEN as u64, LEN as u64));
                assert!(client.join().unwrap() == content(2));
                assert!(server.join().unwrap() == content(1));
            });
        });
    });
}

#[test]
fn halves_are_spliced_and_the_end_is_not_passed_on() {
    each_runtime(|runtime| {
        within(60, || {
            runtime.block_on(async {
                let (inbound, mut client) = pair_with_std().await;
                let (mut outbound, mut server) = pair_with_std().await;
                let sent = thread::spawn(move || {
                    client.write_all(&content(3)).unwrap();
                    client.shutdown(Shutdown::Write).unwrap();
                    let mut last = String::new();
                    client.read_to_string(&mut last).unwrap();
                    last
                });
                let received = thread::spawn(move || {
                    let mut read = Vec::new();
                    server.read_to_end(&mut read).unwrap();
                    read
                });
                let (mut from, mut back) = inbound.into_split();
                let copied = splice(&mut from, &mut outbound.split().1).await.unwrap();
                assert_eq!(copied, LEN as u64);
                // Both are still open in the other sense.
                outbound.write_all(b"and more").await.unwrap();
                back.write_all(b"goodbye").await.unwrap();
                drop((back, from, outbound));
                assert_eq!(sent.join().unwrap(), "goodbye");
                let received = received.join().unwrap();
                assert!(received[..LEN] == content(3) && received[LEN..] == *b"and more");
            });
        });
    });
}

#[test]
fn an_end_that_was_there_before_is_seen() {
    within(30, || {
        workers(1).block_on(async {
            let (mut from, peer) = pair_with_std().await;
            let (mut to, _other) = pair().await;
            drop(peer);
            assert_eq!(splice(&mut from, &mut to).await.unwrap(), 0);
        });
    });
}

#[test]
fn a_goal_that_nobody_reads_is_an_error_and_no_signal() {
    child(
        "splice::a_goal_that_nobody_reads_is_an_error_and_no_signal",
        || {
            // SAFETY: this process runs nothing but this test, and SIG_DFL is no function that could do harm.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            workers(2).block_on(async {
                let (mut from, mut client) = pair_with_std().await;
                let (mut to, server) = unix_pair_with_std().await;
                drop(server);
                client.write_all(b"hello").unwrap();
                let error = kind(splice(&mut from, &mut to).await);
                assert_eq!(error, ErrorKind::BrokenPipe);
                // The other direction does not keep it.
                client.write_all(b"hello").unwrap();
                let error = kind(splice_bidirectional(&mut from, &mut to).await);
                assert_eq!(error, ErrorKind::BrokenPipe);
            });
        },
    );
}

#[test]
fn pipes_are_closed_with_the_copy() {
    child("splice::pipes_are_closed_with_the_copy", || {
        workers(1).block_on(async {
            let (mut a, client) = pair_with_std().await;
            let (mut b, server) = pair_with_std().await;
            let before = fds();
            for _ in 0..100 {
                let mut copying = pin!(splice_bidirectional(&mut a, &mut b));
                assert!(poll_once(copying.as_mut()).is_pending());
            }
            assert_eq!(fds(), before);
            drop((client, server));
            assert_eq!(splice_bidirectional(&mut a, &mut b).await.unwrap(), (0, 0));
            assert_eq!(fds(), before - 2);
        });
    });
}

#[test]
fn without_descriptors_for_pipes_bytes_arrive_all_the_same() {
    child(
        "splice::without_descriptors_for_pipes_bytes_arrive_all_the_same",
        || {
            let runtime = workers(2);
            runtime.block_on(async {
                let (mut inbound, client) = pair_with_std().await;
                let (mut outbound, server) = unix_pair_with_std().await;
                let (client, server) = (tcp_exchange(client, 4), unix_exchange(server, 5));
                let mut limits = libc::rlimit {
                    rlim_cur: 0,
                    rlim_max: 0,
                };
                // SAFETY: the pointer is good for the structure.
                unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limits) };
                // As many as the standard streams are.
                limits.rlim_cur = 3;
                // SAFETY: as above.
                assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limits) }, 0);
                assert!(std::io::pipe().is_err());
                let copied = splice_bidirectional(&mut inbound, &mut outbound)
                    .await
                    .unwrap();
                assert_eq!(copied, (LEN as u64, LEN as u64));
                assert!(client.join().unwrap() == content(5));
                assert!(server.join().unwrap() == content(4));
            });
        },
    );
}

/// A copy by one task, so that calls alternate.
fn copies_all() {
    workers(1).block_on(async {
        let (mut inbound, client) = pair_with_std().await;
        let (mut outbound, mut server) = pair_with_std().await;
        let sent = thread::spawn(move || {
            let mut client = client;
            client.write_all(&content(6)).unwrap();
        });
        let received = thread::spawn(move || {
            let mut read = Vec::new();
            server.read_to_end(&mut read).unwrap();
            read
        });
        assert_eq!(
            splice(&mut inbound, &mut outbound).await.unwrap(),
            LEN as u64
        );
        drop(outbound);
        sent.join().unwrap();
        assert!(received.join().unwrap() == content(6));
    });
}

#[test]
#[ignore = "needs strace"]
fn without_the_system_call_bytes_arrive_all_the_same() {
    child_under(
        failing!("splice", "EINVAL"),
        "splice::without_the_system_call_bytes_arrive_all_the_same",
        copies_all,
    );
}

#[test]
#[ignore = "needs strace"]
fn what_is_in_the_pipe_arrives_though_the_system_call_is_refused() {
    child_under(
        failing!("splice", "EINVAL", "6+"),
        "splice::what_is_in_the_pipe_arrives_though_the_system_call_is_refused",
        copies_all,
    );
}

#[test]
fn both_ends_of_one_connection_may_be_spliced_into_an_echo() {
    within(60, || {
        workers(2).block_on(async {
            let (ours, peer) = pair_with_std().await;
            let (mut reader, mut writer) = ours.into_split();
            let echo = executor::spawn(async move { splice(&mut reader, &mut writer).await });
            assert!(tcp_exchange(peer, 7).join().unwrap() == content(7));
            assert_eq!(echo.await.unwrap().unwrap(), LEN as u64);
        });
    });
}

#[test]
fn a_client_hears_an_answer_before_it_ends() {
    within(30, || {
        workers(1).block_on(async {
            let (mut client, mut inbound) = pair().await;
            let (mut outbound, mut server) = pair().await;
            let proxy =
                executor::spawn(
                    async move { splice_bidirectional(&mut inbound, &mut outbound).await },
                );
            for n in 0..100_u8 {
                client.write_all(&[n; 3]).await.unwrap();
                let mut asked = [0; 3];
                server.read_exact(&mut asked).await.unwrap();
                server.write_all(&asked).await.unwrap();
                client.read_exact(&mut asked).await.unwrap();
                assert_eq!(asked, [n; 3]);
            }
            drop(client);
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
            drop(server);
            assert_eq!(proxy.await.unwrap().unwrap(), (300, 300));
        });
    });
}
