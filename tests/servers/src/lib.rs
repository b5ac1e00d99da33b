//! Real servers for tests and benches: [`Postgres`], [`Mariadb`] and [`Redis`], from their installed binaries.
//!
//! Each listens on a free port of the loopback network, keeps its data in a directory of its own, and is gone with it when its
//! [`Server`] is dropped, which a panic of a test does, too. None runs as root: where this process does, the server is another user.
//! Where a binary is missing there is no server, and a line that begins with `SKIPPED` says so; with `EXECUTOR_TEST_TOOLS=required`
//! it is a panic instead.

mod account;
mod kind;
mod mariadb;
mod postgres;
mod redis;
mod server;

pub use kind::{Kind, Running};
pub use mariadb::Mariadb;
pub use postgres::Postgres;
pub use redis::Redis;
pub use server::Server;
