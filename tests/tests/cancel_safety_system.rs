//! Cancel safety of what asks the system and of files: connecting, looking names up, reading and writing.

use std::net::SocketAddr;
use std::path::PathBuf;

use executor::fs::{self, File};
use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpStream, UnixListener, UnixStream, lookup_host};

use crate::cancel_safety::{dropped_after_each_poll, on_each};
use crate::support::Directory;

#[test]
fn a_connect_that_is_dropped_leaves_a_connection_that_is_closed_or_none() {
    on_each(async || {
        dropped_after_each_poll(
            async || {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                (listener.local_addr().unwrap(), listener)
            },
            |address: &mut SocketAddr| Box::pin(TcpStream::connect(*address)),
            async |_| (),
            async |address, listener, connected| {
                let ours = match connected {
                    Some(connected) => connected.unwrap(),
                    None => TcpStream::connect(address).await.unwrap(),
                };
                loop {
                    let (mut accepted, peer) = listener.accept().await.unwrap();
                    if peer == ours.local_addr().unwrap() {
                        break;
                    }
                    let read = accepted.read(&mut [0; 1]).await;
                    assert!(matches!(read, Ok(0) | Err(_)), "closed: {read:?}");
                }
            },
        )
        .await;
        let directory = Directory::new();
        dropped_after_each_poll(
            async || {
                let path = directory.file("socket");
                let _ = std::fs::remove_file(&path);
                (path.clone(), UnixListener::bind(&path).unwrap())
            },
            |path: &mut PathBuf| Box::pin(async { UnixStream::connect(path).await.unwrap() }),
            async |_| (),
            async |path, listener, connected: Option<UnixStream>| {
                let mut ours = match connected {
                    Some(connected) => connected,
                    None => UnixStream::connect(&path).await.unwrap(),
                };
                ours.write_all(b"x").await.unwrap();
                loop {
                    let (mut accepted, _) = listener.accept().await.unwrap();
                    let mut read = [0; 1];
                    // Of one that was given up, the end.
                    if accepted.read(&mut read).await.unwrap() == 1 {
                        break;
                    }
                }
            },
        )
        .await;
    });
}

#[test]
fn a_lookup_that_is_dropped_keeps_no_other_waiting() {
    on_each(async || {
        let look = async || lookup_host("localhost:80").await.unwrap().count();
        dropped_after_each_poll(
            async || ((), ()),
            |()| Box::pin(async { lookup_host("localhost:80").await.unwrap().count() }),
            async |()| (),
            async |(), (), found| assert_eq!(found.unwrap_or(1) > 0, look().await > 0),
        )
        .await;
    });
}

#[test]
fn a_read_of_a_file_that_is_dropped_loses_no_byte() {
    on_each(async || {
        let directory = Directory::new();
        let path = directory.file("read");
        std::fs::write(&path, b"hello").unwrap();
        dropped_after_each_poll(
            async || (File::open(&path).await.unwrap(), ()),
            |file| {
                Box::pin(async {
                    let mut buffer = [0; 2];
                    let read = file.read(&mut buffer).await.unwrap();
                    buffer[..read].to_vec()
                })
            },
            async |()| (),
            async |mut file: File, (), read: Option<Vec<u8>>| {
                let mut all = read.unwrap_or_default();
                file.read_to_end(&mut all).await.unwrap();
                assert_eq!(all, b"hello");
            },
        )
        .await;
        dropped_after_each_poll(
            async || (path.clone(), ()),
            |path: &mut PathBuf| Box::pin(async { fs::read(path).await.unwrap() }),
            async |()| (),
            async |path, (), _| assert_eq!(fs::read(path).await.unwrap(), b"hello"),
        )
        .await;
    });
}

#[test]
fn a_write_of_a_file_that_is_dropped_has_written_all_it_took_or_nothing() {
    on_each(async || {
        let directory = Directory::new();
        let path = directory.file("write");
        dropped_after_each_poll(
            async || (File::create(&path).await.unwrap(), ()),
            |file| {
                Box::pin(async {
                    assert_eq!(file.write(b"hello").await.unwrap(), 5);
                    file.flush().await.unwrap();
                })
            },
            async |()| (),
            async |mut file: File, (), written| {
                file.flush().await.unwrap();
                let now = std::fs::read(&path).unwrap();
                assert!(now == b"hello" || (now.is_empty() && written.is_none()));
                // The next one goes on where the last has ended.
                file.write_all(b"!").await.unwrap();
                file.flush().await.unwrap();
                assert_eq!(std::fs::read(&path).unwrap(), [&now[..], b"!"].concat());
            },
        )
        .await;
    });
}
