//! Why something about PostgreSQL has failed.

use std::{fmt, io};

/// Why a server cannot be reached, or what it or the driver says.
#[derive(Debug)]
pub enum Error {
    /// No connection comes about.
    Io(io::Error),
    /// What the server or the driver says.
    Postgres(tokio_postgres::Error),
}

impl Error {
    /// What the server says, if it is an error of the server.
    pub fn as_db_error(&self) -> Option<&tokio_postgres::error::DbError> {
        match self {
            Self::Io(_) => None,
            Self::Postgres(error) => error.as_db_error(),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the server cannot be reached: {error}"),
            Self::Postgres(error) => match error.as_db_error() {
                // The driver's own text leaves it to the source.
                Some(said) => said.fmt(f),
                None => error.fmt(f),
            },
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Postgres(error) => Some(error),
        }
    }
}
