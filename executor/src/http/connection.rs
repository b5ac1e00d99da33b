//! A connection of an HTTP server, from the handshake to its end.

use std::error::Error;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::join;
use hyper::body::Body;
use hyper_util::server::conn::auto;

use super::activity::Activity;
use super::tracked::Tracked;
use super::transport::Transport;
use super::upgrade::Upgrades;
use super::watch::Watch;
use super::{HttpService, Stream};
use crate::hyper::HyperExecutor;
use crate::task::{FutureExt, shield};
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptor;

/// What all connections of a server have in common.
pub(super) struct Settings {
    pub(super) protocol: auto::Builder<HyperExecutor>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) header_read_timeout: Option<Duration>,
    pub(super) write_timeout: Option<Duration>,
    pub(super) on_connection_error: Option<Box<OnConnectionError>>,
}

pub(super) type OnConnectionError = dyn Fn(BoxError) + Send + Sync;

/// What hyper says of a connection, or the system, or TLS.
pub type BoxError = Box<dyn Error + Send + Sync>;

impl Settings {
    /// Until the connection has ended, and what it was upgraded to.
    pub(super) async fn serve<I, S, B>(&self, io: I, service: S)
    where
        I: Stream,
        S: HttpService<B>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        if let Err(error) = self.shake_hands_and_speak(io, service).await
            && let Some(on_error) = &self.on_connection_error
        {
            on_error(error);
        }
    }

    async fn shake_hands_and_speak<I, S, B>(&self, io: I, service: S) -> Result<(), BoxError>
    where
        I: Stream,
        S: HttpService<B>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        #[cfg(feature = "tls")]
        if let Some(acceptor) = &self.tls {
            let io = acceptor.accept(io).await?;
            return self.speak(io, service).await;
        }
        self.speak(io, service).await
    }

    async fn speak<I, S, B>(&self, io: I, service: S) -> Result<(), BoxError>
    where
        I: Stream,
        S: HttpService<B>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let (transport, gone) = Transport::new(io, self.write_timeout);
        let activity = Arc::new(Activity::default());
        let (upgrades, upgraded) = Upgrades::new(activity.clone());
        let service = Tracked::new(service, activity.clone(), upgrades);
        let (ended, ()) = join(self.drive(transport, service, &activity), upgraded).await;
        ended?;
        // It went with hyper's connection, unless somebody else has that, after an upgrade: then it still takes a place of the server's.
        let _gone = shield(Duration::MAX, gone).await;
        Ok(())
    }

    /// Until HTTP has ended. A request to end, of the task, is passed on to hyper, which finishes what is under way: no code of the service hears of it.
    async fn drive<I, S, B>(
        &self,
        transport: Transport<I>,
        service: Tracked<S>,
        activity: &Activity,
    ) -> Result<(), BoxError>
    where
        I: Stream,
        S: HttpService<B>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let protocol = &self.protocol;
        let connection = protocol.serve_connection_with_upgrades(transport, service);
        let mut connection = pin!(shield(Duration::MAX, connection));
        let mut asked = pin!(pending::<()>().or_cancelled());
        let mut idle = pin!(Watch::new(self.header_read_timeout, activity.idle()));
        let mut stalled = pin!(Watch::new(self.write_timeout, activity.stalled()));
        let mut reason = None;
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    let ended = ended.unwrap_or(Ok(()));
                    return Poll::Ready(ended.or_else(|error| without_request(error, reason)));
                }
                if stalled.as_mut().poll(cx, || activity.stalled()).is_ready() {
                    return Poll::Ready(Err(too_slow("the client takes no more of its answers")));
                }
                let is_idle = idle.as_mut().poll(cx, || activity.idle()).is_ready();
                reason = match reason {
                    // Hyper waits for the client's part in the farewell, which may never come.
                    Some(_) if is_idle => return Poll::Ready(Err(idle_for_too_long())),
                    Some(_) => return Poll::Pending,
                    None if is_idle => Some(Reason::Idle),
                    None if asked.as_mut().poll(cx).is_ready() => Some(Reason::Asked),
                    None => return Poll::Pending,
                };
                if let Some(connection) = connection.as_mut().get_pin_mut() {
                    connection.graceful_shutdown();
                }
            }
        })
        .await
    }
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug)]
enum Reason {
    Asked,
    Idle,
}

/// One that has sent nothing yet ends with an error of hyper-util's, which says that it was interrupted.
fn without_request(error: BoxError, reason: Option<Reason>) -> Result<(), BoxError> {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    match reason {
        Some(Reason::Asked) if kind == Some(io::ErrorKind::Interrupted) => Ok(()),
        Some(Reason::Idle) if kind == Some(io::ErrorKind::Interrupted) => Err(idle_for_too_long()),
        _ => Err(error),
    }
}

fn idle_for_too_long() -> BoxError {
    too_slow("the client sends no request")
}

fn too_slow(message: &'static str) -> BoxError {
    io::Error::new(io::ErrorKind::TimedOut, message).into()
}
