//! What can be turned into socket addresses: addresses themselves at once, names through the system's resolver.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use crate::coop;
use crate::driver;
use crate::task::JoinHandle;
use crate::task_api::spawn_lookup;

/// What `connect` and `bind` accept: an address, several, or a host name with a port.
///
/// - [`SocketAddr`], [`SocketAddrV4`], [`SocketAddrV6`], `(IpAddr, u16)`, `(Ipv4Addr, u16)`, `(Ipv6Addr, u16)` and
///   `&[SocketAddr]` stand for themselves.
/// - `str` and [`String`], as in `"127.0.0.1:80"` or `"example.org:80"`, and `(&str, u16)` and `(String, u16)` are addresses
///   if they look like one. Otherwise the system's resolver (`getaddrinfo`) looks the name up, on a thread that the
///   runtime has for lookups, so that nothing else has to wait for it. See [`lookup_host`] for how many at once.
///
/// The trait cannot be implemented outside of this crate.
pub trait ToSocketAddrs: sealed::Lookup {}

/// Looks a host name up.
///
/// Lookups have threads of their own, started on demand: at most 64, and not more than
/// [`max_blocking_threads`](crate::runtime::Builder::max_blocking_threads). So closures in
/// [`spawn_blocking`](crate::task::spawn_blocking), however many and slow, keep no lookup waiting, nor the other way round. Lookups beyond
/// that number wait for their turn; a resolver that gives no answer keeps a thread as long as the system lets it.
///
/// # Errors
///
/// That the name does not exist or could not be looked up, that the text has no port, or that the runtime has shut down.
///
/// # Cancel safety
///
/// Cancel safe. A lookup that waits for its turn is not made any more, but the resolver cannot be interrupted: its thread stays busy until
/// the system gives the answer.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let mut found = executor::net::lookup_host("localhost:80").await?;
/// assert!(found.all(|address| address.ip().is_loopback() && address.port() == 80));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "getaddrinfo")]
pub async fn lookup_host<T: ToSocketAddrs>(
    host: T,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(host).await
}

/// Starts the lookup. The argument is not kept, so the future borrows nothing.
pub(super) fn resolve<T: ToSocketAddrs>(host: T) -> Answer {
    host.lookup(sealed::Token)
}

/// The error of a list of addresses that was empty.
pub(super) fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the name or list holds no address",
    )
}

/// An error's text with the address it is about, under the same kind.
///
/// That the runtime has ended has nothing to do with the address, and must stay known by `is_rt_shutdown_err`.
pub(super) fn about(error: &io::Error, doing: &str, address: impl fmt::Display) -> io::Error {
    if driver::is_shut_down(error) {
        return driver::shut_down();
    }
    io::Error::new(
        error.kind(),
        format!("could not {doing} {address}: {error}"),
    )
}

/// The addresses, or the wait for them.
#[expect(
    unnameable_types,
    reason = "only the method of a closed trait returns it"
)]
pub struct Answer(State);

enum State {
    Known(Option<io::Result<Addresses>>),
    Asked(JoinHandle<io::Result<Addresses>>),
}

type Addresses = vec::IntoIter<SocketAddr>;

impl Answer {
    fn known(address: impl Into<SocketAddr>) -> Self {
        Self::all(vec![address.into()])
    }

    fn all(addresses: Vec<SocketAddr>) -> Self {
        Self(State::Known(Some(Ok(addresses.into_iter()))))
    }

    fn ask(name: impl std::net::ToSocketAddrs<Iter = Addresses> + Send + 'static) -> Self {
        Self(State::Asked(spawn_lookup(move || name.to_socket_addrs())))
    }
}

impl Future for Answer {
    type Output = io::Result<Addresses>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // It counts, so that whoever binds or connects again and again, with or without success, lets others run.
            State::Known(answer) => coop::poll_counted(cx, |_| {
                Poll::Ready(answer.take().expect("an answer is taken once"))
            }),
            State::Asked(handle) => Poll::Ready(ready!(Pin::new(handle).poll(cx))?),
        }
    }
}

/// A question that has not been asked when its future is dropped is not asked any more: those that timed out do not hold up the others.
impl Drop for Answer {
    fn drop(&mut self) {
        if let State::Asked(handle) = &self.0 {
            handle.abort();
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer")
            .field(&matches!(self.0, State::Known(_)))
            .finish()
    }
}

/// Without a name outside, which closes the trait: nobody else can implement it, or call its method.
mod sealed {
    use super::Answer;

    #[expect(unnameable_types, reason = "that is how it is closed")]
    pub trait Lookup {
        fn lookup(&self, _: Token) -> Answer;
    }

    #[derive(Debug)]
    #[expect(unnameable_types, reason = "as above")]
    pub struct Token;
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}
impl<T: ToSocketAddrs + ?Sized> sealed::Lookup for &T {
    fn lookup(&self, token: sealed::Token) -> Answer {
        (**self).lookup(token)
    }
}

impl ToSocketAddrs for SocketAddr {}
impl sealed::Lookup for SocketAddr {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for SocketAddrV4 {}
impl sealed::Lookup for SocketAddrV4 {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for SocketAddrV6 {}
impl sealed::Lookup for SocketAddrV6 {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for (IpAddr, u16) {}
impl sealed::Lookup for (IpAddr, u16) {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for (Ipv4Addr, u16) {}
impl sealed::Lookup for (Ipv4Addr, u16) {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for (Ipv6Addr, u16) {}
impl sealed::Lookup for (Ipv6Addr, u16) {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::known(*self)
    }
}

impl ToSocketAddrs for &[SocketAddr] {}
impl sealed::Lookup for &[SocketAddr] {
    fn lookup(&self, _: sealed::Token) -> Answer {
        Answer::all(self.to_vec())
    }
}

impl ToSocketAddrs for str {}
impl sealed::Lookup for str {
    fn lookup(&self, _: sealed::Token) -> Answer {
        match self.parse::<SocketAddr>() {
            Ok(address) => Answer::known(address),
            Err(_) => Answer::ask(self.to_owned()),
        }
    }
}

impl ToSocketAddrs for String {}
impl sealed::Lookup for String {
    fn lookup(&self, token: sealed::Token) -> Answer {
        self.as_str().lookup(token)
    }
}

impl ToSocketAddrs for (&str, u16) {}
impl sealed::Lookup for (&str, u16) {
    fn lookup(&self, _: sealed::Token) -> Answer {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => Answer::known((ip, port)),
            Err(_) => Answer::ask((host.to_owned(), port)),
        }
    }
}

impl ToSocketAddrs for (String, u16) {}
impl sealed::Lookup for (String, u16) {
    fn lookup(&self, token: sealed::Token) -> Answer {
        (self.0.as_str(), self.1).lookup(token)
    }
}
