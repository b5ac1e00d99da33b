//! Files and directories, as in [`std::fs`], without blocking a worker.
//!
//! The system has no way to wait for files as for sockets: a call that needs the disk blocks its thread. So each call here is made on a
//! thread of the blocking pool, see [`spawn_blocking`](crate::task::spawn_blocking). That costs some microseconds a call, so what does
//! many small steps (walks a tree, parses a file) is better one closure of `spawn_blocking` that uses [`std::fs`].
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! # let path = std::env::temp_dir().join(format!("executor-fs-{}", std::process::id()));
//! use executor::fs;
//!
//! fs::create_dir_all(&path).await?;
//! fs::write(path.join("a"), "hello").await?;
//! fs::rename(path.join("a"), path.join("b")).await?;
//! assert_eq!(fs::read_to_string(path.join("b")).await?, "hello");
//! fs::remove_dir_all(&path).await
//! # }).unwrap();
//! ```
//!
//! # Cancel safety
//!
//! The system cannot be interrupted in a call. If the future is dropped before its first poll nothing happens; later, a call that has
//! begun goes on to its end, and one that waits for a thread may or may not be made. So after `timeout(t, rename(a, b))` has timed
//! out, the file may have either name, and may yet change it.
//!
//! # Errors
//!
//! Those of [`std::fs`], unchanged. If the runtime has ended, or the system refuses the pool its first thread, the error's
//! kind is [`Other`](std::io::ErrorKind::Other) and nothing was done.

mod calls;
mod dir_builder;
mod engine;
mod file;
mod futures_io;
mod offload;
mod open_options;
mod read_dir;
#[cfg(feature = "io")]
mod tokio_io;

pub use calls::{
    canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions, symlink,
    symlink_metadata, try_exists, write,
};
pub use dir_builder::DirBuilder;
pub use file::File;
pub use open_options::OpenOptions;
pub use read_dir::{DirEntry, ReadDir, read_dir};

#[doc(no_inline)]
pub use std::fs::FileTimes;
