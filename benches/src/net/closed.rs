//! The closed loop: each connection asks again when it has heard the answer to the last.

use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::client::{Client, SILENCE};
use super::load::Seen;
use crate::Result;

/// Asks for so long, and hears the answers to the last requests.
pub(super) fn load(poll: &mut Poll, clients: &mut [impl Client], length: Duration) -> Result<Seen> {
    let mut seen = Seen::new()?;
    let mut events = Events::with_capacity(clients.len());
    let mut asked = vec![Instant::now(); clients.len()];
    let start = Instant::now();
    for (client, asked) in clients.iter_mut().zip(&mut asked) {
        *asked = Instant::now();
        client.ask()?;
    }
    let mut waiting = clients.len();
    while waiting > 0 {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            return Err(format!("the server did not answer for {SILENCE:?}").into());
        }
        let ends = start.elapsed() >= length;
        for event in &events {
            let index = event.token().0;
            if !clients[index].hear()? {
                continue;
            }
            let now = Instant::now();
            seen.answer(now - asked[index], !ends);
            if ends {
                waiting -= 1;
            } else {
                asked[index] = now;
                clients[index].ask()?;
                seen.length = start.elapsed();
            }
        }
    }
    Ok(seen)
}
