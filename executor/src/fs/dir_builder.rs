//! How a directory is created.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::offload::offload;

/// Creates directories with permissions other than the usual. As [`std::fs::DirBuilder`].
#[derive(Debug, Default)]
pub struct DirBuilder {
    recursive: bool,
    mode: Option<u32>,
}

impl DirBuilder {
    /// Creates one directory with the usual permissions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to create the directories above it that are missing, too. Then it is no error if it is there already.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// The permissions of what is created, less those that the process's umask takes away. 0o777 if not set.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }

    /// Creates the directory, on the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::DirBuilder::create`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// A call that has begun goes on when the future is dropped; one that has not may be left out.
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive);
        if let Some(mode) = self.mode {
            builder.mode(mode);
        }
        offload(move || builder.create(path)).await
    }
}
