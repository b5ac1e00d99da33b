//! How a file is opened.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::File;
use super::offload::offload;

/// What to open a file for, and what to do if it is there or is not. As [`std::fs::OpenOptions`], from which it can be made.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use executor::fs::OpenOptions;
///
/// let log = OpenOptions::new().append(true).create(true).open("log.txt").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(std::fs::OpenOptions);

impl OpenOptions {
    /// Options of which none is set. At least one of read, write and append must be.
    pub fn new() -> Self {
        Self(std::fs::OpenOptions::new())
    }

    /// To read.
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.0.read(read);
        self
    }

    /// To write. What is there is written over.
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.0.write(write);
        self
    }

    /// To write at the end, wherever that is at the time of each write.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.0.append(append);
        self
    }

    /// Cuts the file to nothing. Needs write.
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.0.truncate(truncate);
        self
    }

    /// Creates the file if there is none. Needs write or append.
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.0.create(create);
        self
    }

    /// Creates the file, and is an error if there is one: nobody else can have created it in between.
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.0.create_new(create_new);
        self
    }

    /// The permissions of a file that is created, less those that the process's umask takes away. 0o666 if not set.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }

    /// More flags for the system's `open`, as `libc::O_*`, but none about the kind of access.
    pub fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.0.custom_flags(flags);
        self
    }

    /// Opens the file, on the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::OpenOptions::open`], and that the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// A file that is being opened when the future is dropped is closed again; with the options for that, it was created.
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let (options, path) = (self.0.clone(), path.as_ref().to_owned());
        let file = offload(move || options.open(path)).await?;
        Ok(File::from_std(file))
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl From<std::fs::OpenOptions> for OpenOptions {
    fn from(options: std::fs::OpenOptions) -> Self {
        Self(options)
    }
}
