//! Tests through real sockets: what a user of sources, handles and turns can see.

mod fork;
mod lifetime;
mod shutdown;
mod support;
mod timeouts;
mod waiting;
