//! `connect_any`: a host's addresses are tried at the same time, each a little after the one before (RFC 8305, "happy eyeballs").

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::TcpStream;
use super::stream::connect;
use crate::driver;
use crate::net::ToSocketAddrs;
use crate::net::addr::{no_address, resolve};
use crate::time::{Instant, sleep};

impl TcpStream {
    /// Connects to whichever of a host's addresses answers first.
    ///
    /// The addresses are tried in their order, but with the two families, IPv6 and IPv4, taking turns. An attempt has the field to itself for 250
    /// ms, or until it fails; then the next begins beside it. The first that succeeds is returned, and the others are given up. So an address
    /// that does not answer, of a network that is not there, say, costs a moment, where [`connect`](Self::connect) would wait for the system to lose
    /// patience, which takes minutes.
    ///
    /// A host name is looked up first, see [`ToSocketAddrs`]. There is no limit on the whole: put it into a
    /// [`timeout`](crate::time::timeout).
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let port = listener.local_addr()?.port();
    /// // Where `localhost` is both ::1 and 127.0.0.1, the one that answers.
    /// let stream = TcpStream::connect_any(("localhost", port)).await?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// That of the lookup; or, if no address has let itself be connected to, one that has a [`ConnectError`] in it, with what was said of each address.
    /// Also that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives all attempts up and closes their sockets.
    #[doc(alias = "happy_eyeballs")]
    #[doc(alias = "open_tcp_stream")]
    #[doc(alias = "connect_tcp")]
    pub async fn connect_any<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        Self::connect_any_with_delay(addr, ATTEMPT_DELAY).await
    }

    /// As [`connect_any`](Self::connect_any), with another time that an attempt has to itself. With zero, all begin at once.
    ///
    /// # Errors
    ///
    /// As [`connect_any`](Self::connect_any), and so for panics and cancel safety.
    #[doc(alias = "happy_eyeballs_delay")]
    pub async fn connect_any_with_delay<A: ToSocketAddrs>(
        addr: A,
        delay: Duration,
    ) -> io::Result<Self> {
        let addresses = interleaved(resolve(addr).await?);
        if addresses.is_empty() {
            return Err(no_address());
        }
        race(addresses, delay).await
    }
}

/// What was said of each address, when [`TcpStream::connect_any`] could connect to none.
///
/// It is inside of the [`io::Error`], whose kind is that of the last attempt:
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::net::TcpStream;
/// use executor::net::tcp::ConnectError;
///
/// # let unused = [1, 2].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
/// # let addresses: Vec<_> = unused.iter().map(|listener| listener.local_addr().unwrap()).collect();
/// # drop(unused);
/// let error = TcpStream::connect_any(&addresses[..]).await.unwrap_err();
/// for (address, error) in ConnectError::of(&error).unwrap().attempts() {
///     println!("{address}: {error}");
/// }
/// # });
/// ```
#[derive(Debug)]
#[doc(alias = "all_errors")]
pub struct ConnectError {
    attempts: Vec<(SocketAddr, io::Error)>,
}

impl ConnectError {
    /// What `error` has of it, if it is of that kind.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Each address that was tried, and the error, in the order in which the attempts began.
    pub fn attempts(&self) -> &[(SocketAddr, io::Error)] {
        &self.attempts
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not connect to")?;
        for (index, (address, error)) in self.attempts.iter().enumerate() {
            let separator = if index == 0 { " " } else { "; " };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

impl Error for ConnectError {}

/// The attempts, the newest of which decides when the next begins.
async fn race(addresses: Vec<SocketAddr>, delay: Duration) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter().enumerate();
    let mut under_way = FuturesUnordered::new();
    let mut failed = Vec::new();
    let mut newest = 0;
    let mut alone = pin!(sleep(delay));
    loop {
        if let Some((index, address)) = waiting.next() {
            newest = index;
            under_way.push(async move { (index, address, connect(address).await) });
            alone.as_mut().reset(Instant::after(delay));
        } else if under_way.is_empty() {
            return Err(all_failed(failed));
        }
        // Until the next may begin.
        loop {
            let ended = poll_fn(|cx| match under_way.poll_next_unpin(cx) {
                Poll::Pending if waiting.len() > 0 => alone.as_mut().poll(cx).map(|()| None),
                ended => ended,
            });
            match ended.await {
                Some((_, _, Ok(stream))) => return Ok(stream),
                // That has nothing to do with the address.
                Some((_, _, Err(error))) if driver::is_shut_down(&error) => return Err(error),
                Some((index, address, Err(error))) => {
                    failed.push((index, address, error));
                    if index == newest {
                        break;
                    }
                }
                None => break,
            }
        }
    }
}

fn all_failed(mut failed: Vec<(usize, SocketAddr, io::Error)>) -> io::Error {
    failed.sort_by_key(|(index, ..)| *index);
    let attempts: Vec<_> = failed
        .into_iter()
        .map(|(_, address, error)| (address, error))
        .collect();
    let kind = attempts
        .last()
        .map_or(io::ErrorKind::NotFound, |(_, error)| error.kind());
    io::Error::new(kind, ConnectError { attempts })
}

/// The families take turns, beginning with that of the first address, which the resolver prefers.
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let Some(first) = addresses.peek().copied() else {
        return Vec::new();
    };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.partition(|address| address.is_ipv4() == first.is_ipv4());
    let mut order = Vec::with_capacity(preferred.len() + other.len());
    let mut other = other.into_iter();
    for address in preferred {
        order.push(address);
        order.extend(other.next());
    }
    order.extend(other);
    order
}

/// How long an attempt has the field to itself. RFC 8305 recommends as much.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
