//! Sends back whatever comes over TCP.
//!
//! ```text
//! cargo run -p executor-rt --example echo -- 127.0.0.1:7000     and then, elsewhere: nc 127.0.0.1 7000
//! cargo run -p executor-rt --example echo -- check              connects to itself
//! ```

use std::io;

use executor::io::{AsyncReadExt, AsyncWriteExt, copy};
use executor::net::{TcpListener, TcpStream, serve};

#[executor::main]
async fn main() -> io::Result<()> {
    let argument = std::env::args().nth(1);
    let checking = argument.as_deref() == Some("check");
    let address = argument.filter(|_| !checking);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let address = listener.local_addr()?;
    println!("echoing on {address}");
    let server = serve(listener, |stream, _peer| echo(stream));
    if checking {
        return check(TcpStream::connect(address).await?).await;
    }
    server.serve_forever().await;
    Ok(())
}

async fn echo(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    // A client that breaks off is its own affair.
    let _ = copy(&mut reader, &mut writer).await;
}

async fn check(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"hello\n").await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    assert_eq!(answer, "hello\n");
    println!("hello came back");
    Ok(())
}
