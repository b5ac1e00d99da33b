//! A directory for one test, for paths of sockets and FIFOs.

use std::env;
use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An empty directory with a short path, removed when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("executor-{}-{n}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it, which need not exist.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The path of a new FIFO in it.
    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.file(name);
        make_fifo(&path);
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What remains lies among the system's temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    // SAFETY: the pointer is to a string that ends with a zero byte.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}
