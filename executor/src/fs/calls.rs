//! The functions that are one call of the standard library, made on the blocking pool.

use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use super::offload::offload;

/// Functions that take paths, and perhaps one thing more, to the call of the same name.
macro_rules! calls {
    ($(
        $(#[$doc:meta])*
        $name:ident($($path:ident),+ $(; $more:ident: $type:ty)?) -> $output:ty = $call:path;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`", stringify!($call), "`], and that the runtime has ended.")]
        ///
        /// # Cancel safety
        ///
        /// A call that has begun goes on when the future is dropped; one that has not may be left out. See [`fs`](crate::fs).
        pub async fn $name($($path: impl AsRef<Path>),+ $(, $more: $type)?) -> io::Result<$output> {
            $(let $path = $path.as_ref().to_owned();)+
            offload(move || $call($($path),+ $(, $more)?)).await
        }
    )*};
}

calls! {
    /// The path in its absolute form, with symbolic links followed.
    canonicalize(path) -> PathBuf = std::fs::canonicalize;

    /// Copies a file's content and permissions over another file, which is created if needed, and returns the number of bytes.
    #[doc(alias = "copyfile")]
    copy(from, to) -> u64 = std::fs::copy;

    /// Creates a directory, whose parent exists.
    #[doc(alias = "mkdir")]
    create_dir(path) -> () = std::fs::create_dir;

    /// Creates a directory and those above it that are missing.
    #[doc(alias = "makedirs")]
    create_dir_all(path) -> () = std::fs::create_dir_all;

    /// Gives a file one more name.
    #[doc(alias = "link")]
    hard_link(original, link) -> () = std::fs::hard_link;

    /// What the system knows about a file: size, times, permissions, kind. Symbolic links are followed.
    #[doc(alias = "stat")]
    metadata(path) -> Metadata = std::fs::metadata;

    /// A file's whole content. For a file that is large, [`File`](super::File) reads piece by piece.
    #[doc(alias = "read_bytes")]
    read(path) -> Vec<u8> = std::fs::read;

    /// Where a symbolic link points to.
    #[doc(alias = "readlink")]
    read_link(path) -> PathBuf = std::fs::read_link;

    /// A file's whole content, which must be UTF-8.
    #[doc(alias = "read_text")]
    read_to_string(path) -> String = std::fs::read_to_string;

    /// Removes an empty directory.
    #[doc(alias = "rmdir")]
    remove_dir(path) -> () = std::fs::remove_dir;

    /// Removes a directory and everything in it. Symbolic links are removed, not followed.
    #[doc(alias = "rmtree")]
    remove_dir_all(path) -> () = std::fs::remove_dir_all;

    /// Removes a file's name, and the file with its last one.
    #[doc(alias = "unlink")]
    remove_file(path) -> () = std::fs::remove_file;

    /// Gives a file or directory another name on the same file system, in place of what had that name.
    #[doc(alias = "replace")]
    rename(from, to) -> () = std::fs::rename;

    /// Changes a file's permissions.
    #[doc(alias = "chmod")]
    set_permissions(path; permissions: Permissions) -> () = std::fs::set_permissions;

    /// Creates a symbolic link: `link` will point to `original`.
    symlink(original, link) -> () = std::os::unix::fs::symlink;

    /// As [`metadata`], of a symbolic link itself.
    #[doc(alias = "lstat")]
    symlink_metadata(path) -> Metadata = std::fs::symlink_metadata;

    /// Whether there is something at the path. An error says that this could not be found out.
    #[doc(alias = "exists")]
    try_exists(path) -> bool = std::fs::exists;
}

/// Makes `contents`, which are copied first, the whole content of a file, which is created if needed.
///
/// # Errors
///
/// Those of [`std::fs::write`], and that the runtime has ended.
///
/// # Cancel safety
///
/// A call that has begun goes on when the future is dropped; one that has not may be left out. See [`fs`](crate::fs).
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("executor-write-{}", std::process::id()));
/// executor::fs::write(&path, "one\ntwo\n").await?;
/// assert_eq!(executor::fs::read_to_string(&path).await?, "one\ntwo\n");
/// # executor::fs::remove_file(&path).await
/// # }).unwrap();
/// ```
#[doc(alias = "write_text")]
#[doc(alias = "write_bytes")]
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    offload(move || std::fs::write(path, contents)).await
}
