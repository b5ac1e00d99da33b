//! An open file.

use std::fmt;
use std::fs::{FileTimes, Metadata, Permissions};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;

use futures::lock::Mutex;
use futures::task::AtomicWaker;

use super::OpenOptions;
use super::engine::Engine;
use super::offload::offload;

/// An open file, which is read, written and sought through the I/O traits of `futures` or tokio.
///
/// Each read and each write is a call on the blocking pool, of up to [`max_buf_size`](Self::max_buf_size) bytes, through a buffer that
/// belongs to the file. A thread is a long way for a few bytes: small reads and writes belong behind a `BufReader` or `BufWriter`.
///
/// # Writing
///
/// A write is complete when its bytes have been copied; they are written in the background, while the task goes on. If that fails, the
/// next write, `flush`, [`sync_all`](Self::sync_all) or [`sync_data`](Self::sync_data) returns the error. So a file that was written is
/// flushed before it is dropped, or the last error is never seen. A file that is dropped is closed when what it began is done; a
/// runtime that ends carries out the writes that were begun, for as long as it waits for its threads.
///
/// # Cancel safety
///
/// Reading and writing are cancel safe as far as the methods of the extension traits are: bytes that were read for a future that is gone are
/// given to the next one, and the position that seeking and writing start from is the one up to which somebody was given bytes.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("executor-file-{}", std::process::id()));
/// use executor::fs::File;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// let mut file = File::create(&path).await?;
/// file.write_all(b"hello").await?;
/// file.flush().await?;
///
/// let mut text = String::new();
/// File::open(&path).await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # executor::fs::remove_file(&path).await
/// # }).unwrap();
/// ```
pub struct File {
    std: Arc<std::fs::File>,
    /// Woken when a call that has `std` for itself, without the engine, has let it go.
    returned: Arc<AtomicWaker>,
    /// Held across an `await` by those who have the file by `&`.
    engine: Mutex<Engine>,
    max_buf_size: usize,
}

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().read(true).open(path).await
    }

    /// Opens a file to write it: created if there is none, cut to nothing if there is one.
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the file may have been created or cut all the same.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = Self::options();
        options.write(true).create(true).truncate(true);
        options.open(path).await
    }

    /// Creates a file to read and write it. That there is one already is an error, so nobody else can have created it in between.
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the file may have been created all the same.
    pub async fn create_new<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let mut options = Self::options();
        options.read(true).write(true).create_new(true);
        options.open(path).await
    }

    /// [`OpenOptions::new`].
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// A file that is open already.
    pub fn from_std(std: std::fs::File) -> Self {
        let std = Arc::new(std);
        Self {
            engine: Mutex::new(Engine::new(std.clone())),
            std,
            returned: Arc::default(),
            max_buf_size: MAX_BUF_SIZE,
        }
    }

    /// The file without buffers, after what is under way. Its position is the one up to which somebody was given bytes.
    ///
    /// The error of a write in the background goes unseen: flush first.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the file is closed.
    pub async fn into_std(self) -> std::fs::File {
        let mut engine = self.engine.into_inner();
        engine.idle().await;
        engine.settle();
        drop(engine);
        // A short call that somebody gave up, as `metadata`, may still have it.
        let mut std = Some(self.std);
        poll_fn(|cx| {
            self.returned.register(cx.waker());
            match std.take().map(Arc::try_unwrap) {
                Some(Ok(alone)) => Poll::Ready(alone),
                shared => {
                    std = shared.and_then(Result::err);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// As [`into_std`](Self::into_std), at once.
    ///
    /// # Errors
    ///
    /// The file itself, if a call is under way, or if bytes that nobody was given cannot be given back because the file has no position.
    #[expect(clippy::result_large_err, reason = "the file comes back")]
    pub fn try_into_std(mut self) -> Result<std::fs::File, Self> {
        // The engine has one, and each call under way.
        if !self.engine.get_mut().settle() || Arc::strong_count(&self.std) > 2 {
            return Err(self);
        }
        drop(self.engine);
        Ok(Arc::into_inner(self.std).expect("the engine had the only other one"))
    }

    /// One more handle of the same open file, with which it shares the position.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::File::try_clone`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[doc(alias = "dup")]
    pub async fn try_clone(&self) -> io::Result<Self> {
        let mut engine = self.engine.lock().await;
        engine.idle().await;
        engine.settle();
        // Duplicating a descriptor does not block.
        let mut clone = Self::from_std(self.std.try_clone()?);
        clone.max_buf_size = self.max_buf_size;
        Ok(clone)
    }

    /// Waits until what was written, and what the system knows about the file, is on the disk.
    ///
    /// # Errors
    ///
    /// That of a write in the background, in which case nothing else is done; those of [`std::fs::File::sync_all`]; that the
    /// runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a call that has begun goes on.
    #[doc(alias = "fsync")]
    pub async fn sync_all(&self) -> io::Result<()> {
        self.written(std::fs::File::sync_all).await
    }

    /// As [`sync_all`](Self::sync_all), without what is not needed to read the file again, as its times.
    ///
    /// # Errors
    ///
    /// As [`sync_all`](Self::sync_all).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a call that has begun goes on.
    #[doc(alias = "fdatasync")]
    pub async fn sync_data(&self) -> io::Result<()> {
        self.written(std::fs::File::sync_data).await
    }

    /// Cuts the file, or lengthens it with zeros, after what was written.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::File::set_len`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// A call that has begun goes on.
    #[doc(alias = "truncate")]
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        let mut engine = self.engine.lock().await;
        engine.call(move |file| file.set_len(size)).await
    }

    /// Changes the times of last access and modification, after what was written.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::File::set_times`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// A call that has begun goes on.
    #[doc(alias = "utime")]
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        let mut engine = self.engine.lock().await;
        engine.call(move |file| file.set_times(times)).await
    }

    /// Changes the time of last modification, after what was written.
    ///
    /// # Errors
    ///
    /// As [`set_times`](Self::set_times).
    ///
    /// # Cancel safety
    ///
    /// A call that has begun goes on.
    pub async fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time)).await
    }

    /// What the system knows about the file. Writes that are under way are not waited for.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::File::metadata`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[doc(alias = "fstat")]
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let lent = self.lend();
        offload(move || lent.std().metadata()).await
    }

    /// Changes the file's permissions.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::File::set_permissions`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// A call that has begun goes on.
    #[doc(alias = "fchmod")]
    pub async fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        let lent = self.lend();
        offload(move || lent.std().set_permissions(permissions)).await
    }

    /// How many bytes one read or write moves at most, and so how large each of the file's two buffers can become.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(
            max_buf_size > 0,
            "with a buffer of 0 bytes nothing can be read or written: give `set_max_buf_size` at least 1"
        );
        self.max_buf_size = max_buf_size;
    }

    /// What [`set_max_buf_size`](Self::set_max_buf_size) has set. 2 MiB at first.
    pub fn max_buf_size(&self) -> usize {
        self.max_buf_size
    }

    /// The engine, for whoever has the file to himself, and how many bytes it moves at most.
    pub(super) fn engine(&mut self) -> (&mut Engine, usize) {
        (self.engine.get_mut(), self.max_buf_size)
    }

    fn lend(&self) -> Lent {
        Lent {
            std: self.std.clone(),
            _returned: Returned(self.returned.clone()),
        }
    }

    /// Makes a call that vouches for what was written.
    async fn written(&self, f: fn(&std::fs::File) -> io::Result<()>) -> io::Result<()> {
        let mut engine = self.engine.lock().await;
        poll_fn(|cx| engine.poll_flush(cx)).await?;
        engine.call(f).await
    }
}

/// The file in the hands of a call that need not wait for the engine. It is given back in this order: the file, then the word that it was.
struct Lent {
    std: Arc<std::fs::File>,
    _returned: Returned,
}

impl Lent {
    /// A method, so that a closure that calls it has the whole of this, and not the file alone.
    fn std(&self) -> &std::fs::File {
        &self.std
    }
}

struct Returned(Arc<AtomicWaker>);

impl Drop for Returned {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl From<std::fs::File> for File {
    fn from(std: std::fs::File) -> Self {
        Self::from_std(std)
    }
}

impl From<OwnedFd> for File {
    fn from(descriptor: OwnedFd) -> Self {
        Self::from_std(descriptor.into())
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(descriptor: RawFd) -> Self {
        // SAFETY: the caller promises what this asks for: that the descriptor is open and nobody else's.
        Self::from_std(unsafe { std::fs::File::from_raw_fd(descriptor) })
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("std", &self.std)
            .field("max_buf_size", &self.max_buf_size)
            .finish_non_exhaustive()
    }
}

const MAX_BUF_SIZE: usize = 2 << 20;
