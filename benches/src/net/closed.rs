//! The closed loop: each client asks again when it has heard the answer to its last question.

use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::client::{Client, SILENCE};
use super::seen::Seen;
use crate::Result;

/// Asks for so long, and hears the answers to the last questions.
pub(super) fn load(poll: &mut Poll, clients: &mut [impl Client], length: Duration) -> Result<Seen> {
    let mut seen = Seen::new()?;
    let mut events = Events::with_capacity(clients.len());
    let start = Instant::now();
    // When those who wait for an answer have asked.
    let mut asked = Vec::with_capacity(clients.len());
    for client in &mut *clients {
        asked.push(Some(Instant::now()));
        client.ask()?;
    }
    let (mut waiting, mut checked) = (clients.len(), start);
    while waiting > 0 {
        poll.poll(&mut events, Some(PATIENCE))?;
        let ends = start.elapsed() >= length;
        for event in &events {
            let index = event.token().0;
            let (client, asked) = (&mut clients[index], &mut asked[index]);
            let Some(at) = *asked else {
                continue;
            };
            if !client.hear()? {
                continue;
            }
            let now = Instant::now();
            seen.answer(now - at, !ends);
            if ends {
                *asked = None;
                waiting -= 1;
            } else {
                *asked = Some(now);
                client.ask()?;
                seen.length = start.elapsed();
            }
        }
        if checked.elapsed() >= PATIENCE {
            checked = Instant::now();
            seen.sent_again += ask_again(clients, &asked)?;
        }
    }
    Ok(seen)
}

/// Who has waited for long sends again what may be lost. Returns how many did.
fn ask_again(clients: &mut [impl Client], asked: &[Option<Instant>]) -> Result<u64> {
    let mut again = 0;
    for (client, asked) in clients.iter_mut().zip(asked) {
        match asked.map(|asked| asked.elapsed()) {
            Some(waited) if waited >= SILENCE => {
                return Err(format!("the server did not answer for {SILENCE:?}").into());
            }
            Some(waited) if waited >= PATIENCE => again += u64::from(client.ask_again()?),
            _ => {}
        }
    }
    Ok(again)
}

const PATIENCE: Duration = Duration::from_millis(200);
