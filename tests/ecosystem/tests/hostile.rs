//! Clients that mean no good: they send slowly, or never, or do not read. They are cut off, and others do not notice.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use executor::http::{self, BoxError, ServerBuilder};
use executor::hyper::HyperExecutor;
use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{Server, TcpStream};
use executor::task::JoinSet;
use executor::time::{Instant, sleep};
use executor::tls::TlsAcceptor;
use futures::TryStreamExt;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::run;
use crate::web::{
    alone, certified, client, connect, get, listen, paused, resident, room_for, says,
};

/// The limits of these servers, where time passes.
const LIMIT: Duration = Duration::from_secs(1);

/// Counts the connections that ended because they took too long.
#[derive(Clone, Default)]
struct Late(Arc<AtomicUsize>);

impl Late {
    fn hears(&self) -> impl Fn(BoxError) + Send + Sync + 'static {
        let late = self.0.clone();
        move |error| {
            if is_late(&*error) {
                late.fetch_add(1, SeqCst);
            }
        }
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// An error of hyper's about time, or one of the system's, perhaps within one of hyper's.
fn is_late(error: &(dyn std::error::Error + 'static)) -> bool {
    let of_hyper = error.downcast_ref().is_some_and(hyper::Error::is_timeout);
    let io = error.downcast_ref::<std::io::Error>();
    let of_io = io.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut);
    of_hyper || of_io || error.source().is_some_and(is_late)
}

/// Sends `begin`, and then a bit more now and then, until the server has had enough.
async fn drip(address: SocketAddr, begin: &'static [u8], more: &'static [u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    if stream.write_all(begin).await.is_err() {
        return;
    }
    while stream.write_all(more).await.is_ok() {
        sleep(LIMIT / 4).await;
    }
}

/// A body that never ends.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK)))))
    }
}

async fn endless(_: Request<Incoming>) -> Result<Response<Endless>, Infallible> {
    Ok(Response::new(Endless))
}

#[test]
fn two_thousand_slow_heads_are_cut_off_and_others_are_answered() {
    alone(
        "hostile::two_thousand_slow_heads_are_cut_off_and_others_are_answered",
        || {
            let slow = room_for(2000);
            run(async move {
                let late = Late::default();
                let server = ServerBuilder::new()
                    .header_read_timeout(LIMIT)
                    .on_connection_error(late.hears())
                    .serve(listen().await, service_fn(says));
                let address = server.local_addr().unwrap();
                let mut drips = JoinSet::new();
                for _ in 0..slow {
                    drips.spawn(drip(
                        address,
                        b"GET / HTTP/1.1\r\nhost: here\r\n",
                        b"x: y\r\n",
                    ));
                }
                let mut answered = 0;
                let mut honest = client(connect(&server).await).await;
                let mut last = Instant::now();
                while late.count() < slow {
                    let silent = last.elapsed();
                    match get(&mut honest, "/a").await {
                        Ok((_, answer)) => assert_eq!(answer, "HTTP/1.1 /a"),
                        Err(error) => {
                            // A machine that has not let it speak in that time has made it slow, too.
                            assert!(silent >= LIMIT / 2, "{error}, silent for {silent:?}");
                            honest = client(connect(&server).await).await;
                            last = Instant::now();
                            continue;
                        }
                    }
                    last = Instant::now();
                    answered += 1;
                    sleep(LIMIT / 100).await;
                }
                drips.join_all().await;
                assert!(
                    answered > 20,
                    "{answered} requests in the time of one limit"
                );
                println!("{slow} slow heads, {answered} answers beside them");
            });
        },
    );
}

#[test]
fn a_slow_head_is_cut_off_because_of_the_limit() {
    // With it, and without it: what the test above shows is the limit's doing.
    for limit in [Some(Duration::from_secs(30)), None] {
        paused(async move {
            let server = ServerBuilder::new()
                .header_read_timeout(limit)
                .serve(listen().await, service_fn(says));
            let mut slow = connect(&server).await;
            slow.write_all(b"GET /slow HTTP/1.1\r\n").await.unwrap();
            sleep(Duration::from_secs(29)).await;
            assert_eq!(server.connections(), 1);
            sleep(Duration::from_secs(2)).await;
            assert_eq!(server.connections(), usize::from(limit.is_none()));
            sleep(Duration::from_secs(3600)).await;
            let mut answer = String::new();
            // Where there is no limit the server still waits.
            let _ = slow
                .write_all(b"host: here\r\nconnection: close\r\n\r\n")
                .await;
            let _ = slow.read_to_string(&mut answer).await;
            assert_eq!(
                answer.ends_with("HTTP/1.1 /slow"),
                limit.is_none(),
                "{answer}"
            );
        });
    }
}

#[test]
fn who_says_nothing_or_begins_with_http_2_and_stops_is_cut_off() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let whole = [PREFACE, SETTINGS].concat();
    for said in [vec![], PREFACE[..9].to_vec(), whole] {
        paused(async move {
            let late = Late::default();
            let server = ServerBuilder::new()
                .on_connection_error(late.hears())
                .serve(listen().await, service_fn(says));
            let mut silent = connect(&server).await;
            silent.write_all(&said).await.unwrap();
            sleep(Duration::from_secs(29)).await;
            assert_eq!(server.connections(), 1);
            // Twice the limit, if the farewell is not answered.
            sleep(Duration::from_secs(32)).await;
            assert_eq!(server.connections(), 0, "{said:?}");
            assert_eq!(late.count(), 1);
        });
    }
}

/// Takes an hour for one path.
async fn says_late(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/slow" {
        sleep(Duration::from_secs(3600)).await;
    }
    says(request).await
}

/// After its last answer. The client is there, and would stay.
async fn its_connection_is_closed_in_time(server: &Server) {
    sleep(Duration::from_secs(29)).await;
    assert_eq!(server.connections(), 1);
    // Two limits to notice, and one for a farewell.
    sleep(Duration::from_secs(65)).await;
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_idle_connection_is_closed_and_one_that_waits_for_the_service_is_not() {
    paused(async move {
        let server = http::serve(listen().await, service_fn(says_late));
        let mut client = client(connect(&server).await).await;
        for path in ["/slow", "/"] {
            let answer = get(&mut client, path).await.unwrap().1;
            assert_eq!(answer, format!("HTTP/1.1 {path}"));
        }
        its_connection_is_closed_in_time(&server).await;
        drop(client);
    });
}

#[test]
fn so_it_is_over_http_2() {
    paused(async move {
        let server = http::serve(listen().await, service_fn(says_late));
        let stream = connect(&server).await;
        let (mut client, connection) = http2::handshake(HyperExecutor, stream).await.unwrap();
        executor::spawn(connection);
        for path in ["/slow", "/"] {
            let request = Request::get(format!("http://localhost{path}"));
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let answer = client.send_request(request).await.unwrap();
            let answer = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(answer, format!("HTTP/2.0 {path}"));
        }
        its_connection_is_closed_in_time(&server).await;
        drop(client);
    });
}

#[test]
fn handshakes_that_never_end_are_cut_off_and_take_no_memory_for_ever() {
    alone(
        "hostile::handshakes_that_never_end_are_cut_off_and_take_no_memory_for_ever",
        || {
            let clients = room_for(1000);
            run(async move {
                let certified = certified();
                let acceptor =
                    TlsAcceptor::from_pem(certified.chain.as_bytes(), certified.key.as_bytes())
                        .unwrap();
                let late = Late::default();
                let server = ServerBuilder::new()
                    .tls(acceptor.handshake_timeout(LIMIT))
                    .on_connection_error(late.hears())
                    .serve(listen().await, service_fn(says));
                let address = server.local_addr().unwrap();
                let mut after = vec![];
                for wave in 1..=4 {
                    let mut drips = JoinSet::new();
                    for _ in 0..clients {
                        // The head of a record of 512 bytes, and its bytes one by one.
                        drips.spawn(drip(address, &[22, 3, 1, 2, 0, 1], &[0]));
                    }
                    drips.join_all().await;
                    while server.connections() > 0 {
                        executor::task::yield_now().await;
                    }
                    assert_eq!(late.count(), wave * clients);
                    after.push(resident());
                }
                println!("KiB after each wave of {clients} clients: {after:?}");
                // A handshake that stayed would take 10 KiB and more: 30 MiB in three waves.
                assert!(after[3] < after[0] + 16 * 1024, "{after:?}");
            });
        },
    );
}

#[test]
fn clients_that_never_read_are_cut_off_and_take_bounded_memory() {
    alone(
        "hostile::clients_that_never_read_are_cut_off_and_take_bounded_memory",
        || {
            let clients = room_for(500);
            run(async move {
                let late = Late::default();
                let server = ServerBuilder::new()
                    .write_timeout(LIMIT)
                    .on_connection_error(late.hears())
                    .serve(listen().await, service_fn(endless));
                let before = resident();
                let mut deaf = vec![];
                for _ in 0..clients {
                    let mut stream = connect(&server).await;
                    stream
                        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
                        .await
                        .unwrap();
                    deaf.push(stream);
                }
                // One that reads is served meanwhile, for longer than the limit.
                let mut reader = connect(&server).await;
                reader
                    .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
                    .await
                    .unwrap();
                let (mut buffer, mut most) = (vec![0; 64 * 1024], 0);
                while late.count() < clients {
                    assert_ne!(reader.read(&mut buffer).await.unwrap(), 0);
                    most = most.max(resident());
                }
                assert_eq!(server.connections(), 1);
                let each = most.saturating_sub(before) / clients as u64;
                println!("{clients} clients that do not read: {each} KiB each");
                assert!(each < 600, "{each} KiB for each client");
            });
        },
    );
}

#[test]
fn over_http_2_a_client_that_refuses_its_answers_is_cut_off() {
    paused(async {
        let late = Late::default();
        let server = ServerBuilder::new()
            .on_connection_error(late.hears())
            .serve(listen().await, service_fn(endless));
        // Its window stays shut.
        let _deaf = answered_by_2(&server).await;
        sleep(Duration::from_secs(29)).await;
        assert_eq!(server.connections(), 1);
        sleep(Duration::from_secs(32)).await;
        assert_eq!((server.connections(), late.count()), (0, 1));
    });
}

/// All at once, and it says that this is all.
async fn whole(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(vec![b'x'; LARGE])))
}

/// All at once as well, but nobody knows before it has been asked for more.
async fn perhaps_more(
    _: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let whole = Full::<Bytes>::from(vec![b'x'; LARGE]);
    Ok(Response::new(BodyExt::boxed(StreamBody::new(
        whole.into_data_stream().map_ok(Frame::data),
    ))))
}

/// More than any buffer takes.
const LARGE: usize = 32 << 20;

/// Reads for minutes, after the server has given its answer to hyper.
async fn takes_its_time(server: &Server) {
    let mut client = connect(server).await;
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let (mut buffer, mut all) = (vec![0; 64 * 1024], 0);
    loop {
        match client.read(&mut buffer).await.unwrap() {
            0 => break,
            read => all += read,
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert!(all > LARGE, "{all} bytes of {LARGE}");
}

#[test]
fn who_takes_an_answer_slowly_gets_all_of_it() {
    paused(async {
        let late = Late::default();
        let builder = || ServerBuilder::new().on_connection_error(late.hears());
        let server = builder().serve(listen().await, service_fn(whole));
        takes_its_time(&server).await;
        let server = builder().serve(listen().await, service_fn(perhaps_more));
        takes_its_time(&server).await;
        // Also if it may not be idle for as long as it reads nothing.
        let strict = builder().header_read_timeout(Duration::from_secs(5));
        takes_its_time(&strict.serve(listen().await, service_fn(whole))).await;
        assert_eq!(late.count(), 0);
    });
}

#[test]
fn a_shutdown_waits_for_who_takes_an_answer_slowly() {
    paused(async {
        let server = http::serve(listen().await, service_fn(whole));
        let mut client = connect(&server).await;
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
            .await
            .unwrap();
        let mut all = client.read(&mut [0; 1024]).await.unwrap();
        let shutdown = executor::spawn(server.shutdown(Duration::from_secs(3600)));
        let mut buffer = vec![0; 64 * 1024];
        while all < LARGE {
            sleep(Duration::from_secs(1)).await;
            all += match client.read(&mut buffer).await.unwrap() {
                0 => panic!("{all} bytes of {LARGE}"),
                read => read,
            };
        }
        let report = shutdown.await.unwrap();
        assert_eq!((report.finished, report.dropped), (1, 0));
    });
}

/// A client of HTTP/2 whose connection is read, and an answer of which nothing is.
async fn answered_by_2(server: &Server) -> (http2::SendRequest<Empty<Bytes>>, Incoming) {
    let stream = connect(server).await;
    // What the system keeps for 40 ms comes much too late by a clock that jumps.
    stream.set_nodelay(true).unwrap();
    let (mut client, connection) = http2::handshake(HyperExecutor, stream).await.unwrap();
    executor::spawn(connection);
    let request = Request::get("http://localhost/").body(Empty::new());
    let answer = client.send_request(request.unwrap()).await.unwrap();
    (client, answer.into_body())
}

#[test]
fn over_http_2_who_takes_an_answer_slowly_gets_all_of_it() {
    paused(async {
        let server = http::serve(listen().await, service_fn(whole));
        let (_client, mut answer) = answered_by_2(&server).await;
        let (mut all, mut at_once) = (0, 0);
        while let Some(frame) = answer.frame().await {
            let read = frame.unwrap().into_data().map_or(0, |data| data.len());
            (all, at_once) = (all + read, at_once + read);
            if at_once >= 64 * 1024 {
                at_once = 0;
                sleep(Duration::from_secs(1)).await;
            }
        }
        assert_eq!(all, LARGE);
    });
}

#[test]
fn over_http_2_a_client_that_refuses_one_answer_that_is_complete_is_cut_off() {
    paused(async {
        let late = Late::default();
        let server = ServerBuilder::new()
            .header_read_timeout(None)
            .on_connection_error(late.hears())
            .serve(listen().await, service_fn(whole));
        let _deaf = answered_by_2(&server).await;
        sleep(Duration::from_secs(29)).await;
        assert_eq!(server.connections(), 1);
        sleep(Duration::from_secs(32)).await;
        assert_eq!((server.connections(), late.count()), (0, 1));
    });
}
