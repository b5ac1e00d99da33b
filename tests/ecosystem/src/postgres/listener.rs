//! A connection that hears what others notify.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio_postgres::{AsyncMessage, Client, Notification};

use super::{Driver, Error};

/// A connection that hears what others `NOTIFY`: a stream of notifications. It ends with the connection; if that breaks, an error comes first.
///
/// The stream is what drives the connection. Who does not poll it makes the server keep the notifications.
pub struct Listener {
    client: Client,
    /// Until it has ended.
    driver: Option<Box<dyn Driver>>,
    /// Those that came while an answer was waited for.
    heard: VecDeque<Notification>,
}

impl Listener {
    pub(super) fn new(client: Client, driver: Box<dyn Driver>) -> Self {
        Self {
            client,
            driver: Some(driver),
            heard: VecDeque::new(),
        }
    }

    /// Hears what is notified on `channel` from now on.
    ///
    /// # Errors
    ///
    /// What the server says.
    #[doc(alias = "add_listener")]
    pub async fn listen(&mut self, channel: &str) -> Result<(), Error> {
        self.execute("LISTEN", channel).await
    }

    /// Hears nothing more of `channel`.
    ///
    /// # Errors
    ///
    /// What the server says.
    #[doc(alias = "remove_listener")]
    pub async fn unlisten(&mut self, channel: &str) -> Result<(), Error> {
        self.execute("UNLISTEN", channel).await
    }

    /// Drives the connection until the server has answered.
    async fn execute(&mut self, verb: &str, channel: &str) -> Result<(), Error> {
        let Self {
            client,
            driver,
            heard,
        } = self;
        // In quotes any name may be a channel's.
        let statement = format!("{verb} \"{}\"", channel.replace('"', "\"\""));
        let mut answer = pin!(client.batch_execute(&statement));
        poll_fn(|cx| {
            // If the connection ends, so does the answer.
            while let Poll::Ready(Some(Ok(message))) = poll_message(driver, cx) {
                if let AsyncMessage::Notification(notification) = message {
                    heard.push_back(notification);
                }
            }
            answer.as_mut().poll(cx)
        })
        .await?;
        Ok(())
    }
}

impl Stream for Listener {
    type Item = Result<Notification, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(notification) = self.heard.pop_front() {
            return Poll::Ready(Some(Ok(notification)));
        }
        loop {
            match ready!(poll_message(&mut self.driver, cx)) {
                Some(Ok(AsyncMessage::Notification(heard))) => return Poll::Ready(Some(Ok(heard))),
                // A remark of the server.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The next message. A driver that has ended is polled no more.
fn poll_message(
    driver: &mut Option<Box<dyn Driver>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<AsyncMessage, Error>>> {
    let Some(running) = driver else {
        return Poll::Ready(None);
    };
    let message = ready!(running.drive(cx));
    if !matches!(message, Some(Ok(_))) {
        *driver = None;
    }
    Poll::Ready(message.map(|message| message.map_err(Error::from)))
}

impl Debug for Listener {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}
