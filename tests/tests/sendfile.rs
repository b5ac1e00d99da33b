//! `net::sendfile`: a file arrives as it is, whatever its way, and what was sent is known whenever it ends.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::future::{Future, poll_fn};
use std::hint;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use executor::io;
use executor::net::{TcpStream, UnixStream, sendfile};
use executor::task::yield_now;

use crate::support::{
    Directory, Random, child, child_under, current_thread, each_runtime, failing, is_child, kind,
    pair_with_std, poll_once, within, workers, works,
};

/// More than the buffers of a connection take.
const LEN: u64 = 16 << 20;

/// What is at these places of a file: numbers of eight bytes, which say where they are.
fn content(range: Range<u64>) -> Vec<u8> {
    let numbers = range.start / 8..range.end.div_ceil(8);
    let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
    let skipped = (range.start % 8) as usize;
    bytes[skipped..][..(range.end - range.start) as usize].to_vec()
}

fn file_in(directory: &Directory, len: u64) -> File {
    let path = directory.file("file");
    fs::write(&path, content(0..len)).unwrap();
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

/// Has the system read it from the disk the next time.
fn forget(file: &File) {
    file.sync_all().unwrap();
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    assert_eq!(result, 0);
}

/// Reads to the end what must be the content of a file from `at` on. Returns how much it was.
fn receive(mut peer: impl Read + Send + 'static, at: u64) -> JoinHandle<u64> {
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        let mut end = at;
        loop {
            let n = peer.read(&mut buffer).unwrap();
            if n == 0 {
                return end - at;
            }
            assert!(buffer[..n] == content(end..end + n as u64), "after {end}");
            end += n as u64;
        }
    })
}

#[test]
fn a_file_arrives_whole_from_memory_and_from_the_disk() {
    let directory = Directory::new();
    let file = file_in(&directory, LEN);
    each_runtime(|runtime| {
        within(60, || {
            for cold in [false, true] {
                if cold {
                    forget(&file);
                }
                runtime.block_on(async {
                    let (mut ours, theirs) = pair_with_std().await;
                    let received = receive(theirs, 0);
                    let mut range = 0..u64::MAX;
                    let sent = sendfile(&file, &mut range, &mut ours).await.unwrap();
                    assert_eq!((sent, range.start), (LEN, LEN));
                    drop(ours);
                    assert_eq!(received.join().unwrap(), LEN);
                });
            }
        });
    });
}

#[test]
fn halves_and_unix_sockets_send_files_of_both_types() {
    let directory = Directory::new();
    let file = file_in(&directory, LEN);
    within(60, || {
        workers(1).block_on(async {
            let ours_too = executor::fs::File::from_std(file.try_clone().unwrap());

            let (mut ours, theirs) = UnixStream::pair().unwrap();
            let theirs = theirs.into_std().unwrap();
            theirs.set_nonblocking(false).unwrap();
            let received = receive(theirs, 0);
            let (_, mut half) = ours.split();
            let sent = sendfile(&ours_too, &mut (0..LEN), &mut half).await;
            assert_eq!(sent.unwrap(), LEN);
            drop(ours);
            assert_eq!(received.join().unwrap(), LEN);

            let (ours, theirs) = pair_with_std().await;
            let received = receive(theirs, 0);
            let (_reading, mut half) = ours.into_split();
            let sent = sendfile(&file, &mut (0..LEN), &mut half).await;
            assert_eq!(sent.unwrap(), LEN);
            drop(half);
            assert_eq!(received.join().unwrap(), LEN);
        });
    });
}

#[test]
fn parts_are_sent_and_the_range_says_what_is_left() {
    let directory = Directory::new();
    let file = file_in(&directory, LEN);
    for cold in [false, true] {
        within(30, || {
            workers(1).block_on(async {
                let parts = [
                    3..3,
                    5..70_001,
                    LEN - 1..LEN,
                    LEN - 9..LEN + 7,
                    LEN..LEN + 1,
                    LEN + 5..LEN + 9,
                ];
                for part in parts {
                    if cold {
                        forget(&file);
                    }
                    let (mut ours, theirs) = pair_with_std().await;
                    let received = receive(theirs, part.start);
                    let expected = part.end.min(LEN).saturating_sub(part.start);
                    let mut range = part.clone();
                    let sent = sendfile(&file, &mut range, &mut ours).await.unwrap();
                    assert_eq!(sent, expected, "{part:?}");
                    assert_eq!(range, part.start + expected..part.end);
                    drop(ours);
                    assert_eq!(received.join().unwrap(), expected);
                }
            });
        });
    }
}

#[test]
#[ignore = "a gigabyte"]
fn a_gigabyte_arrives_whole() {
    const LEN: u64 = 1 << 30;
    const BLOCK: u64 = 1 << 20;
    let directory = Directory::new();
    let file = File::create_new(directory.file("file")).unwrap();
    file.set_len(LEN).unwrap();
    // Holes, and in each block somewhere its number.
    let place = |block: u64| block * BLOCK + block * 7919 % (BLOCK - 8);
    for block in 0..LEN / BLOCK {
        file.write_all_at(&block.to_le_bytes(), place(block))
            .unwrap();
    }
    let file = File::open(directory.file("file")).unwrap();
    within(120, || {
        workers(2).block_on(async {
            let (mut ours, mut theirs) = pair_with_std().await;
            let received = thread::spawn(move || {
                let mut buffer = vec![0; BLOCK as usize];
                for block in 0..LEN / BLOCK {
                    theirs.read_exact(&mut buffer).unwrap();
                    let at = (place(block) - block * BLOCK) as usize;
                    assert_eq!(buffer[at..][..8], block.to_le_bytes());
                    buffer[at..][..8].fill(0);
                    assert!(buffer.iter().all(|byte| *byte == 0), "block {block}");
                }
                assert_eq!(theirs.read(&mut buffer).unwrap(), 0);
            });
            let sent = sendfile(&file, &mut (0..u64::MAX), &mut ours).await;
            assert_eq!(sent.unwrap(), LEN);
            drop(ours);
            received.join().unwrap();
        });
    });
}

#[test]
fn a_file_that_is_cut_meanwhile_ends_early() {
    const CUT: u64 = 128 << 10;
    each_runtime(|runtime| {
        let directory = Directory::new();
        let file = file_in(&directory, LEN);
        within(30, || {
            runtime.block_on(async {
                let (mut ours, theirs) = pair_with_std().await;
                let mut range = 0..LEN;
                let (sent, received) = {
                    let mut sending = pin!(sendfile(&file, &mut range, &mut ours));
                    assert!(poll_once(sending.as_mut()).is_pending());
                    file.set_len(CUT).unwrap();
                    // What is on the way behind the cut may have become zeros.
                    let received = thread::spawn(move || {
                        let mut received = Vec::new();
                        (&theirs).read_to_end(&mut received).unwrap();
                        received
                    });
                    (sending.await.unwrap(), received)
                };
                drop(ours);
                let received = received.join().unwrap();
                assert!((CUT..LEN).contains(&sent), "{sent}");
                assert_eq!((range.start, received.len() as u64), (sent, sent));
                assert!(received[..CUT as usize] == content(0..CUT));
            });
        });
    });
}

#[test]
fn a_transfer_that_is_given_up_goes_on_where_it_was() {
    let directory = Directory::new();
    let file = file_in(&directory, LEN);
    for cold in [false, true] {
        each_runtime(|runtime| {
            within(60, || {
                runtime.block_on(async {
                    if cold {
                        forget(&file);
                    }
                    let (mut ours, theirs) = pair_with_std().await;
                    let received = receive(theirs, 0);
                    let mut range = 0..LEN;
                    let mut given_up = 0;
                    while range.start < LEN {
                        let sending = pin!(sendfile(&file, &mut range, &mut ours));
                        if up_to(given_up % 5, sending).await.is_none() {
                            given_up += 1;
                        }
                        yield_now().await;
                    }
                    drop(ours);
                    assert!(given_up > 0);
                    assert_eq!(received.join().unwrap(), LEN);
                });
            });
        });
    }
}

/// `None`: it was not ready after so many polls, and one.
async fn up_to<F: Future>(mut polls: usize, mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}

#[test]
fn a_peer_that_closes_early_is_an_error_and_no_signal() {
    child(
        "sendfile::a_peer_that_closes_early_is_an_error_and_no_signal",
        || {
            // SAFETY: this process runs nothing but this test, and SIG_DFL is no function that could do harm.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let directory = Directory::new();
            let file = file_in(&directory, LEN);
            for cold in [false, true] {
                workers(1).block_on(async {
                    if cold {
                        forget(&file);
                    }
                    let (mut ours, mut theirs) = pair_with_std().await;
                    let closes =
                        thread::spawn(move || theirs.read_exact(&mut [0; 100_000]).unwrap());
                    let mut range = 0..LEN;
                    let error = kind(sendfile(&file, &mut range, &mut ours).await);
                    assert!(
                        matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                        "{error:?}"
                    );
                    assert!((100_000..LEN).contains(&range.start), "{range:?}");
                    // From now on it would be a signal each time.
                    for _ in 0..2 {
                        let error = kind(sendfile(&file, &mut range, &mut ours).await);
                        assert_eq!(error, ErrorKind::BrokenPipe);
                    }
                    closes.join().unwrap();
                });
            }
        },
    );
}

#[test]
fn a_peer_that_closes_in_the_middle_of_a_piece_is_no_signal_either() {
    child(
        "sendfile::a_peer_that_closes_in_the_middle_of_a_piece_is_no_signal_either",
        || {
            // SAFETY: as above.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let directory = Directory::new();
            let file = file_in(&directory, LEN);
            workers(1).block_on(async {
                let mut random = Random(1);
                // The system sends such a piece in several steps, if there is room. When the peer closes between two, which is so in one of a hundred
                // rounds, the call succeeds with what it has sent.
                for _ in 0..1000 {
                    let (mut ours, theirs) = UnixStream::pair().unwrap();
                    let room: libc::c_int = 4 << 20;
                    // SAFETY: the descriptor is open, and the pointer is good for as many bytes.
                    let result = unsafe {
                        libc::setsockopt(
                            ours.as_raw_fd(),
                            libc::SOL_SOCKET,
                            libc::SO_SNDBUF,
                            (&raw const room).cast(),
                            size_of_val(&room) as libc::socklen_t,
                        )
                    };
                    assert_eq!(result, 0);
                    let theirs = theirs.into_std().unwrap();
                    let wait = Duration::from_micros(random.below(150));
                    let closes = thread::spawn(move || {
                        let start = Instant::now();
                        while start.elapsed() < wait {
                            hint::spin_loop();
                        }
                        drop(theirs);
                    });
                    let error = loop {
                        if let Err(error) = sendfile(&file, &mut (0..LEN), &mut ours).await {
                            break error.kind();
                        }
                    };
                    assert!(
                        matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                        "{error:?}"
                    );
                    closes.join().unwrap();
                }
            });
        },
    );
}

#[test]
fn what_is_no_file_is_an_error() {
    within(30, || {
        current_thread().block_on(async {
            let (mut ours, _theirs) = pair_with_std().await;
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(b"x").unwrap();
            assert!(sendfile(&reader, &mut (0..1), &mut ours).await.is_err());
            let directory = Directory::new();
            let unreadable = File::create(directory.file("file")).unwrap();
            unreadable.set_len(1).unwrap();
            assert!(sendfile(&unreadable, &mut (0..1), &mut ours).await.is_err());
            // A file that can only be read makes up for it.
            let version = File::open("/proc/version").unwrap();
            let sent = sendfile(&version, &mut (0..u64::MAX), &mut ours).await;
            assert_eq!(
                sent.unwrap(),
                fs::read("/proc/version").unwrap().len() as u64
            );
        });
    });
}

fn sends_all() {
    let directory = Directory::new();
    let file = file_in(&directory, LEN);
    workers(2).block_on(async {
        let (mut ours, theirs) = pair_with_std().await;
        let received = receive(theirs, 0);
        let mut range = 0..LEN;
        assert_eq!(sendfile(&file, &mut range, &mut ours).await.unwrap(), LEN);
        drop(ours);
        assert_eq!(received.join().unwrap(), LEN);
    });
}

#[test]
#[ignore = "needs strace"]
fn without_the_system_call_a_file_arrives_all_the_same() {
    child_under(
        failing!("sendfile", "EINVAL"),
        "sendfile::without_the_system_call_a_file_arrives_all_the_same",
        sends_all,
    );
}

#[test]
#[ignore = "needs strace"]
fn without_knowing_what_is_in_memory_a_file_arrives_all_the_same() {
    child_under(
        failing!("preadv2", "EOPNOTSUPP"),
        "sendfile::without_knowing_what_is_in_memory_a_file_arrives_all_the_same",
        sends_all,
    );
}

#[test]
#[ignore = "needs strace"]
fn what_the_system_says_is_not_in_memory_is_read_by_no_worker() {
    const NAME: &str = "sendfile::what_the_system_says_is_not_in_memory_is_read_by_no_worker";
    let directory = Directory::new();
    let log = directory.file("calls");
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=preadv2,pread64,sendfile",
        "-e",
        "inject=preadv2:error=EAGAIN",
    ];
    child_under(&strace, NAME, sends_all);
    if is_child(NAME) || !works(&["strace", "-qq", "-o", "/dev/null"], NAME) {
        return;
    }
    let log = fs::read_to_string(log).unwrap();
    let threads = |call: &str, argument: &str| -> HashSet<_> {
        let lines = log
            .lines()
            .filter(|line| line.contains(call) && line.contains(argument));
        lines.map(|line| line.split(' ').next().unwrap()).collect()
    };
    let (workers, readers) = (threads("preadv2", ""), threads("pread64", " 262144, "));
    assert!(!workers.is_empty() && !readers.is_empty(), "{log}");
    assert!(workers.is_disjoint(&readers), "{log}");
    assert!(threads("sendfile", "").is_empty(), "{log}");
}

#[test]
#[ignore = "needs strace"]
fn system_calls_are_a_fraction_of_those_of_a_copy() {
    const NAME: &str = "sendfile::system_calls_are_a_fraction_of_those_of_a_copy";
    const LEN: u64 = 64 << 20;
    let variable = |name: &str| std::env::var(name).unwrap();
    if is_child(NAME) {
        let way = variable("WAY");
        let file = File::open(variable("FILE")).unwrap();
        return workers(1).block_on(async {
            let mut ours = TcpStream::connect(variable("PEER")).await.unwrap();
            match &*way {
                "sendfile" => {
                    sendfile(&file, &mut (0..LEN), &mut ours).await.unwrap();
                }
                "copy" => {
                    let mut file = executor::fs::File::from_std(file);
                    io::copy(&mut file, &mut ours).await.unwrap();
                }
                _ => {}
            }
        });
    }
    let directory = Directory::new();
    file_in(&directory, LEN);
    let path = directory.file("file");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let calls = |way: &str, received: u64| {
        let peer = listener.try_clone().unwrap();
        let peer = thread::spawn(move || receive(peer.accept().unwrap().0, 0).join().unwrap());
        let summary = directory.file(way);
        let strace = [
            "strace",
            "-f",
            "-qq",
            "-c",
            "-o",
            summary.to_str().unwrap(),
            "-E",
            &format!("WAY={way}"),
            "-E",
            &format!("FILE={}", path.display()),
            "-E",
            &format!("PEER={address}"),
        ];
        child_under(&strace, NAME, || unreachable!());
        assert_eq!(peer.join().unwrap(), received);
        let summary = fs::read_to_string(&summary).unwrap();
        let total = summary
            .lines()
            .find(|line| line.ends_with("total"))
            .unwrap();
        total
            .split_whitespace()
            .nth(3)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    if !works(&["strace", "-qq", "-o", "/dev/null"], NAME) {
        return;
    }
    within(120, || {
        let rest = calls("nothing", 0);
        let [copy, sendfile] = ["copy", "sendfile"].map(|way| calls(way, LEN).saturating_sub(rest));
        println!("64 MiB: {copy} system calls by io::copy, {sendfile} by sendfile");
        assert!(sendfile * 4 < copy, "{sendfile} {copy}");
    });
}
