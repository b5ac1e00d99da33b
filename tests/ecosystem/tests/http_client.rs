//! `executor::http::Client` against servers on hyper, and against some that behave badly.

mod site;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Waker};
use std::time::Duration;

use executor::http::Client;
use executor::http::client::{Body, Error};
use executor::io::{AsyncReadExt, AsyncWriteExt};
use executor::net::{TcpListener, TcpSocket, TcpStream};
use executor::sync::{Barrier, Semaphore, mpsc};
use executor::task::JoinSet;
use executor::time::{Instant, sleep};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, Response};
use tower::{Service, ServiceBuilder, ServiceExt};

use self::site::{Site, head, whole};
use crate::{PATIENCE, run};

#[test]
fn a_hundred_requests_in_turn_go_over_one_connection() {
    run(async {
        let site = Site::new(async |request| {
            let size: usize = request.uri().path()[1..].parse().unwrap();
            let body = vec![b'x'; size];
            match size % 2 {
                0 => whole(body),
                // Without a length, in pieces.
                _ => {
                    let pieces = body
                        .chunks(7_000)
                        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))));
                    let pieces: Vec<_> = pieces.collect();
                    Response::new(StreamBody::new(futures::stream::iter(pieces)).boxed())
                }
            }
        })
        .await;
        let client = Client::new();
        for round in 0..100 {
            let size = [0, 1, 10, 50_001, 100_000][round % 5];
            let response = client.get(site.url(size)).await.unwrap();
            assert_eq!(response.into_body().bytes().await.unwrap().len(), size);
        }
        assert_eq!(site.connections(), 1);
        assert_eq!(site.requests(), 100);
    });
}

#[test]
fn a_body_that_has_ended_needs_no_more_questions() {
    run(async {
        let site = Site::new(async |_| whole("hello")).await;
        let client = Client::builder().limit(1).build();
        let head = Request::head(site.url("")).body(String::new()).unwrap();
        // There is no body, and no need to read it, or to drop it.
        let mut kept = vec![client.request(head).await.unwrap()];
        for _ in 0..5 {
            let mut response = client.get(site.url("")).await.unwrap();
            // The whole of it, whose end is not asked for.
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), "hello");
            kept.push(response);
        }
        assert_eq!(site.connections(), 1);
    });
}

#[test]
fn a_host_has_no_more_requests_and_connections_than_it_may() {
    run(async {
        let (now, most) = counters();
        let three = Arc::new(Barrier::new(3));
        let site = Site::new(move |_| {
            let (now, most, three) = (now.clone(), most.clone(), three.clone());
            async move {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                // As many do come at the same time.
                three.wait().await;
                now.fetch_sub(1, SeqCst);
                whole(most.load(SeqCst).to_string())
            }
        })
        .await;
        let client = Client::builder().limit_per_host(3).build();
        let mut tasks = JoinSet::new();
        for _ in 0..60 {
            tasks.spawn(text(client.clone(), site.url("")));
        }
        while let Some(most) = tasks.join_next().await {
            assert!(most.unwrap().parse::<usize>().unwrap() <= 3);
        }
        assert_eq!(site.connections(), 3);
    });
}

#[test]
fn requests_that_wait_for_one_host_stop_no_others() {
    run(async {
        let gate = Arc::new(Semaphore::new(0));
        let closed = gate.clone();
        let slow = Site::new(move |_| {
            let closed = closed.clone();
            async move {
                closed.acquire().await.unwrap().forget();
                whole("slow")
            }
        })
        .await;
        let quick = Site::new(async |_| whole("quick")).await;
        let client = Client::builder().limit(2).limit_per_host(1).build();
        let mut waiting = JoinSet::new();
        for _ in 0..5 {
            waiting.spawn(text(client.clone(), slow.url("")));
        }
        slow.has_had(1).await;
        // Four wait for that host's one place, and so for none of the two.
        for _ in 0..5 {
            assert_eq!(text(client.clone(), quick.url("")).await, "quick");
        }
        assert_eq!(slow.requests(), 1);
        gate.add_permits(5);
        while let Some(text) = waiting.join_next().await {
            assert_eq!(text.unwrap(), "slow");
        }
        assert_eq!(slow.connections(), 1);
    });
}

#[test]
fn the_limit_is_on_all_hosts_together() {
    run(async {
        let (now, most) = counters();
        let four = Arc::new(Barrier::new(4));
        let page = move |_| {
            let (now, most, four) = (now.clone(), most.clone(), four.clone());
            async move {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                four.wait().await;
                now.fetch_sub(1, SeqCst);
                whole(most.load(SeqCst).to_string())
            }
        };
        let sites = [Site::new(page.clone()).await, Site::new(page).await];
        let client = Client::builder().limit(4).build();
        let mut tasks = JoinSet::new();
        for n in 0..60 {
            tasks.spawn(text(client.clone(), sites[n % 2].url("")));
        }
        while let Some(most) = tasks.join_next().await {
            assert!(most.unwrap().parse::<usize>().unwrap() <= 4);
        }
    });
}

#[test]
fn who_waits_for_a_place_has_it_in_order_of_arrival() {
    run(async {
        let (log, mut logged) = mpsc::unbounded_channel();
        let site = Site::new(move |request| {
            log.send(request.uri().path().to_owned()).unwrap();
            async { whole("not read") }
        })
        .await;
        let client = Client::builder().limit(1).build();
        let first = client.get(site.url("first")).await.unwrap();
        let mut others: Vec<_> = (0..20)
            .map(|n| Box::pin(text(client.clone(), site.url(n))))
            .collect();
        for other in &mut others {
            let mut context = Context::from_waker(Waker::noop());
            assert!(other.as_mut().poll(&mut context).is_pending());
        }
        drop(first);
        others.reverse();
        futures::future::join_all(others).await;
        assert_eq!(logged.recv().await.unwrap(), "/first");
        for n in 0..20 {
            assert_eq!(logged.recv().await.unwrap(), format!("/{n}"));
        }
    });
}

#[test]
fn two_hundred_pages_that_take_50_ms_are_fetched_fifty_at_a_time() {
    run(async {
        let (now, most) = counters();
        let site = Site::new(move |_| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                sleep(Duration::from_millis(50)).await;
                now.fetch_sub(1, SeqCst);
                whole(most.load(SeqCst).to_string())
            }
        })
        .await;
        let client = Client::builder().limit(50).build();
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            tasks.spawn(text(client.clone(), site.url(n)));
        }
        let mut most = 0;
        while let Some(text) = tasks.join_next().await {
            most = most.max(text.unwrap().parse().unwrap());
        }
        let took = start.elapsed();
        println!("200 pages of 50 ms, 50 at a time: {took:?}");
        assert!(most <= 50 && site.connections() <= 50);
        assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(50 * 200));
    });
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    run(async {
        let site = Site::new(async |_| std::future::pending().await).await;
        let client = Client::builder().timeout(Duration::from_millis(30)).build();
        let error = client.get(site.url("")).await.unwrap_err();
        assert!(matches!(error, Error::Timeout), "{error:?}");
        assert!(error.is_timeout());
    });
}

#[test]
fn a_body_that_stalls_is_given_up_and_the_wait_for_a_place_counts() {
    run(async {
        let address = site::raw(async |mut stream: TcpStream| {
            head(&mut stream).await;
            let part = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
            stream.write_all(part).await.unwrap();
            // Nothing more comes, until the client has had enough.
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        })
        .await;
        // Long enough for an answer's head on a busy machine.
        let client = Client::builder()
            .timeout(Duration::from_secs(1))
            .limit(1)
            .build();
        let response = client.get(format!("http://{address}/")).await.unwrap();
        let error = client.get(format!("http://{address}/")).await.unwrap_err();
        assert!(matches!(error, Error::Timeout), "{error:?}");
        let error = response.into_body().bytes().await.unwrap_err();
        assert!(matches!(error, Error::Timeout), "{error:?}");
    });
}

#[test]
fn a_connection_that_does_not_come_about_is_given_up() {
    run(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        // Until the backlog is full, and the system drops who knocks.
        let patience = Duration::from_millis(300);
        let mut backlog = Vec::new();
        while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, patience) {
            backlog.push(stream);
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_millis(30))
            .build();
        let error = client.get(format!("http://{address}/")).await.unwrap_err();
        assert!(matches!(error, Error::Connect(_)), "{error:?}");
        assert!(error.is_timeout());
    });
}

#[test]
fn a_connection_that_the_server_has_closed_is_replaced() {
    run(async {
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = accepted.clone();
        // It promises to keep the connection, and does not.
        let address = site::raw(move |mut stream: TcpStream| {
            counted.fetch_add(1, SeqCst);
            async move {
                head(&mut stream).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        })
        .await;
        let client = Client::new();
        for _ in 0..30 {
            assert_eq!(
                text(client.clone(), format!("http://{address}/")).await,
                "ok"
            );
        }
        assert_eq!(accepted.load(SeqCst), 30);
    });
}

#[test]
fn what_was_sent_is_sent_once_more_only_if_that_does_no_harm() {
    run(async {
        let (log, mut logged) = mpsc::unbounded_channel();
        // A second request over the same connection is read, and not answered.
        let address = site::raw(move |mut stream: TcpStream| {
            let log = log.clone();
            async move {
                log.send(head(&mut stream).await).unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                let second = head(&mut stream).await;
                if !second.is_empty() {
                    log.send(second).unwrap();
                }
            }
        })
        .await;
        let url = format!("http://{address}/");
        let client = Client::new();
        assert_eq!(text(client.clone(), url.clone()).await, "ok");
        assert_eq!(text(client.clone(), url.clone()).await, "ok");
        let post = Request::post(&url).body(String::from("once")).unwrap();
        let error = client.request(post).await.unwrap_err();
        assert!(matches!(error, Error::Http(_)), "{error:?}");
        let mut methods = Vec::new();
        while let Ok(head) = logged.try_recv() {
            methods.push(head.split(' ').next().unwrap().to_owned());
        }
        assert_eq!(methods, ["GET", "GET", "GET", "POST"]);
    });
}

#[test]
fn connections_that_nobody_uses_are_closed_in_the_end() {
    run(async {
        let (ended, mut end) = mpsc::unbounded_channel();
        let address = site::raw(move |mut stream: TcpStream| {
            let ended = ended.clone();
            async move {
                while !head(&mut stream).await.is_empty() {
                    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
                ended.send(()).unwrap();
            }
        })
        .await;
        let url = format!("http://{address}/");
        let client = Client::builder()
            .idle_timeout(Duration::from_millis(20))
            .build();
        client.get(&url).await.unwrap();
        end.recv().await.unwrap();
        client.get(&url).await.unwrap();
        end.recv().await.unwrap();

        // And with the client, at once.
        let client = Client::builder().idle_timeout(2 * PATIENCE).build();
        client.get(&url).await.unwrap();
        assert!(end.try_recv().is_err());
        drop(client);
        end.recv().await.unwrap();
    });
}

#[test]
fn a_body_that_is_dropped_leaves_its_place_to_others() {
    run(async {
        let site = Site::new(async |_| whole(vec![b'x'; 10 << 20])).await;
        let client = Client::builder().limit(1).build();
        for _ in 0..5 {
            let mut response = client.get(site.url("")).await.unwrap();
            response.body_mut().frame().await.unwrap().unwrap();
        }
        let whole = client.get(site.url("")).await.unwrap();
        assert_eq!(whole.into_body().bytes().await.unwrap().len(), 10 << 20);
        assert_eq!(site.connections(), 6);
    });
}

#[test]
fn a_body_larger_than_the_limit_is_refused_announced_or_not() {
    run(async {
        let site = Site::new(async |request| {
            let piece = |_| Ok(Frame::data(Bytes::from_static(&[b'x'; 600])));
            match request.uri().path() {
                "/announced" => whole(vec![b'x'; 1001]),
                "/exact" => whole(vec![b'x'; 1000]),
                _ => {
                    let endless = futures::stream::iter((0..).map(piece));
                    Response::new(StreamBody::new(endless).boxed())
                }
            }
        })
        .await;
        let client = Client::builder().body_limit(1000).build();
        for path in ["announced", "endless"] {
            let response = client.get(site.url(path)).await.unwrap();
            let error = response.into_body().bytes().await.unwrap_err();
            assert!(matches!(error, Error::TooLarge(1000)), "{error:?}");
        }
        let response = client.get(site.url("exact")).await.unwrap();
        assert_eq!(response.into_body().text().await.unwrap().len(), 1000);
    });
}

#[test]
fn bodies_are_sent_and_connections_used_again() {
    run(async {
        let site = Site::new(async |request| {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            whole(body)
        })
        .await;
        let client = Client::builder().limit(1).build();
        for size in [0, 1, 1_000_000, 2] {
            let body = Full::new(Bytes::from(vec![b'x'; size]));
            let request = Request::post(site.url("")).body(body).unwrap();
            let response = client.request(request).await.unwrap();
            assert_eq!(response.into_body().bytes().await.unwrap().len(), size);
        }
        assert_eq!(site.connections(), 1);
    });
}

#[test]
fn a_body_that_does_not_end_has_the_connection_until_the_time_is_up() {
    run(async {
        let (ended, mut end) = mpsc::unbounded_channel();
        let site = Site::new(move |request| {
            let ended = ended.clone();
            async move {
                if request.uri().path() == "/early" {
                    executor::spawn(async move {
                        request.into_body().collect().await.unwrap_err();
                        ended.send(()).unwrap();
                    });
                }
                whole("early")
            }
        })
        .await;
        let client = Client::builder()
            .limit(2)
            .timeout(Duration::from_secs(2))
            .build();
        let (_more, pieces) = futures::channel::mpsc::unbounded::<Result<Frame<Bytes>, Error>>();
        let request = Request::post(site.url("early")).body(StreamBody::new(pieces));
        let response = client.request(request.unwrap()).await.unwrap();
        assert_eq!(response.into_body().text().await.unwrap(), "early");
        // Another does not get that connection.
        assert_eq!(text(client.clone(), site.url("")).await, "early");
        assert_eq!(site.connections(), 2);
        end.recv().await.unwrap();
    });
}

#[test]
fn urls_that_cannot_be_fetched_are_refused_with_the_reason() {
    run(async {
        let client = Client::new();
        for (url, reason) in [
            ("/path", "must begin with"),
            ("ftp://example.org/", "only http and https"),
            ("http://name:secret@example.org/", "`authorization`"),
            ("http://exa mple.org/", "invalid"),
        ] {
            let error = client.get(url).await.unwrap_err();
            assert!(matches!(error, Error::Url(_)), "{url}: {error:?}");
            assert!(error.to_string().contains(reason), "{error}");
            assert!(!error.to_string().contains("secret"));
        }
    });
}

#[test]
fn the_host_header_is_that_of_the_url_and_a_users_own_is_left_alone() {
    run(async {
        let site = Site::new(async |request| {
            let host = request.headers()["host"].to_str().unwrap();
            whole(format!("{host} {}", request.uri()))
        })
        .await;
        let client = Client::new();
        let port = site.address().port();
        let url = format!("http://LOCALHOST:{port}/a?b=c#d");
        let expected = format!("LOCALHOST:{port} /a?b=c");
        assert_eq!(text(client.clone(), url.clone()).await, expected);
        let request = Request::get(&url).header("host", "elsewhere");
        let response = client.request(request.body(String::new()).unwrap()).await;
        let text = response.unwrap().into_body().text().await.unwrap();
        assert_eq!(text, "elsewhere /a?b=c");
        assert_eq!(site.connections(), 1);
    });
}

#[test]
fn layers_of_tower_can_be_put_around_it() {
    run(async {
        let site = Site::new(async |request| {
            let agent = request.headers()["user-agent"].to_str().unwrap();
            whole(agent.to_owned())
        })
        .await;
        let mut client = ServiceBuilder::new()
            .concurrency_limit(2)
            .map_request(|mut request: Request<String>| {
                let agent = "layered".parse().unwrap();
                request.headers_mut().insert("user-agent", agent);
                request
            })
            .service(Client::new());
        let request = Request::get(site.url("")).body(String::new()).unwrap();
        let response: Response<Body> = client.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.into_body().text().await.unwrap(), "layered");
    });
}

#[test]
fn nobody_who_listens_is_told_of_with_each_address() {
    run(async {
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = unused.local_addr().unwrap();
        drop(unused);
        let error = Client::new()
            .get(format!("http://{address}/"))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Connect(_)), "{error:?}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        assert!(!error.is_timeout());
    });
}

/// What is there, which must be text.
async fn text(client: Client, url: String) -> String {
    let response = client.get(url).await.unwrap();
    response.into_body().text().await.unwrap()
}

fn counters() -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    Default::default()
}
