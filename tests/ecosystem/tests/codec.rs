//! Frames of tokio-util over our streams.

use executor::net::UnixStream;
use futures::{SinkExt, StreamExt};
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, FramedRead, FramedWrite, LengthDelimitedCodec, LinesCodec};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

use crate::{pair, run};

#[test]
fn lines_go_both_ways_over_tcp() {
    run(async {
        let (client, server) = pair().await;
        let echo = executor::spawn(async move {
            let mut lines = Framed::new(server, LinesCodec::new_with_max_length(20));
            while let Some(line) = lines.next().await {
                match line {
                    Ok(line) => lines.send(line.to_uppercase()).await?,
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        let mut lines = Framed::new(client, LinesCodec::new());
        for word in ["one", "", "three"] {
            lines.send(word).await.unwrap();
        }
        for word in ["ONE", "", "THREE"] {
            assert_eq!(lines.next().await.unwrap().unwrap(), word);
        }
        lines
            .send("longer than the twenty that it takes")
            .await
            .unwrap();
        echo.await.unwrap().unwrap_err();
    });
}

#[test]
fn frames_with_lengths_pass_through_the_halves_of_a_unix_stream() {
    run(async {
        let (one, other) = UnixStream::pair().unwrap();
        let (_, write) = one.into_split();
        let (read, _) = other.into_split();
        let mut sink = FramedWrite::new(write, LengthDelimitedCodec::new());
        let mut stream = FramedRead::new(read, LengthDelimitedCodec::new());
        let sender = executor::spawn(async move {
            for size in [0, 1, 100_000] {
                sink.send(Bytes::from(vec![7; size])).await.unwrap();
            }
        });
        for size in [0, 1, 100_000] {
            assert_eq!(stream.next().await.unwrap().unwrap(), vec![7; size]);
        }
        sender.await.unwrap();
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn either_family_of_traits_can_be_turned_into_the_other() {
    run(async {
        let (client, server) = pair().await;
        // `compat` makes futures' traits of tokio's, and back.
        let client = FuturesAsyncReadCompatExt::compat(client);
        let mut server = TokioAsyncReadCompatExt::compat(server);
        let mut lines = Framed::new(client, LinesCodec::new());
        lines.send("through both").await.unwrap();
        let mut heard = [0; 13];
        futures::AsyncReadExt::read_exact(&mut server, &mut heard)
            .await
            .unwrap();
        assert_eq!(&heard, b"through both\n");
    });
}
