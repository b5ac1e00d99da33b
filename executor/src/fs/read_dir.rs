//! The entries of a directory, fetched many at a time.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{FileType, Metadata};
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::offload::offload;
use crate::coop;
use crate::task::coop::consume_budget;
use crate::task::{JoinHandle, spawn_blocking};
use crate::task_api::not_carried_out;

/// Begins to read a directory.
///
/// # Errors
///
/// Those of [`std::fs::read_dir`], and that the runtime has ended.
///
/// # Cancel safety
///
/// Cancel safe.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let mut entries = executor::fs::read_dir("/").await?;
/// while let Some(entry) = entries.next_entry().await? {
///     println!("{}", entry.path().display());
/// }
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "scandir")]
#[doc(alias = "listdir")]
#[doc(alias = "iterdir")]
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let batch = offload(move || Ok(Batch::next(std::fs::read_dir(path)?))).await?;
    Ok(ReadDir(State::Idle(Some(batch))))
}

/// The entries of a directory, in no particular order and without `.` and `..`. See [`read_dir`].
#[must_use = "nothing is read until entries are asked for"]
pub struct ReadDir(State);

enum State {
    /// `None`: the pool did not carry the last call out, and took the directory along.
    Idle(Option<Batch>),
    Busy(JoinHandle<Batch>),
}

/// Entries that were fetched in one go, and the directory if there may be more.
struct Batch {
    entries: VecDeque<io::Result<DirEntry>>,
    rest: Option<std::fs::ReadDir>,
}

/// One entry of a directory. See [`ReadDir::next_entry`].
#[derive(Debug)]
pub struct DirEntry {
    std: Arc<std::fs::DirEntry>,
    /// Most file systems give it along with the name.
    file_type: Option<FileType>,
}

impl ReadDir {
    /// The next entry, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the system, about one entry or about the rest of them; that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no entry is lost.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// As [`next_entry`](Self::next_entry). Only the last task that polled is woken.
    ///
    /// # Errors
    ///
    /// As [`next_entry`](Self::next_entry).
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        coop::poll_counted(cx, |cx| self.poll_next_uncounted(cx))
    }

    fn poll_next_uncounted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            match &mut self.0 {
                State::Idle(None) => return Poll::Ready(Ok(None)),
                State::Idle(Some(batch)) => {
                    if let Some(entry) = batch.entries.pop_front() {
                        return Poll::Ready(entry.map(Some));
                    }
                    let Some(rest) = batch.rest.take() else {
                        return Poll::Ready(Ok(None));
                    };
                    self.0 = State::Busy(spawn_blocking(move || Batch::next(rest)));
                }
                State::Busy(handle) => {
                    let batch = ready!(handle.poll_output(cx.waker()));
                    let (batch, error) = match batch {
                        Ok(batch) => (Some(batch), None),
                        Err(error) => (None, Some(not_carried_out(error))),
                    };
                    self.0 = State::Idle(batch);
                    if let Some(error) = error {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }
}

impl Batch {
    fn next(mut directory: std::fs::ReadDir) -> Self {
        let mut entries = VecDeque::with_capacity(BATCH);
        while entries.len() < BATCH {
            let Some(entry) = directory.next() else {
                return Self {
                    entries,
                    rest: None,
                };
            };
            let failed = entry.is_err();
            entries.push_back(entry.map(DirEntry::new));
            if failed {
                // The user decides whether to go on.
                break;
            }
        }
        Self {
            entries,
            rest: Some(directory),
        }
    }
}

impl DirEntry {
    fn new(std: std::fs::DirEntry) -> Self {
        Self {
            file_type: std.file_type().ok(),
            std: Arc::new(std),
        }
    }

    /// The path that was given to [`read_dir`], and the entry's name.
    pub fn path(&self) -> PathBuf {
        self.std.path()
    }

    /// The name alone.
    pub fn file_name(&self) -> OsString {
        self.std.file_name()
    }

    /// The number of its inode.
    pub fn ino(&self) -> u64 {
        self.std.ino()
    }

    /// What the system knows about it. Symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::DirEntry::metadata`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let std = self.std.clone();
        offload(move || std.metadata()).await
    }

    /// Whether it is a file, a directory, a symbolic link or something else. Most file systems said so together with the name.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::DirEntry::file_type`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(file_type) = self.file_type {
            consume_budget().await;
            return Ok(file_type);
        }
        let std = self.std.clone();
        offload(move || std.file_type()).await
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

/// How many entries are fetched in one go: enough that the way to the pool does not count, few enough to begin soon.
const BATCH: usize = 128;
