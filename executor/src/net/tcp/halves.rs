//! The halves of a TCP stream.

use std::net::SocketAddr;

use super::TcpStream;
use crate::net::stream::halves;

halves!(TcpStream, SocketAddr);
