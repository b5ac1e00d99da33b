//! A work-stealing, multi-threaded async runtime.
//!
#![cfg_attr(not(all(feature = "io", feature = "macros")), doc = "```ignore")]
#![cfg_attr(all(feature = "io", feature = "macros"), doc = "```no_run")]
//! use executor::io;
//! use executor::net::{self, TcpListener, TcpStream};
//!
//! #[executor::main]
//! async fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:8080").await?;
//!     // Each connection has a task of its own.
//!     let server = net::serve(listener, |mut stream: TcpStream, _peer| async move {
//!         let (mut reader, mut writer) = stream.split();
//!         // A client that breaks off is its own affair.
//!         let _ = io::copy(&mut reader, &mut writer).await;
//!     });
//!     server.serve_forever().await;
//!     Ok(())
//! }
//! ```
//!
//! # Where to begin
//!
//! | | |
//! |---|---|
//! | [`spawn`], [`task`] | run futures concurrently, await them, abort them; run closures that block |
//! | [`time`] | sleep, time out, tick |
//! | [`fs`] | files and directories |
//! | [`net`] | TCP, UDP, Unix sockets, pipes: listen, connect, read, write, split |
#![cfg_attr(
    feature = "sync",
    doc = "| [`sync`] | channels and locks between tasks |"
)]
//! | [`stream`] | values one after the other: async generators |
//! | [`process`] | start other programs, talk to them, wait for them |
//! | [`signal`] | wait for Ctrl-C and other signals |
//! | [`runtime`] | build a runtime, enter one, end one |
//!
//! Names that tokio has mean here what they mean there, so much that is written about tokio applies; the book lists the exceptions.
//! Names of asyncio and trio lead to ours in the search of this documentation.
//!
//! # How it runs
//!
//! Each worker thread has a queue of tasks and a slot for the one to run next. What a worker wakes it runs itself; a worker without work
//! steals up to half of another's queue (Blumofe and Leiserson, *Scheduling Multithreaded Computations by Work Stealing*, 1999; the queues
//! are crossbeam's, after Chase and Lev, *Dynamic Circular Work-Stealing Deque*, 2005). One that finds nothing sleeps, and one of those
//! who sleep waits for sockets and timers. If none does, because all are busy, a thread that is only there for this takes the
//! duty over, so one task that does not come back stops no other while a worker is free.
//!
//! Outside of any runtime, what needs one uses a default runtime, see [`runtime::Handle::current`].
//!
//! # Features
//!
//! - `io` (default): tokio's I/O traits on our sockets, and in the module `io` their runtime-free tools. The traits of `futures`
//!   are always there.
//! - `sync` (default): the module `sync`, tokio's channels and locks, and more. Without `io` and `sync` no crate of tokio is in the tree.
//! - `macros` (default): the attributes `main` and `test`, and `select!`, `join!` and `try_join!`.
//! - `hyper`: the module `hyper`, for servers and clients on hyper.
//! - `http`: the module `http`, HTTP servers and a client, with limits.
//! - `tls`: the module `tls`, TLS by rustls, and HTTPS where `http` is on too.
//! - `tokio-compat`: the module `tokio_compat`, a tokio for futures that need one.
//! - `backtrace`: `runtime::Builder::stall_backtraces`, where a thread is that is held by one poll.
//! - `tracing`: what [debug mode](runtime::Builder::debug) tells of, as events of that crate.
//! - `test-util`: a clock that can be paused.
//!
//! The names of tokio's features are accepted, so that a manifest can rename its dependency and keep them: `full` is `io`, `sync`
//! and `macros`; `io-util` is `io`; `rt`, `rt-multi-thread`, `net`, `time`, `signal`, `process`, `fs`, `io-std`, `parking_lot` and
//! `bytes` change nothing, because what they stand for is always there.

mod blocking;
mod context;
mod coop;
mod driver;
pub mod fs;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod io;
mod ledger;
mod local;
#[doc(hidden)]
pub mod macros;
pub mod net;
pub mod process;
mod queue;
mod rt_sync;
pub mod runtime;
mod scheduler;
#[cfg(all(test, shuttle))]
mod shuttle_tests;
pub mod signal;
pub mod stream;
#[cfg(feature = "sync")]
#[doc(alias = "Queue")]
#[doc(alias = "Lock")]
#[doc(alias = "BoundedSemaphore")]
#[doc(alias = "StrictFIFOLock")]
#[doc(alias = "ParkingLot")]
pub mod sync;
pub mod task;
mod task_api;
pub mod time;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "tokio-compat")]
pub mod tokio_compat;

pub use task_api::spawn;

#[cfg(feature = "macros")]
pub use executor_rt_macros::{main, test};

/// The code in the README and in the book compiles, and runs.
#[cfg(all(doctest, feature = "io", feature = "macros"))]
mod documents {
    macro_rules! included {
        ($($name:ident: $path:literal)*) => {$(
            #[doc = include_str!($path)]
            mod $name {}
        )*};
    }

    included! {
        readme: "../../README.md"
        asyncio: "../../docs/book/src/asyncio.md"
        debug: "../../docs/book/src/debug.md"
        cancellation: "../../docs/book/src/cancellation.md"
        compose: "../../docs/book/src/compose.md"
        embedding: "../../docs/book/src/embedding.md"
        files: "../../docs/book/src/files.md"
        http_client: "../../docs/book/src/http-client.md"
        getting_started: "../../docs/book/src/getting-started.md"
        http: "../../docs/book/src/http.md"
        network: "../../docs/book/src/network.md"
        processes: "../../docs/book/src/processes.md"
        processes_and_machines: "../../docs/book/src/processes-and-machines.md"
        shutdown: "../../docs/book/src/shutdown.md"
        stalls: "../../docs/book/src/stalls.md"
        streams: "../../docs/book/src/streams.md"
        sync: "../../docs/book/src/sync.md"
        tasks: "../../docs/book/src/tasks.md"
        time: "../../docs/book/src/time.md"
        tokio_compat: "../../docs/book/src/tokio-compat.md"
    }
}
