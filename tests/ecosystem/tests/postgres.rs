//! PostgreSQL by tokio-postgres on our sockets, against a real server.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use ecosystem::pool::{AcquireError, Connect, Pool};
use ecosystem::postgres::{Error, Listener, Postgres};
use executor::net::{TcpSocket, TcpStream};
use executor::runtime::Builder;
use executor::task::{TaskTracker, block_in_place, yield_now};
use executor::time::{Duration, timeout};
use futures::{SinkExt, StreamExt, TryStreamExt};
use servers::Server;
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use crate::{PATIENCE, run};

type Running = Server<servers::Postgres>;

/// Runs a test against a server that other tests use, too. Tables have names of their own, or are temporary.
fn with_server<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Arc<Running>) -> F) {
    if let Some(server) = Running::shared() {
        // It is stopped after the runtime, at the earliest.
        run(test(server.clone()));
        drop(server);
    }
}

fn config(server: &Running) -> Config {
    server.config().parse().unwrap()
}

fn pool(server: &Running, max_size: usize) -> Pool<Postgres> {
    Pool::builder(Postgres::new(config(server)))
        .max_size(max_size)
        .build()
}

#[test]
fn two_queries_run_side_by_side_on_a_pool_of_two() {
    with_server(|server| async move {
        let pool = pool(&server, 2);
        let setup = pool.acquire().await.unwrap();
        setup.batch_execute("CREATE SEQUENCE met").await.unwrap();
        drop(setup);
        // Each counts itself, and ends when both have.
        let meet = "DO $$ BEGIN
                        PERFORM nextval('met');
                        WHILE (SELECT last_value < 2 FROM met) LOOP PERFORM pg_sleep(0.005); END LOOP;
                    END $$";
        let query = || {
            let pool = pool.clone();
            executor::spawn(async move { pool.acquire().await.unwrap().batch_execute(meet).await })
        };
        let (one, other) = (query(), query());
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();
    });
}

#[test]
fn they_follow_each_other_on_a_pool_of_one() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        // By the server's clock: when a query was begun, and when it was done.
        let query = "WITH begun AS MATERIALIZED (SELECT clock_timestamp() AS time),
                          slept AS MATERIALIZED (SELECT pg_sleep(0.2) FROM begun)
                     SELECT extract(epoch FROM begun.time)::float8, extract(epoch FROM clock_timestamp())::float8
                     FROM begun, slept";
        let query = || {
            let pool = pool.clone();
            executor::spawn(async move {
                let row = pool.acquire().await.unwrap().query_one(query, &[]).await;
                row.map(|row| (row.get::<_, f64>(0), row.get::<_, f64>(1)))
            })
        };
        let (one, other) = (query(), query());
        let one = one.await.unwrap().unwrap();
        let other = other.await.unwrap().unwrap();
        let (first, second) = if one.0 < other.0 {
            (one, other)
        } else {
            (other, one)
        };
        assert!(first.1 - first.0 >= 0.2, "it has slept: {first:?}");
        assert!(first.1 <= second.0, "{first:?} {second:?}");
    });
}

#[test]
fn a_wrong_password_and_a_missing_table_are_what_the_server_says() {
    with_server(|server| async move {
        let mut wrong = config(&server);
        wrong.password("guess");
        let pool_of_strangers = Pool::new(Postgres::new(wrong));
        match pool_of_strangers.acquire().await {
            Err(AcquireError::Connect(error)) => {
                let said = error.as_db_error().expect("the server says so");
                assert_eq!(*said.code(), SqlState::INVALID_PASSWORD);
                assert!(
                    error.to_string().contains("password authentication failed"),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        }

        let pool = pool(&server, 1);
        let connection = pool.acquire().await.unwrap();
        let error = connection
            .query("SELECT * FROM nowhere", &[])
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::UNDEFINED_TABLE));
        // Neither the connection nor the pool minds.
        assert_eq!(one(&connection, "SELECT 1").await, 1);
        drop(connection);
        assert_eq!(one(&pool.acquire().await.unwrap(), "SELECT 2").await, 2);
    });
}

#[test]
fn a_server_that_is_killed_is_an_error_until_it_is_back() {
    let Some(mut server) = Running::start() else {
        return;
    };
    run(async move {
        let pool = pool(&server, 2);
        let (held, idle) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(idle);
        let asked =
            executor::spawn(async move { held.batch_execute("SELECT pg_sleep(600)").await });
        let watcher = pool.acquire().await.unwrap();
        while one(
            &watcher,
            "SELECT count(*)::int FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'",
        )
        .await
            == 0
        {}
        drop(watcher);

        block_in_place(|| server.kill());
        asked
            .await
            .unwrap()
            .expect_err("the query has ended with the server");
        for _ in 0..3 {
            match pool.acquire().await {
                Err(AcquireError::Connect(Error::Io(error))) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                }
                other => panic!("{other:?}"),
            }
        }

        block_in_place(|| server.restart());
        let (a, b) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        assert_eq!(one(&a, "SELECT 1").await + one(&b, "SELECT 2").await, 3);
    });
}

#[test]
fn a_transaction_is_there_once_it_is_committed_and_gone_when_it_is_dropped() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        let mut connection = pool.acquire().await.unwrap();
        connection
            .batch_execute("CREATE TABLE fruits (name text PRIMARY KEY)")
            .await
            .unwrap();
        let count = "SELECT count(*)::int FROM fruits";
        let insert = "INSERT INTO fruits VALUES ($1)";

        let transaction = connection.transaction().await.unwrap();
        transaction.execute(insert, &[&"apple"]).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(one(&connection, count).await, 1);

        let transaction = connection.transaction().await.unwrap();
        transaction.execute(insert, &[&"pear"]).await.unwrap();
        assert_eq!(one(transaction.client(), count).await, 2);
        drop(transaction);
        assert_eq!(one(&connection, count).await, 1);

        // One within another, of which the inner one fails.
        let mut transaction = connection.transaction().await.unwrap();
        transaction.execute(insert, &[&"plum"]).await.unwrap();
        let savepoint = transaction.transaction().await.unwrap();
        let error = savepoint.execute(insert, &[&"apple"]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
        savepoint.rollback().await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(one(&connection, count).await, 2);

        // Dropped with its connection, in the middle: the next user of that sees nothing of it.
        let abandoned = async {
            let transaction = connection.transaction().await.unwrap();
            transaction.execute(insert, &[&"cherry"]).await.unwrap();
            std::future::pending::<()>().await;
        };
        let watcher = Postgres::new(config(&server)).connect().await.unwrap();
        let waits = "SELECT count(*)::int FROM pg_stat_activity WHERE state = 'idle in transaction' AND query = 'INSERT INTO fruits VALUES ($1)'";
        polled_until(abandoned, || async { one(&watcher, waits).await == 1 }).await;
        drop(connection);
        assert_eq!(one(&pool.acquire().await.unwrap(), count).await, 2);
    });
}

#[test]
fn a_notification_reaches_every_listener_in_order() {
    with_server(|server| async move {
        let postgres = Postgres::new(config(&server));
        let mut listeners = Vec::new();
        for _ in 0..20 {
            let mut listener = postgres.listen().await.unwrap();
            listener.listen("News \"today\"").await.unwrap();
            listeners.push(listener);
        }
        let speaker = postgres.connect().await.unwrap();
        for payload in ["one", "two", "three"] {
            speaker
                .execute("SELECT pg_notify('News \"today\"', $1)", &[&payload])
                .await
                .unwrap();
        }
        for listener in &mut listeners {
            for payload in ["one", "two", "three"] {
                let heard = listener.next().await.unwrap().unwrap();
                assert_eq!(
                    (heard.channel(), heard.payload()),
                    ("News \"today\"", payload)
                );
            }
        }

        // Who does not listen any more hears nothing, and what comes with an answer is kept.
        let mut quiet = listeners.pop().unwrap();
        quiet.unlisten("News \"today\"").await.unwrap();
        quiet.listen("other").await.unwrap();
        speaker
            .batch_execute("NOTIFY \"News \"\"today\"\"\", 'four'; NOTIFY other, 'five'")
            .await
            .unwrap();
        quiet.listen("third").await.unwrap();
        assert_eq!(quiet.next().await.unwrap().unwrap().payload(), "five");
        assert_eq!(heard(listeners).await, ["four"; 19]);
    });
}

/// What each hears next.
async fn heard(listeners: Vec<Listener>) -> Vec<String> {
    let mut payloads = Vec::new();
    for mut listener in listeners {
        payloads.push(listener.next().await.unwrap().unwrap().payload().to_owned());
    }
    payloads
}

#[test]
fn a_listener_hears_of_the_end_of_its_connection() {
    with_server(|server| async move {
        let postgres = Postgres::new(config(&server));
        let mut listener = postgres.listen().await.unwrap();
        listener.listen("end").await.unwrap();
        let other = postgres.connect().await.unwrap();
        let end = "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE query = 'LISTEN \"end\"'";
        assert_eq!(one(&other, end).await, 1);
        let error = listener.next().await.unwrap().unwrap_err();
        let said = error.as_db_error().expect("the server says why");
        assert_eq!(*said.code(), SqlState::ADMIN_SHUTDOWN);
        assert!(listener.next().await.is_none());
        listener.listen("more").await.unwrap_err();
    });
}

#[test]
fn a_hundred_thousand_rows_are_copied_in_and_out() {
    const ROWS: u32 = 100_000;
    with_server(|server| async move {
        let connection = Postgres::new(config(&server)).connect().await.unwrap();
        connection
            .batch_execute("CREATE TEMPORARY TABLE numbers (id int, name text)")
            .await
            .unwrap();
        let sink = connection.copy_in("COPY numbers FROM STDIN").await.unwrap();
        let mut sink = pin!(sink);
        for first in (0..ROWS).step_by(1000) {
            let mut rows = String::new();
            for id in first..first + 1000 {
                writeln!(rows, "{id}\tnumber {id}").unwrap();
            }
            sink.send(Bytes::from(rows)).await.unwrap();
        }
        assert_eq!(sink.finish().await.unwrap(), u64::from(ROWS));

        let copied = connection
            .copy_out("COPY (SELECT * FROM numbers ORDER BY id) TO STDOUT")
            .await
            .unwrap();
        let lines: Vec<Bytes> = copied.try_collect().await.unwrap();
        assert_eq!(lines.len(), ROWS as usize);
        for (id, line) in lines.iter().enumerate() {
            assert_eq!(*line, format!("{id}\tnumber {id}\n"));
        }

        // One that is not finished leaves nothing.
        let mut sink = Box::pin(
            connection
                .copy_in::<_, Bytes>("COPY numbers FROM STDIN")
                .await
                .unwrap(),
        );
        sink.send(Bytes::from_static(b"1\tonce more\n"))
            .await
            .unwrap();
        drop(sink);
        assert_eq!(
            one(&connection, "SELECT count(*)::int FROM numbers").await,
            ROWS as i32
        );
    });
}

#[test]
fn a_query_whose_future_is_dropped_is_cancelled_at_the_server() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        let connection = pool.acquire().await.unwrap();
        let process = one(&connection, "SELECT pg_backend_pid()").await;
        let watcher = Postgres::new(config(&server)).connect().await.unwrap();
        let active = format!(
            "SELECT count(*)::int FROM pg_stat_activity WHERE pid = {process} AND state = 'active'"
        );
        let query = connection.cancel_on_drop(connection.batch_execute("SELECT pg_sleep(600)"));
        polled_until(query, || async { one(&watcher, &active).await == 1 }).await;
        while one(&watcher, &active).await == 1 {}
        drop(connection);
        let connection = pool.acquire().await.unwrap();
        assert_eq!(one(&connection, "SELECT pg_backend_pid()").await, process);
        // One that ends is not cancelled.
        let query = connection.query_one("SELECT pg_sleep(0.01)", &[]);
        connection.cancel_on_drop(query).await.unwrap();
    });
}

#[test]
fn cancellations_never_meet_the_query_of_the_next_user() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        for round in 0..50 {
            let connection = pool.acquire().await.unwrap();
            let query =
                connection.cancel_on_drop(connection.batch_execute("SELECT pg_sleep(0.001)"));
            let mut query = Box::pin(query);
            for _ in 0..round % 7 {
                let polled = poll_fn(|cx| Poll::Ready(query.as_mut().poll(cx))).await;
                if let Poll::Ready(done) = polled {
                    done.unwrap();
                    break;
                }
                yield_now().await;
            }
            drop(query);
            drop(connection);
            let connection = pool.acquire().await.unwrap();
            connection
                .batch_execute("SELECT pg_sleep(0.001)")
                .await
                .unwrap();
        }
    });
}

#[test]
fn a_pool_that_is_closed_leaves_no_connection_at_the_server() {
    with_server(|server| async move {
        let mut named = config(&server);
        named.application_name("to be closed");
        let pool = Pool::builder(Postgres::new(named)).max_size(3).build();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(pool.acquire().await.unwrap());
        }
        let watcher = Postgres::new(config(&server)).connect().await.unwrap();
        let count =
            "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'to be closed'";
        assert_eq!(one(&watcher, count).await, 3);
        held.pop();
        pool.close();
        assert!(matches!(pool.acquire().await, Err(AcquireError::Closed)));
        assert_eq!(one(&held[0], "SELECT 1").await, 1, "who has one keeps it");
        drop(held);
        pool.wait_closed().await;
        // The processes of the server take a moment to end.
        while one(&watcher, count).await > 0 {}
    });
}

#[test]
fn what_tracks_a_connection_tracks_its_task_and_its_cancellations() {
    let Some(server) = Running::shared() else {
        return;
    };
    let test = async {
        let (postgres, open) = (Postgres::new(config(&server)), TaskTracker::new());
        let connection = Connect::connect(&postgres, &open).await.unwrap();
        assert_eq!(open.len(), 1);
        let done = connection.batch_execute("SELECT 1");
        connection.cancel_on_drop(done).await.unwrap();
        assert_eq!(open.len(), 1, "there is nothing to cancel");

        let watcher = postgres.connect().await.unwrap();
        let active = "SELECT count(*)::int FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600) AS tracked'";
        let slow = connection.batch_execute("SELECT pg_sleep(600) AS tracked");
        let query = connection.cancel_on_drop(slow);
        polled_until(query, || async { one(&watcher, active).await == 1 }).await;
        // The thread is this test's, so the request has not begun yet.
        assert_eq!(open.len(), 2);
        while open.len() == 2 {
            yield_now().await;
        }
        connection.close().await;
        assert!(open.is_empty());
    };
    // On one thread.
    let runtime = Builder::new_current_thread().build().unwrap();
    let done = runtime.block_on(async { timeout(PATIENCE, test).await });
    done.expect("it hangs");
    drop(runtime);
    drop(server);
}

#[test]
fn a_unix_socket_is_as_good() {
    with_server(|server| async move {
        let mut config = Config::new();
        config
            .host_path(server.directory())
            .port(server.port())
            .user(servers::Postgres::SUPERUSER)
            .password(servers::Postgres::PASSWORD)
            .dbname("postgres");
        let connection = Postgres::new(config).connect().await.unwrap();
        assert_eq!(one(&connection, "SELECT 7").await, 7);
    });
}

#[test]
fn a_host_that_does_not_answer_costs_its_time_limit() {
    with_server(|server| async move {
        // A listener whose backlog is full: the system drops who knocks.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = socket.listen(0).unwrap();
        let address = silent.local_addr().unwrap();
        let mut backlog = Vec::new();
        while let Ok(stream) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            backlog.push(stream.unwrap());
            assert!(backlog.len() < 64, "the backlog has no end");
        }
        let mut two = Config::new();
        two.host("127.0.0.1")
            .host("127.0.0.1")
            .port(address.port())
            .port(server.port())
            .connect_timeout(Duration::from_millis(200))
            .user(servers::Postgres::SUPERUSER)
            .password(servers::Postgres::PASSWORD);
        let connection = Postgres::new(two).connect().await.unwrap();
        assert_eq!(one(&connection, "SELECT 7").await, 7);
    });
}

#[test]
fn the_first_host_that_answers_is_taken() {
    with_server(|server| async move {
        let mut two = Config::new();
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = refusing.local_addr().unwrap().port();
        drop(refusing);
        two.host("127.0.0.1")
            .host("localhost")
            .port(port)
            .port(server.port())
            .user(servers::Postgres::SUPERUSER)
            .password(servers::Postgres::PASSWORD)
            .dbname("postgres");
        let connection = Postgres::new(two).connect().await.unwrap();
        assert_eq!(one(&connection, "SELECT 7").await, 7);
    });
}

/// The number that a query results in.
pub(crate) async fn one(client: &tokio_postgres::Client, query: &str) -> i32 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// Polls a future that does not end until something is so, then drops it.
pub(crate) async fn polled_until<F: Future, S: Future<Output = bool>>(
    future: F,
    so: impl Fn() -> S,
) {
    let mut future = pin!(future);
    let mut until = pin!(async { while !so().await {} });
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending(), "it has ended");
        until.as_mut().poll(cx)
    })
    .await;
}
