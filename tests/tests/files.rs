//! Files and directories through the blocking pool: nothing read or written is lost, and errors reach somebody.

use std::fs as std_fs;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::{Duration, SystemTime};

use executor::fs::{self, DirBuilder, File, OpenOptions};
use executor::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use executor::runtime::Builder;

use crate::support::{
    block_on, child, child_under, each_runtime, injecting, kind, poll_once, until, within, workers,
};

/// A directory that is removed again.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "executor-files-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        std_fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn with(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std_fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// A pipe with a name, which blocks whoever reads it while it is empty.
    fn fifo(&self) -> PathBuf {
        let path = self.path("fifo");
        let text = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the text is terminated and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std_fs::remove_dir_all(&self.0);
    }
}

fn read_write() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true);
    options
}

/// Bytes of which no two neighbouring stretches are alike.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + n / 251) as u8).collect()
}

/// Begins to read and gives up before the answer is there.
fn give_up_reading(file: &mut File, bytes: usize) {
    let mut buffer = vec![0; bytes];
    let read = pin!(file.read(&mut buffer));
    assert!(poll_once(read).is_pending());
}

/// Has a file read ahead: a read of so many bytes was begun, and given up. The file's system position shows that it is done.
async fn read_ahead(path: &Path, bytes: usize) -> File {
    loop {
        let mut file = read_write().open(path).await.unwrap();
        let mut buffer = vec![0; bytes];
        if poll_once(pin!(file.read(&mut buffer))).is_pending() {
            return file;
        }
        // The pool was quicker than this thread: once more.
    }
}

#[test]
fn what_is_written_is_read_back() {
    within(60, || {
        each_runtime(|runtime| {
            let scratch = Scratch::new();
            let path = scratch.path("file");
            runtime.block_on(async {
                let content = pattern(5 << 20);
                let mut file = File::create(&path).await.unwrap();
                file.write_all(&content).await.unwrap();
                file.flush().await.unwrap();
                assert_eq!(fs::read(&path).await.unwrap(), content);
                let mut found = Vec::new();
                let mut file = File::open(&path).await.unwrap();
                file.read_to_end(&mut found).await.unwrap();
                assert_eq!(found, content);
                assert_eq!(file.read(&mut [0; 8]).await.unwrap(), 0, "the end stays");
            });
        });
    });
}

#[test]
fn both_families_of_traits_read_write_and_seek() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "0123456789");
        workers(1).block_on(async {
            let mut file = read_write().open(&path).await.unwrap();
            let mut two = [0; 2];
            futures::AsyncSeekExt::seek(&mut file, SeekFrom::Start(4))
                .await
                .unwrap();
            futures::AsyncReadExt::read_exact(&mut file, &mut two)
                .await
                .unwrap();
            assert_eq!(&two, b"45");
            assert_eq!(
                AsyncSeekExt::seek(&mut file, SeekFrom::End(-2))
                    .await
                    .unwrap(),
                8
            );
            AsyncReadExt::read_exact(&mut file, &mut two).await.unwrap();
            assert_eq!(&two, b"89");
            futures::AsyncWriteExt::write_all(&mut file, b"ab")
                .await
                .unwrap();
            AsyncWriteExt::write_all(&mut file, b"cd").await.unwrap();
            futures::AsyncWriteExt::close(&mut file).await.unwrap();
            assert_eq!(fs::read_to_string(&path).await.unwrap(), "0123456789abcd");
            assert_eq!(AsyncSeekExt::stream_position(&mut file).await.unwrap(), 14);
        });
    });
}

#[test]
fn files_work_outside_of_any_runtime() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        block_on(async {
            fs::write(&path, "hello").await.unwrap();
            let mut text = String::new();
            let mut file = File::open(&path).await.unwrap();
            file.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "hello");
        });
    });
}

#[test]
fn one_write_takes_no_more_than_the_buffer_may_hold() {
    within(60, || {
        let scratch = Scratch::new();
        workers(1).block_on(async {
            let path = scratch.path("file");
            let mut file = read_write().create(true).open(&path).await.unwrap();
            assert_eq!(file.max_buf_size(), 2 << 20);
            assert_eq!(file.write(&vec![1; 5 << 20]).await.unwrap(), 2 << 20);
            file.set_max_buf_size(100);
            assert_eq!(file.write(&[2; 1000]).await.unwrap(), 100);
            let slices = [[3; 60], [4; 60]];
            let slices = slices.each_ref().map(|slice| std::io::IoSlice::new(slice));
            assert_eq!(file.write_vectored(&slices).await.unwrap(), 100);
            assert!(file.is_write_vectored());
            file.rewind().await.unwrap();
            assert_eq!(file.read(&mut [0; 1000]).await.unwrap(), 100);
            assert_eq!(file.try_clone().await.unwrap().max_buf_size(), 100);
            let found = fs::read(&path).await.unwrap();
            assert_eq!(found.len(), (2 << 20) + 200);
            assert_eq!(found[(2 << 20) + 100..], [[3; 60], [4; 60]].concat()[..100]);
        });
    });
}

#[test]
#[should_panic(expected = "at least 1")]
fn a_buffer_of_no_bytes_is_refused() {
    let mut file = File::from_std(std_fs::File::open("/dev/null").unwrap());
    file.set_max_buf_size(0);
}

#[test]
fn a_file_is_read_without_holding_it_whole() {
    child("files::a_file_is_read_without_holding_it_whole", || {
        let scratch = Scratch::new();
        let path = scratch.path("large");
        workers(1).block_on(async {
            const SIZE: u64 = 256 << 20;
            File::create(&path)
                .await
                .unwrap()
                .set_len(SIZE)
                .await
                .unwrap();
            let mut file = File::open(&path).await.unwrap();
            let mut buffer = vec![1; 8 << 20];
            let mut sum = 0;
            loop {
                match file.read(&mut buffer).await.unwrap() {
                    0 => break,
                    bytes => sum += bytes as u64,
                }
            }
            assert_eq!(sum, SIZE);
        });
        let status = std_fs::read_to_string("/proc/self/status").unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < 96 << 10, "{peak} kB were held at the most");
    });
}

#[test]
fn the_error_of_a_write_in_the_background_is_reported_once_by_what_comes_next() {
    within(60, || {
        workers(1).block_on(async {
            let mut full = File::options().write(true).open("/dev/full").await.unwrap();
            full.write_all(b"x").await.unwrap();
            assert_eq!(kind(full.flush().await), ErrorKind::StorageFull);
            full.flush().await.unwrap();

            assert_eq!(full.write(b"x").await.unwrap(), 1);
            assert_eq!(kind(full.write(b"y").await), ErrorKind::StorageFull);

            assert_eq!(full.write(b"x").await.unwrap(), 1);
            assert_eq!(kind(full.sync_all().await), ErrorKind::StorageFull);

            assert_eq!(full.write(b"x").await.unwrap(), 1);
            full.metadata().await.unwrap();
            // Seeking collects the answer, and keeps the error for a writer.
            let _ = full.stream_position().await;
            assert_eq!(kind(full.shutdown().await), ErrorKind::StorageFull);
        });
    });
}

#[test]
fn writing_to_a_file_that_is_open_for_reading_is_an_error() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "content");
        workers(1).block_on(async {
            let mut file = File::open(&path).await.unwrap();
            assert_eq!(file.write(b"x").await.unwrap(), 1);
            assert_eq!(
                file.flush().await.unwrap_err().raw_os_error(),
                Some(libc::EBADF)
            );
            let mut file = File::options().write(true).open(&path).await.unwrap();
            let error = file.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        });
    });
}

#[test]
fn a_read_that_is_given_up_loses_nothing() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.fifo();
        workers(1).block_on(async {
            // For reading and writing: opening one end would wait for the other.
            let mut pipe = read_write().open(&path).await.unwrap();
            let mut other = std_fs::OpenOptions::new().write(true).open(&path).unwrap();
            give_up_reading(&mut pipe, 100);
            other.write_all(b"hello world").unwrap();
            let mut five = [0; 5];
            pipe.read_exact(&mut five).await.unwrap();
            assert_eq!(&five, b"hello");
            // The rest lies in the buffer, and a pipe has no position that could be moved back: writing leaves it there.
            pipe.write_all(b"!").await.unwrap();
            pipe.flush().await.unwrap();
            let mut rest = [0; 7];
            pipe.read_exact(&mut rest).await.unwrap();
            assert_eq!(&rest, b" world!");
        });
    });
}

#[test]
fn seeking_counts_from_where_the_reader_is() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", pattern(1000));
        workers(2).block_on(async {
            let mut byte = [0];
            let mut file = read_ahead(&path, 500).await;
            assert_eq!(file.seek(SeekFrom::Current(10)).await.unwrap(), 10);
            file.read_exact(&mut byte).await.unwrap();
            assert_eq!(byte[0], pattern(1000)[10]);

            let mut file = read_ahead(&path, 500).await;
            let error = file.seek(SeekFrom::Current(-1)).await;
            assert_eq!(kind(error), ErrorKind::InvalidInput);
            let error = file.seek(SeekFrom::Current(i64::MIN)).await;
            assert_eq!(kind(error), ErrorKind::InvalidInput);
            let mut all = Vec::new();
            file.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, pattern(1000), "a seek that fails moves nothing");
        });
    });
}

#[test]
fn writing_and_cutting_begin_where_the_reader_is() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "abcdef");
        workers(2).block_on(async {
            let mut file = read_ahead(&path, 4).await;
            file.write_all(b"X").await.unwrap();
            file.flush().await.unwrap();
            assert_eq!(fs::read_to_string(&path).await.unwrap(), "Xbcdef");

            let mut file = read_ahead(&path, 4).await;
            file.set_len(2).await.unwrap();
            let mut rest = String::new();
            file.read_to_string(&mut rest).await.unwrap();
            assert_eq!(rest, "Xb", "bytes that were cut off are not read");
        });
    });
}

#[test]
fn a_file_leaves_with_the_position_of_its_reader() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", pattern(1000));
        workers(2).block_on(async {
            let mut std = read_ahead(&path, 500).await.into_std().await;
            assert_eq!(std.stream_position().unwrap(), 0);

            let mut file = read_ahead(&path, 500).await;
            file.read_exact(&mut [0; 10]).await.unwrap();
            let mut clone = file.try_clone().await.unwrap();
            clone.read_exact(&mut [0; 10]).await.unwrap();
            assert_eq!(file.stream_position().await.unwrap(), 20);
            let mut std = file.try_into_std().unwrap();
            assert_eq!(std.stream_position().unwrap(), 20);
            let mut rest = Vec::new();
            std.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, pattern(1000)[20..]);
        });
    });
}

#[test]
#[ignore = "needs strace"]
fn who_waits_for_a_file_that_a_given_up_call_still_has_is_not_polled_meanwhile() {
    child_under(
        injecting!("fchmod", "delay_enter=2000000"),
        "files::who_waits_for_a_file_that_a_given_up_call_still_has_is_not_polled_meanwhile",
        || {
            let scratch = Scratch::new();
            let given_up = || async {
                let file = File::open(scratch.with("file", "text")).await.unwrap();
                let permissions = file.metadata().await.unwrap().permissions();
                assert!(poll_once(pin!(file.set_permissions(permissions))).is_pending());
                file
            };
            let runtime = workers(2);
            runtime.block_on(async {
                let mut polls = 0;
                let file = given_up().await;
                let mut leaving = pin!(file.into_std());
                poll_fn(|cx| {
                    polls += 1;
                    leaving.as_mut().poll(cx)
                })
                .await;
                assert!(polls <= 3, "{polls}");
            });
            // Nor does it wait in its poll when the pool takes nothing more.
            let file = runtime.block_on(given_up());
            let begun = runtime.spawn_blocking(|| ());
            // Calls begin in their order.
            block_on(begun).unwrap();
            runtime.shutdown_background();
            let mut leaving = pin!(file.into_std());
            assert!(poll_once(leaving.as_mut()).is_pending());
            block_on(leaving);
        },
    );
}

#[test]
fn a_file_with_a_call_under_way_leaves_later() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.fifo();
        workers(1).block_on(async {
            let mut pipe = read_write().open(&path).await.unwrap();
            give_up_reading(&mut pipe, 100);
            let pipe = pipe.try_into_std().unwrap_err();
            // A call of the kind that does not wait for others is given up as well.
            let _ = poll_once(pin!(pipe.metadata()));
            let mut other = std_fs::OpenOptions::new().write(true).open(&path).unwrap();
            other.write_all(b"hello").unwrap();
            drop(pipe.into_std().await);
        });
    });
}

#[test]
fn two_tasks_may_sync_one_file() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        workers(2).block_on(async {
            let mut file = File::create(&path).await.unwrap();
            file.write_all(b"content").await.unwrap();
            let file = std::sync::Arc::new(file);
            let tasks: Vec<_> = (0..10)
                .map(|n| {
                    let file = file.clone();
                    executor::spawn(async move {
                        match n % 2 {
                            0 => file.sync_all().await,
                            _ => file.sync_data().await,
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            assert_eq!(file.metadata().await.unwrap().len(), 7);
        });
    });
}

#[test]
fn times_and_permissions_are_set() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "content");
        workers(1).block_on(async {
            let mut file = read_write().open(&path).await.unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
            file.write_all(b"C").await.unwrap();
            file.set_modified(time).await.unwrap();
            assert_eq!(file.metadata().await.unwrap().modified().unwrap(), time);
            let read_only = std_fs::Permissions::from_mode(0o400);
            file.set_permissions(read_only.clone()).await.unwrap();
            assert_eq!(fs::metadata(&path).await.unwrap().mode() & 0o777, 0o400);
            fs::set_permissions(&path, std_fs::Permissions::from_mode(0o600))
                .await
                .unwrap();
            assert_eq!(fs::metadata(&path).await.unwrap().mode() & 0o777, 0o600);
        });
    });
}

#[test]
fn files_are_opened_as_their_options_say() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        workers(1).block_on(async {
            assert_eq!(kind(File::open(&path).await), ErrorKind::NotFound);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o640)
                .open(&path)
                .await
                .unwrap();
            file.write_all(b"one").await.unwrap();
            file.flush().await.unwrap();
            assert_eq!(file.metadata().await.unwrap().mode() & 0o137, 0);
            assert_eq!(
                kind(File::create_new(&path).await),
                ErrorKind::AlreadyExists
            );
            let mut options = OpenOptions::from(std_fs::File::options());
            let mut file = options.append(true).open(&path).await.unwrap();
            file.write_all(b"two").await.unwrap();
            file.flush().await.unwrap();
            assert_eq!(fs::read(&path).await.unwrap(), b"onetwo");
            fs::symlink(&path, scratch.path("link")).await.unwrap();
            let followed = File::options()
                .read(true)
                .custom_flags(libc::O_NOFOLLOW)
                .open(scratch.path("link"))
                .await;
            assert_eq!(followed.unwrap_err().raw_os_error(), Some(libc::ELOOP));
            drop(File::create(&path).await.unwrap());
            assert_eq!(fs::metadata(&path).await.unwrap().len(), 0);
        });
    });
}

#[test]
fn a_descriptor_becomes_a_file() {
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "content");
        workers(1).block_on(async {
            let descriptor = OwnedFd::from(std_fs::File::open(&path).unwrap());
            let number = descriptor.as_raw_fd();
            let file = File::from(descriptor);
            assert_eq!(file.as_raw_fd(), number);
            assert_eq!(file.as_fd().as_raw_fd(), number);
            let raw = file.into_std().await.into_raw_fd();
            // SAFETY: the descriptor was given up just now, and is nobody else's.
            let mut file = unsafe { File::from_raw_fd(raw) };
            let mut text = String::new();
            file.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "content");
        });
    });
}

#[test]
fn files_are_copied_linked_renamed_and_removed() {
    within(60, || {
        let scratch = Scratch::new();
        let a = scratch.with("a", "content");
        workers(1).block_on(async {
            let [b, c, d] = ["b", "c", "d"].map(|name| scratch.path(name));
            assert_eq!(fs::copy(&a, &b).await.unwrap(), 7);
            fs::hard_link(&a, &c).await.unwrap();
            fs::symlink(&a, &d).await.unwrap();
            assert_eq!(fs::read_link(&d).await.unwrap(), a);
            let real = std_fs::canonicalize(&a).unwrap();
            assert_eq!(fs::canonicalize(&d).await.unwrap(), real);
            assert!(fs::symlink_metadata(&d).await.unwrap().is_symlink());
            assert!(fs::metadata(&d).await.unwrap().is_file());
            assert_eq!(fs::metadata(&a).await.unwrap().nlink(), 2);
            fs::rename(&b, &a).await.unwrap();
            assert!(!fs::try_exists(&b).await.unwrap());
            assert!(fs::try_exists(&a).await.unwrap());
            assert_eq!(fs::read_to_string(&c).await.unwrap(), "content");
            fs::remove_file(&a).await.unwrap();
            assert!(
                !fs::try_exists(&d).await.unwrap(),
                "the link points to nothing"
            );
            assert_eq!(kind(fs::remove_file(&a).await), ErrorKind::NotFound);
            let invalid = scratch.with("invalid", [0xff]);
            assert_eq!(
                kind(fs::read_to_string(invalid).await),
                ErrorKind::InvalidData
            );
        });
    });
}

#[test]
fn directories_are_created_listed_and_removed() {
    within(60, || {
        let scratch = Scratch::new();
        workers(1).block_on(async {
            let (one, deep) = (scratch.path("one"), scratch.path("one/two/three"));
            fs::create_dir(&one).await.unwrap();
            assert_eq!(kind(fs::create_dir(&one).await), ErrorKind::AlreadyExists);
            fs::create_dir_all(&deep).await.unwrap();
            let private = scratch.path("private/inside");
            let mut builder = DirBuilder::new();
            assert_eq!(kind(builder.create(&private).await), ErrorKind::NotFound);
            builder.recursive(true).mode(0o700);
            builder.create(&private).await.unwrap();
            assert_eq!(fs::metadata(&private).await.unwrap().mode() & 0o777, 0o700);
            assert_eq!(
                kind(fs::remove_dir(&one).await),
                ErrorKind::DirectoryNotEmpty
            );
            fs::remove_dir(&deep).await.unwrap();
            fs::remove_dir_all(&one).await.unwrap();
            assert_eq!(kind(fs::read_dir(&one).await), ErrorKind::NotFound);
        });
    });
}

#[test]
fn a_listing_has_every_entry_once_even_if_it_is_given_up_now_and_then() {
    within(60, || {
        let scratch = Scratch::new();
        let wanted: Vec<_> = (0..1000).map(|n| format!("{n:04}")).collect();
        for name in &wanted {
            scratch.with(name, "");
        }
        workers(1).block_on(async {
            let mut found = Vec::new();
            let mut entries = fs::read_dir(&scratch.0).await.unwrap();
            loop {
                let given_up = poll_once(pin!(entries.next_entry()));
                let entry = match given_up {
                    Poll::Ready(entry) => entry.unwrap(),
                    Poll::Pending => entries.next_entry().await.unwrap(),
                };
                let Some(entry) = entry else { break };
                assert!(entry.file_type().await.unwrap().is_file());
                found.push(entry.file_name().into_string().unwrap());
                assert_eq!(entry.path(), scratch.path(found.last().unwrap()));
                if found.len() == 1 {
                    assert_eq!(entry.metadata().await.unwrap().ino(), entry.ino());
                }
            }
            assert!(
                entries.next_entry().await.unwrap().is_none(),
                "the end stays"
            );
            found.sort();
            assert_eq!(found, wanted);
        });
    });
}

#[test]
fn a_runtime_that_has_ended_answers_with_an_error() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.with("file", "content");
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let error = block_on(fs::read(&path)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.to_string().contains("runtime has ended"), "{error}");
        let mut file = File::from_std(std_fs::File::options().write(true).open(&path).unwrap());
        assert_eq!(block_on(file.write(b"x")).unwrap(), 1);
        assert_eq!(kind(block_on(file.flush())), ErrorKind::Other);
        assert_eq!(std_fs::read(&path).unwrap(), b"content");
    });
}

#[test]
fn a_runtime_that_ends_carries_out_the_writes_that_were_begun() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let mut file = runtime.block_on(File::create(&path)).unwrap();
        let (release, released) = channel::<()>();
        let (start, started) = channel();
        let first = runtime.spawn_blocking(move || {
            start.send(()).unwrap();
            released.recv().is_err()
        });
        started.recv().unwrap();
        // Both wait behind it: the pool has one thread.
        runtime.block_on(file.write_all(b"content")).unwrap();
        let ordinary = runtime.spawn_blocking(|| ());
        let closed = thread::spawn(move || {
            until(|| ordinary.is_finished());
            drop(release);
            ordinary
        });
        drop(runtime);
        let ordinary = closed.join().unwrap();
        assert!(block_on(ordinary).unwrap_err().is_cancelled());
        assert!(block_on(first).unwrap());
        assert_eq!(std_fs::read(&path).unwrap(), b"content");
        block_on(file.flush()).unwrap();
    });
}

#[test]
fn a_file_that_is_dropped_is_written_all_the_same() {
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        workers(1).block_on(async {
            let mut file = File::create(&path).await.unwrap();
            file.write_all(b"content").await.unwrap();
        });
        // The runtime has ended, and waited for its threads.
        assert_eq!(std_fs::read(&path).unwrap(), b"content");
    });
}

#[test]
fn tokios_seek_refuses_to_start_while_another_call_is_under_way() {
    use executor::io::AsyncSeek;
    within(60, || {
        let scratch = Scratch::new();
        let path = scratch.fifo();
        workers(1).block_on(async {
            let mut pipe = read_write().open(&path).await.unwrap();
            give_up_reading(&mut pipe, 100);
            let error = Pin::new(&mut pipe)
                .start_seek(SeekFrom::Start(0))
                .unwrap_err();
            assert!(error.to_string().contains("poll_complete"), "{error}");
            std_fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .unwrap()
                .write_all(b"x")
                .unwrap();
        });
    });
}
