//! Places for requests, and the connections that wait for the next one.
//!
//! ```text
//!   acquire: a place of the host, then one of all ──▶ Lease ── take, or connect ──▶ request, response, its body
//!                                                       ▲                                      │ read to its end
//!                                  idle connections ◀───┼────────────── the connection first ◀─┘
//!                                                       └────────────── then the places
//! ```
//!
//! Invariant: a connection is made only by who has a place and has found none that waits. It is back before its place is free. So a host
//! never has more connections over HTTP/1, in use and waiting, than it may have requests.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use ::http::{Request, Response};
use ::hyper::body::Incoming;
use ::hyper::client::conn::TrySendError;
use parking_lot::Mutex;

use super::Error;
use super::body::Sent;
use super::connection::{Connector, Sender, Shared, Single};
use super::origin::Origin;
use crate::runtime::Handle;
use crate::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use crate::task::AbortHandle;
use crate::time::{Instant, sleep_until, timeout_at};

pub(super) struct Pool {
    hosts: Mutex<HashMap<Origin, Host>>,
    places: Arc<Semaphore>,
    places_per_host: usize,
    idle_timeout: Duration,
    sweeper: OnceLock<AbortHandle>,
    /// Tells the sweeper that a connection may wait.
    waits: Arc<Notify>,
}

struct Host {
    places: Arc<Semaphore>,
    /// The one that was used last is at the end, and is taken first, so that those too many grow old.
    idle: Vec<Idle>,
    /// One connection for all requests.
    shared: Option<InCommon>,
}

struct Idle {
    sender: Single,
    expires: Instant,
}

struct InCommon {
    sender: Shared,
    /// If nobody uses it.
    expires: Instant,
    /// When it was last seen to live.
    answered: Instant,
}

impl Pool {
    pub(super) fn new(places: usize, places_per_host: usize, idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            hosts: Mutex::default(),
            places: Arc::new(Semaphore::new(places)),
            places_per_host,
            idle_timeout,
            sweeper: OnceLock::new(),
            waits: Arc::default(),
        })
    }

    fn places_of(&self, origin: &Origin) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock();
        if let Some(host) = hosts.get(origin) {
            return host.places.clone();
        }
        let host = hosts.entry(origin.clone()).or_insert_with(|| Host {
            places: Arc::new(Semaphore::new(self.places_per_host)),
            idle: Vec::new(),
            shared: None,
        });
        host.places.clone()
    }

    /// A connection that waits, if there is one. Those that are closed, or too old, are dropped on the way.
    fn take(&self, origin: &Origin) -> Option<Sender> {
        // Destructors wake tasks, which is not for under the lock. Declared first, these are dropped last.
        let mut useless = Vec::new();
        let _closed;
        let mut hosts = self.hosts.lock();
        let host = hosts.get_mut(origin)?;
        let now = Instant::now();
        // In use it does not grow old. Who asks has a place, and uses none yet.
        let is_in_use = host.places_taken() > 1;
        match &host.shared {
            Some(InCommon {
                sender, expires, ..
            }) if !sender.requests.is_closed() && (is_in_use || now < *expires) => {
                return Some(Sender::Shared(sender.clone()));
            }
            _ => _closed = host.shared.take(),
        }
        while let Some(idle) = host.idle.pop() {
            if !idle.sender.requests.is_closed() && now < idle.expires {
                return Some(Sender::Single(idle.sender));
            }
            useless.push(idle);
        }
        None
    }

    fn put(&self, origin: &Origin, sender: Sender) {
        let expires = Instant::after(self.idle_timeout);
        let mut hosts = self.hosts.lock();
        let Some(host) = hosts.get_mut(origin) else {
            return;
        };
        match sender {
            Sender::Single(sender) => host.idle.push(Idle { sender, expires }),
            Sender::Shared(sender) => {
                if let Some(shared) = &mut host.shared
                    && shared.sender.connection == sender.connection
                {
                    shared.expires = expires;
                    shared.answered = Instant::now();
                }
            }
        }
    }

    /// Makes a connection that of all requests to its host. If another was quicker, that one is it.
    fn share(&self, origin: &Origin, sender: Shared) -> Sender {
        let mut closed = None;
        let mut hosts = self.hosts.lock();
        if let Some(host) = hosts.get_mut(origin) {
            match &host.shared {
                Some(shared) if !shared.sender.requests.is_closed() => {
                    return Sender::Shared(shared.sender.clone());
                }
                _ => {
                    closed = host.shared.replace(InCommon {
                        sender: sender.clone(),
                        expires: Instant::after(self.idle_timeout),
                        answered: Instant::now(),
                    });
                }
            }
        }
        drop(hosts);
        drop(closed);
        Sender::Shared(sender)
    }

    /// A request that was sent at `sent` has had no answer in time. If no other has had one since then either, the connection is taken for dead: those
    /// that are under way may wait for it, and no more come.
    fn suspect(&self, origin: &Origin, sender: &Shared, sent: Instant) {
        let mut hosts = self.hosts.lock();
        let dead = hosts.get_mut(origin).and_then(|host| {
            host.shared.take_if(|shared| {
                shared.sender.connection == sender.connection && shared.answered <= sent
            })
        });
        drop(hosts);
        drop(dead);
    }

    /// Closes what has waited for too long. Returns when there is more to do.
    fn sweep(&self) -> Option<Instant> {
        let now = Instant::now();
        let (mut old, mut old_shared) = (Vec::new(), Vec::new());
        let mut next = Vec::new();
        let mut hosts = self.hosts.lock();
        hosts.retain(|_, host| {
            old.extend(host.idle.extract_if(.., |idle| idle.expires <= now));
            next.extend(host.idle.first().map(|first| first.expires));
            // In use it does not grow old.
            if host.places_taken() == 0 {
                old_shared.extend(host.shared.take_if(|shared| shared.expires <= now));
                next.extend(host.shared.as_ref().map(|shared| shared.expires));
            }
            !host.is_unused()
        });
        drop(hosts);
        next.into_iter().min()
    }

    /// A request's place is free again: forgets the host if there is nothing to remember, or else sees to it that it is forgotten in time.
    fn tidy(&self, origin: &Origin) {
        let mut hosts = self.hosts.lock();
        if hosts.get(origin).is_some_and(Host::is_unused) {
            hosts.remove(origin);
        }
        drop(hosts);
        self.waits.notify_one();
    }

    fn start_sweeper(self: &Arc<Self>) {
        self.sweeper.get_or_init(|| {
            let (pool, waits) = (Arc::downgrade(self), self.waits.clone());
            crate::spawn(sweep(pool, waits)).abort_handle()
        });
    }
}

/// Closes the connections that wait.
impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(sweeper) = self.sweeper.get() {
            sweeper.abort();
        }
    }
}

impl Host {
    fn is_unused(&self) -> bool {
        self.idle.is_empty() && self.shared.is_none() && self.places_taken() == 0
    }

    /// How many have a place or wait for one: they all refer to the places.
    fn places_taken(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }
}

async fn sweep(pool: Weak<Pool>, waits: Arc<Notify>) {
    while let Some(next) = pool.upgrade().map(|pool| pool.sweep()) {
        match next {
            // What is put there meanwhile expires later.
            Some(next) => sleep_until(next).await,
            None => waits.notified().await,
        }
    }
}

/// A request's place, with the connection that it goes over. Dropped before the response has ended, it closes that.
pub(super) struct Lease {
    pool: Arc<Pool>,
    origin: Origin,
    sender: Option<Sender>,
    /// When the request was sent over that.
    sent: Instant,
    deadline: Instant,
    /// Of the host, and of all.
    places: Option<[OwnedSemaphorePermit; 2]>,
    /// If the request may still be under way when the response has ended: where to wait for its end.
    upload: Option<Handle>,
}

impl Lease {
    /// Waits for a place, in order of arrival. First for one of the host: who waits for that keeps no other host's requests waiting.
    pub(super) async fn acquire(pool: &Arc<Pool>, origin: Origin, deadline: Instant) -> Self {
        let mut lease = Self {
            pool: pool.clone(),
            origin,
            sender: None,
            sent: deadline,
            deadline,
            places: None,
            upload: None,
        };
        let host = pool.places_of(&lease.origin).acquire_owned().await;
        let all = pool.places.clone().acquire_owned().await;
        lease.places = Some([host, all].map(|place| place.expect("it is never closed")));
        lease
    }

    /// Takes a connection that was used before, if there is one.
    pub(super) async fn reuse(&mut self) -> bool {
        while let Some(mut sender) = self.pool.take(&self.origin) {
            // It may be about to be ready, or to find that it was closed.
            if sender.ready().await.is_ok() {
                self.sender = Some(sender);
                return true;
            }
        }
        false
    }

    pub(super) async fn connect(&mut self, connector: &Connector) -> Result<(), Error> {
        let sender = match connector.connect(&self.origin).await? {
            Sender::Shared(sender) => self.pool.share(&self.origin, sender),
            single @ Sender::Single(_) => single,
        };
        self.pool.start_sweeper();
        self.sender = Some(sender);
        Ok(())
    }

    /// Sends a request, over the connection that was taken or made.
    pub(super) async fn send(
        &mut self,
        request: Request<Sent>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Sent>>> {
        let sender = self.sender.as_mut().expect("there is a connection");
        self.sent = Instant::now();
        sender.send(request, &self.origin).await
    }

    /// The request has failed, and with it a connection that does one at a time. True: it was one that others share, which may live. It ends by itself if not.
    pub(super) fn fail(&mut self) -> bool {
        match self.sender.take() {
            Some(Sender::Single(single)) => {
                single.connection.abort();
                false
            }
            sender => sender.is_some(),
        }
    }

    pub(super) fn may_outlast_its_answer(&mut self) {
        self.upload = Some(Handle::current());
    }

    /// The response has ended: the connection is the next request's.
    pub(super) fn give_back(mut self) {
        match (self.upload.take(), &self.sender) {
            // The request's body may go on, for ever even, and the connection cannot be used.
            (Some(runtime), Some(Sender::Single(single))) if !single.requests.is_ready() => {
                runtime.spawn(async move {
                    let sender = self.sender.as_mut().expect("it was just there");
                    if matches!(timeout_at(self.deadline, sender.ready()).await, Ok(Ok(()))) {
                        self.put_back();
                    }
                });
            }
            _ => self.put_back(),
        }
    }

    fn put_back(&mut self) {
        if let Some(sender) = self.sender.take() {
            self.pool.put(&self.origin, sender);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In this order, see above.
        match self.sender.take() {
            Some(Sender::Single(single)) => single.connection.abort(),
            Some(Sender::Shared(shared)) if self.deadline <= Instant::now() => {
                self.pool.suspect(&self.origin, &shared, self.sent);
            }
            // Many requests share it, and this one has not harmed it.
            Some(Sender::Shared(_)) | None => {}
        }
        self.places = None;
        self.pool.tidy(&self.origin);
    }
}
