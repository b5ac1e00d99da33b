//! The proxy on tokio.

include!("proxy.rs");
