//! A front: takes jobs from clients, a line each, and answers when the queue has them.
//!
//! ```text
//!   client: a text        front: queued 1732680000000-0     it will be done, whatever ends now
//!                                failed <reason>            it may have been queued or not: send it again
//!                                closing                    what was sent is still answered; hang up, and connect again for more
//! ```

use std::error::Error;
use std::time::Duration;

use executor::net::{InheritedListener, TcpStream, inherited_listeners, serve};
use executor::sync::CancellationToken;
use executor::time::timeout;
use futures::{SinkExt, StreamExt};
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

use crate::end;
use crate::queue::Queue;

pub(crate) async fn run(name: &str, redis: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let end = end::asked_or_orphaned()?;
    let listener = inherited_listeners()?
        .pop()
        .and_then(InheritedListener::into_tcp)
        .ok_or("a front is started by the parent, with its listener")?;
    let (queue, connection) = Queue::connect(redis).await?;
    let closing = CancellationToken::new();
    let server = serve(listener, {
        let closing = closing.clone();
        move |stream, _address| {
            let (queue, closing) = (queue.clone(), closing.clone());
            async move {
                // A client that breaks off is its own affair.
                let _ = handle_client(stream, queue, closing).await;
            }
        }
    });

    println!("{name} is process {}", std::process::id());

    let end = executor::select! {
        () = end => Ok(()),
        // The parent starts another one, which connects again.
        _ = connection => Err("the connection to Redis has ended".into()),
    };
    closing.cancel();
    println!("{name}: {}", server.shutdown(GRACE).await);
    end
}

async fn handle_client(
    stream: TcpStream,
    mut queue: Queue,
    closing: CancellationToken,
) -> Result<(), LinesCodecError> {
    let mut lines = Framed::new(stream, LinesCodec::new_with_max_length(LONGEST_LINE));
    let mut told = false;
    loop {
        let line = executor::select! {
            line = lines.next() => line,
            // Only the client knows what it has on its way, so the client is the one to hang up.
            () = closing.cancelled(), if !told => {
                told = true;
                lines.send("closing").await?;
                continue;
            }
        };
        let Some(line) = line else {
            return Ok(());
        };
        let answer = match timeout(PATIENCE, queue.add(&line?)).await {
            Ok(Ok(id)) => format!("queued {id}"),
            Ok(Err(error)) => format!("failed {error}"),
            Err(late) => format!("failed {late}"),
        };
        lines.send(answer).await?;
    }
}

/// In bytes.
const LONGEST_LINE: usize = 4096;

/// How long Redis may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long clients may take to hang up.
const GRACE: Duration = Duration::from_secs(10);
