//! One service as several processes: fronts that take jobs in, workers that do them, and a stream in Redis between the two.
//!
//! ```text
//! cargo run -p executor-tests-ecosystem --bin workers -- 127.0.0.1:7000 127.0.0.1:6379     and then: nc 127.0.0.1 7000
//!
//!   clients ──▶ one port ─┬─▶ front 1 ─┐                    ┌─▶ worker 1 ─┐
//!                         └─▶ front 2 ─┴─▶ stream in Redis ─┼─▶ worker 2 ─┼─▶ results in Redis
//!                                                           └─▶ worker 3 ─┘
//! ```
//!
//! The parent opens the port, and starts the others again when they end; it takes no connection itself. So any of them may be ended, by SIGTERM or by
//! SIGKILL, and the service goes on: a front that is asked to end fails no request, and a worker that is killed loses no job. SIGTERM or Ctrl-C to the
//! parent ends all in order. The chapter "Several processes, several machines" of the book says why it is made so.

use std::env;
use std::error::Error;

mod end;
mod front;
mod parent;
mod queue;
mod worker;

#[executor::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["front", name, redis] => front::run(name, redis).await,
        ["worker", name, redis] => worker::run(name, redis).await,
        [address, redis] => parent::run(address, redis).await,
        _ => Err("which address to listen on, and where is Redis?".into()),
    }
}
