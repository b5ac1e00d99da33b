//! The proxy on this library: the name is all that changes.

extern crate executor as tokio;

include!("proxy.rs");
