//! `OpenOptions`: how a FIFO is opened.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::descriptor::{End, check_pipe};
use super::{Receiver, Sender};

/// How to open a FIFO, a pipe with a name in the file system.
///
/// ```no_run
/// # fn example() -> std::io::Result<()> {
/// use executor::net::unix::pipe;
///
/// let receiver = pipe::OpenOptions::new().open_receiver("/run/commands")?;
/// let sender = pipe::OpenOptions::new().open_sender("/run/commands")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    read_write: bool,
    unchecked: bool,
}

impl OpenOptions {
    /// Opens for one direction, and checks what was opened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the FIFO for both directions (default: no), whichever end is made.
    ///
    /// Then a sender can be opened before there is a reader, and a receiver never sees the end of the data. Linux allows it;
    /// POSIX leaves it open.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn read_write(&mut self, value: bool) -> &mut Self {
        self.read_write = value;
        self
    }

    /// Leaves the check out that the file is a FIFO (default: no). For files of which that is known.
    pub fn unchecked(&mut self, value: bool) -> &mut Self {
        self.unchecked = value;
        self
    }

    /// Opens the end that is read. There need not be a writer yet.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the file is not a FIFO, or what the system says of the path; that the
    /// runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        Receiver::from_file_unchecked(self.open(path.as_ref(), End::Receiver)?)
    }

    /// Opens the end that is written.
    ///
    /// # Errors
    ///
    /// `ENXIO` if nobody has the FIFO open for reading, see `read_write`; as
    /// [`open_receiver`](Self::open_receiver).
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        Sender::from_file_unchecked(self.open(path.as_ref(), End::Sender)?)
    }

    fn open(&self, path: &Path, end: End) -> io::Result<File> {
        let mut options = fs::OpenOptions::new();
        options
            .read(end == End::Receiver)
            .write(end == End::Sender)
            // Else opening waits for the other end.
            .custom_flags(libc::O_NONBLOCK);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if self.read_write {
            options.read(true).write(true);
        }
        let file = options.open(path)?;
        if !self.unchecked {
            check_pipe(&file)?;
        }
        Ok(file)
    }
}
