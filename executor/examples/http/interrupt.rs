//! The end: SIGINT in the middle of requests, of which none may be lost.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use executor::net::TcpStream;
use futures::future::try_join_all;

use crate::client::Client;
use crate::server::Server;
use crate::system;

pub(crate) async fn check(server: Server) -> Result<(), Box<dyn Error>> {
    let address = server.address;
    // Connections are accepted in their order, so the server has all of these when the last request has come in.
    let mut silent = try_join_all((0..IDLE).map(|_| Client::connect(address))).await?;
    let mut idle = try_join_all((0..IDLE).map(|_| used_once(address))).await?;
    let requests = try_join_all((0..IN_FLIGHT).map(|number| Slow::begin(address, number))).await?;
    println!(
        "{IN_FLIGHT} requests are in flight, {} connections are idle: sending SIGINT to myself",
        2 * IDLE
    );

    system::interrupt_myself()?;
    until_refused(address).await?;
    println!("new connections are refused");

    try_join_all(requests.into_iter().map(Slow::finish)).await?;
    println!("{IN_FLIGHT} of {IN_FLIGHT} requests were answered completely, after SIGINT");

    for client in silent.iter_mut().chain(&mut idle) {
        client
            .closed()
            .await
            .map_err(|error| format!("an idle connection was not just closed: {error}"))?;
    }
    server.ended().await?;
    println!("the idle connections are closed, and the server has ended");

    match TcpStream::connect(address).await {
        Ok(_) => Err("a new connection was not refused after the end".into()),
        Err(_) => Ok(()),
    }
}

/// A connection that has had its answer, and is kept for a next request that does not come.
async fn used_once(address: SocketAddr) -> io::Result<Client> {
    let mut client = Client::connect(address).await?;
    client
        .send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    client.answer().await?;
    Ok(client)
}

/// Connects until that is refused. The first attempts may come before the server has taken notice of the signal.
async fn until_refused(address: SocketAddr) -> io::Result<()> {
    loop {
        match TcpStream::connect(address).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(()),
            // The listener was closed with this one still waiting to be accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => return Err(error),
            Ok(_) => executor::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// A request in flight.
struct Slow {
    number: usize,
    client: Client,
    body: Vec<u8>,
    /// How much of the body is sent.
    sent: usize,
}

impl Slow {
    /// The server says "100 Continue" when it begins to read the body, so from then on it has the request in hand. Every second
    /// request then waits for its answer, which the server takes a second for; of the others only half the body is sent.
    async fn begin(address: SocketAddr, number: usize) -> Result<Self, String> {
        let body = vec![b'a' + (number % 26) as u8; BODY];
        let sent = if number.is_multiple_of(2) {
            BODY
        } else {
            BODY / 2
        };
        let begun = async {
            let mut client = Client::connect(address).await?;
            let head = format!(
                "POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\nExpect: 100-continue\r\n\r\n"
            );
            client.send(head.as_bytes()).await?;
            let status = client.answer().await?.status;
            client.send(&body[..sent]).await?;
            io::Result::Ok((client, status))
        };
        match begun.await {
            Ok((client, 100)) => Ok(Self {
                number,
                client,
                body,
                sent,
            }),
            Ok((_, status)) => Err(format!(
                "request {number} was answered with status {status} at once"
            )),
            Err(error) => Err(format!("request {number} could not be sent: {error}")),
        }
    }

    /// Sends the rest, and waits for the answer, which must be complete, and then for the end of the connection.
    async fn finish(mut self) -> Result<(), String> {
        let number = self.number;
        let finished = async {
            self.client.send(&self.body[self.sent..]).await?;
            let answer = self.client.answer().await?;
            self.client.closed().await?;
            io::Result::Ok(answer)
        };
        match finished.await {
            Ok(answer) if answer.status == 200 && answer.body == self.body => Ok(()),
            Ok(answer) => Err(format!(
                "request {number} was answered with status {} and {} bytes",
                answer.status,
                answer.body.len()
            )),
            Err(error) => Err(format!(
                "request {number} was in flight and was not finished: {error}"
            )),
        }
    }
}

/// Twice: connections that have never sent anything, and those that have.
const IDLE: usize = 8;
const IN_FLIGHT: usize = 32;
/// More than a socket takes at once.
const BODY: usize = 500_000;
