//! Both families of I/O traits on the stream and on all its halves, and the re-exported tools.

use std::io::{IoSlice, IoSliceMut};

use executor::net::{TcpListener, TcpStream, UnixStream};

use crate::support::{each_runtime, pair, within, workers};

/// Writes and reads with the traits of `futures`.
mod with_futures {
    use std::io::{IoSlice, IoSliceMut};

    use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

    pub(super) async fn send(mut writer: impl AsyncWrite + Unpin) {
        writer.write_all(b"one ").await.unwrap();
        let slices = [IoSlice::new(b"two "), IoSlice::new(b"three")];
        assert_eq!(writer.write_vectored(&slices).await.unwrap(), 9);
        writer.flush().await.unwrap();
        writer.close().await.unwrap();
        assert!(writer.write(b"x").await.is_err());
    }

    pub(super) async fn receive(mut reader: impl AsyncRead + Unpin) {
        let (mut a, mut b) = ([0; 2], [0; 2]);
        let mut slices = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        assert_eq!(reader.read_vectored(&mut slices).await.unwrap(), 4);
        assert_eq!((&a, &b), (b"on", b"e "));
        let mut rest = String::new();
        reader.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "two three");
    }
}

/// The same with tokio's.
mod with_tokio {
    use std::io::IoSlice;

    use executor::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

    pub(super) async fn send(mut writer: impl AsyncWrite + Unpin) {
        writer.write_all(b"one ").await.unwrap();
        let slices = [IoSlice::new(b"two "), IoSlice::new(b"three")];
        assert!(writer.is_write_vectored());
        assert_eq!(writer.write_vectored(&slices).await.unwrap(), 9);
        writer.flush().await.unwrap();
        writer.shutdown().await.unwrap();
        assert!(writer.write(b"x").await.is_err());
    }

    pub(super) async fn receive(mut reader: impl AsyncRead + Unpin) {
        let mut first = [0; 4];
        reader.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"one ");
        // Into capacity that was never written to.
        let mut rest = Vec::with_capacity(64);
        while reader.read_buf(&mut rest).await.unwrap() > 0 {}
        assert_eq!(rest, b"two three");
    }
}

/// The same tests for each kind of stream, given how a connected pair is made.
macro_rules! streams_and_halves {
    ($($whole:ident, $borrowed:ident, $owned:ident: $pair:expr;)*) => {$(
        #[test]
        fn $whole() {
            each_runtime(|runtime| {
                within(30, || {
                    runtime.block_on(async {
                        let (mut a, mut b) = $pair;
                        futures::join!(with_futures::send(&mut a), with_tokio::receive(&mut b));
                        futures::join!(with_tokio::send(&mut b), with_futures::receive(&mut a));
                    })
                })
            });
        }

        #[test]
        fn $borrowed() {
            each_runtime(|runtime| {
                within(30, || {
                    runtime.block_on(async {
                        let (mut a, mut b) = $pair;
                        let (a_read, a_write) = a.split();
                        let (b_read, b_write) = b.split();
                        futures::join!(
                            with_futures::send(a_write),
                            with_tokio::receive(b_read),
                            with_tokio::send(b_write),
                            with_futures::receive(a_read),
                        );
                    })
                })
            });
        }

        #[test]
        fn $owned() {
            each_runtime(|runtime| {
                within(30, || {
                    runtime.block_on(async {
                        let (a, b) = $pair;
                        let (a_read, a_write) = a.into_split();
                        let (b_read, b_write) = b.into_split();
                        let tasks = [
                            executor::spawn(with_futures::send(a_write)),
                            executor::spawn(with_tokio::receive(b_read)),
                            executor::spawn(with_tokio::send(b_write)),
                            executor::spawn(with_futures::receive(a_read)),
                        ];
                        for task in tasks {
                            task.await.unwrap();
                        }
                    })
                })
            });
        }
    )*};
}

streams_and_halves! {
    whole_streams_speak_both_families,
    borrowed_halves_speak_both_families,
    owned_halves_speak_both_families: pair().await;
    whole_unix_streams_speak_both_families,
    borrowed_unix_halves_speak_both_families,
    owned_unix_halves_speak_both_families: UnixStream::pair().unwrap();
}

#[test]
fn more_slices_than_the_system_takes_are_written_in_part() {
    within(30, || {
        workers(1).block_on(async {
            use executor::io::{AsyncReadExt, AsyncWriteExt};
            let (mut a, mut b) = pair().await;
            let slices = [IoSlice::new(b"x"); 3000];
            let n = a.write_vectored(&slices).await.unwrap();
            assert!((1..3000).contains(&n));
            a.writable().await.unwrap();
            let m = a.try_write_vectored(&slices).unwrap();
            drop(a);
            let mut all = Vec::new();
            b.read_to_end(&mut all).await.unwrap();
            assert_eq!(all.len(), n + m);
        })
    });
}

#[test]
fn what_does_not_fit_into_the_slices_of_one_call_is_not_forgotten() {
    within(30, || {
        workers(1).block_on(async {
            use futures::io::{AsyncReadExt, AsyncWriteExt};
            let (mut a, mut b) = pair().await;
            a.write_all(&[7; 2000]).await.unwrap();
            // Until an event has come, and all of it is there.
            let mut seen = [0; 2000];
            while b.peek(&mut seen).await.unwrap() < seen.len() {
                executor::task::yield_now().await;
            }
            let mut bytes = [0; 3000];
            let mut received = 0;
            while received < seen.len() {
                // There is room for all, but one call takes fewer slices than these.
                let mut slices: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
                received += b.read_vectored(&mut slices).await.unwrap();
            }
            assert_eq!(received, seen.len());
        })
    });
}

#[test]
fn the_tools_connect_sockets() {
    within(30, || {
        workers(2).block_on(async {
            use executor::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
            let back = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (back_address, front_address) =
                (back.local_addr().unwrap(), front.local_addr().unwrap());
            let proxy = executor::spawn(async move {
                let (mut client, _) = front.accept().await.unwrap();
                let mut server = TcpStream::connect(back_address).await.unwrap();
                executor::io::copy_bidirectional(&mut client, &mut server)
                    .await
                    .unwrap()
            });
            let server = executor::spawn(async move {
                let (stream, _) = back.accept().await.unwrap();
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                while let Some(line) = lines.next_line().await.unwrap() {
                    let answer = format!("{}\n", line.to_uppercase());
                    writer.write_all(answer.as_bytes()).await.unwrap();
                }
            });
            let mut client = TcpStream::connect(front_address).await.unwrap();
            client.write_all(b"one\ntwo\n").await.unwrap();
            client.shutdown().await.unwrap();
            let mut answers = BufReader::new(client).lines();
            assert_eq!(answers.next_line().await.unwrap().as_deref(), Some("ONE"));
            assert_eq!(answers.next_line().await.unwrap().as_deref(), Some("TWO"));
            assert_eq!(answers.next_line().await.unwrap(), None);
            assert_eq!(proxy.await.unwrap(), (8, 8));
            server.await.unwrap();
        })
    });
}
