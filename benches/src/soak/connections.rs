//! A server that sends back what it receives, and connections to it: some that end well, some by a reset, some with their task.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use executor::net::{TcpListener, TcpStream};
use executor::spawn;
use executor::time::sleep;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::ledger::{Count, Ledger, pause};
use crate::random::Random;

pub(super) async fn serve(listener: TcpListener) {
    loop {
        // What clients kill before it is accepted.
        if let Ok((stream, _)) = listener.accept().await {
            drop(spawn(echo(stream)));
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

/// Connections, one after the other, each with some round trips. Half of them end by a reset.
pub(super) fn steady(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            if let Err(error) = connection(&ledger, &mut random).await {
                ledger.fault(format!("a connection that nobody kills: {error}"));
                pause(&mut random, 1000).await;
            }
        }
    })
}

async fn connection(ledger: &Ledger, random: &mut Random) -> io::Result<()> {
    let Some(stream) = ledger
        .soon("connect", TcpStream::connect(ledger.server))
        .await
    else {
        return Ok(());
    };
    let mut stream = stream?;
    stream.set_nodelay(true)?;
    for _ in 0..random.below(200) {
        if ledger.stopped() {
            break;
        }
        round_trip(ledger, &mut stream, random).await?;
        pause(random, 10).await;
    }
    if random.below(2) == 0 {
        stream.set_zero_linger()?;
        ledger.add(Count::Resets, 1);
    }
    ledger.add(Count::Connections, 1);
    Ok(())
}

async fn round_trip(
    ledger: &Ledger,
    stream: &mut TcpStream,
    random: &mut Random,
) -> io::Result<()> {
    // Mostly short, and now and then more than fits into one read of the server.
    let length = match random.below(20) {
        0 => random.below(64 * 1024),
        _ => random.below(512),
    };
    let first = random.below(256) as u8;
    let message: Vec<u8> = (0..=length).map(|n| first.wrapping_add(n as u8)).collect();
    let mut answer = vec![0; message.len()];
    let start = Instant::now();
    let exchange = async {
        stream.write_all(&message).await?;
        stream.read_exact(&mut answer).await
    };
    let Some(result) = ledger.soon("the answer to a message", exchange).await else {
        return Ok(());
    };
    result?;
    if length < 512 {
        ledger.echo.record(start.elapsed());
    }
    if answer != message {
        ledger.fault("an answer has other bytes than the message");
    }
    ledger.add(Count::RoundTrips, 1);
    Ok(())
}

/// Tasks with a connection, which are aborted in the middle of whatever they do.
pub(super) fn mortal(
    ledger: Arc<Ledger>,
    mut random: Random,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        while !ledger.stopped() {
            let task = spawn({
                let (ledger, mut random) = (ledger.clone(), random.split());
                async move {
                    loop {
                        connection(&ledger, &mut random).await?;
                    }
                }
            });
            pause(&mut random, 200).await;
            task.abort();
            match ledger.soon("the handle of an aborted task", task).await {
                Some(Err(error)) if error.is_cancelled() => {
                    ledger.add(Count::ConnectionsAborted, 1)
                }
                Some(Err(error)) => ledger.fault(format!("an aborted connection: {error}")),
                Some(Ok(io::Result::<()>::Err(error))) => {
                    ledger.fault(format!("a connection that is to be aborted: {error}"));
                    sleep(Duration::from_secs(1)).await;
                }
                Some(Ok(Ok(()))) | None => {}
            }
        }
    })
}
