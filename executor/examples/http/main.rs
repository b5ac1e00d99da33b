//! An HTTP server on hyper: puts load on itself, prints what that costs, and then ends in the middle of requests without losing one.
//!
//! ```text
//! cargo run --release -p executor-rt --features hyper --example http
//! cargo run --release -p executor-rt --features hyper --example http -- --serve 127.0.0.1:8080
//! ```
//!
//! | file | |
//! |---|---|
//! | `server`    | accepts, answers, and ends gracefully: start reading here |
//! | `stop`      | how the connections learn that the server ends |
//! | `load`      | the load: `wrk` where it is installed, else a client on this same runtime |
//! | `interrupt` | sends SIGINT to this process and checks what becomes of the requests in flight |

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use load::Load;
use options::Options;
use server::Server;

mod client;
mod interrupt;
mod load;
mod options;
mod server;
mod stop;
mod system;
mod wrk;

#[executor::main]
async fn main() -> ExitCode {
    let result = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => match options.serve {
            Some(address) => serve(address).await,
            None => show(&options).await,
        },
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGINT.
async fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    system::raise_file_limit()?;
    let server = Server::start(address).await?;
    println!("serving on http://{}/, until Ctrl-C", server.address);
    server.ended().await?;
    println!("every request was finished");
    Ok(())
}

/// The load, then the end in the middle of requests.
async fn show(options: &Options) -> Result<(), Box<dyn Error>> {
    let files = system::raise_file_limit()?;
    let most = options.connections.iter().max().copied().unwrap_or(0);
    // Each connection has two ends, and with the client of our own both are in this process.
    if files < 2 * most as u64 + 100 {
        return Err(format!(
            "{most} connections need more open files than the {files} allowed: raise `ulimit -n`, or pass --connections 8"
        )
        .into());
    }
    let server = Server::start(([127, 0, 0, 1], 0).into()).await?;
    let load = Load::choose(options.own_client);
    println!("server: hyper on executor, http://{}/", server.address);
    println!("load:   {load}\n");
    println!(
        "connections  requests/s       p50       p90       p99       max   CPU µs per request (user + system)"
    );
    for &connections in &options.connections {
        let measured = load
            .measure(server.address, connections, options.length)
            .await?;
        println!("{connections:11}  {measured}");
    }
    println!();
    executor::time::timeout(PATIENCE, interrupt::check(server))
        .await
        .map_err(|_| format!("the server has not ended {PATIENCE:?} after SIGINT"))??;
    println!("PASSED");
    Ok(())
}

/// For the end, which takes little more than a second. Less than idle connections are allowed to live: they must be closed because
/// the server ends.
const PATIENCE: Duration = Duration::from_secs(20);
