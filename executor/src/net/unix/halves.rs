//! The halves of a Unix stream.

use super::{SocketAddr, UnixStream};
use crate::net::stream::halves;

halves!(UnixStream, SocketAddr);
