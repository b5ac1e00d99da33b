//! MariaDB by the crate `mysql` on the blocking pool, against a real server.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use ecosystem::mysql::Mysql;
use ecosystem::pool::{AcquireError, Connect, Pool};
use executor::runtime::Builder;
use executor::task::{TaskTracker, block_in_place, spawn_blocking, yield_now};
use executor::time::timeout;
use mysql::prelude::Queryable;
use mysql::{Conn, Error, OptsBuilder, TxOpts};
use servers::{Mariadb, Server};

use crate::{PATIENCE, run};

type Running = Server<Mariadb>;

/// Runs a test against a server that other tests use, too: tables have names of their own.
fn with_server<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Arc<Running>) -> F) {
    if let Some(server) = Running::shared() {
        // It is stopped after the runtime, at the earliest.
        run(test(server.clone()));
        drop(server);
    }
}

fn options(server: &Running) -> OptsBuilder {
    OptsBuilder::new()
        .ip_or_hostname(Some("127.0.0.1"))
        .tcp_port(server.port())
        .prefer_socket(false)
        .user(Some(Mariadb::USER))
        .pass(Some(Mariadb::PASSWORD))
        .db_name(Some(Mariadb::DATABASE))
}

fn pool(server: &Running, max_size: usize) -> Pool<Mysql> {
    Pool::builder(Mysql::new(options(server)))
        .max_size(max_size)
        .build()
}

#[test]
fn two_queries_run_side_by_side_on_a_pool_of_two() {
    with_server(|server| async move {
        let pool = pool(&server, 2);
        let setup = pool.acquire().await.unwrap();
        let create = "CREATE TABLE met (id INT AUTO_INCREMENT PRIMARY KEY)";
        setup
            .run(move |conn| conn.query_drop(create))
            .await
            .unwrap();
        drop(setup);
        // Each counts itself, and ends when both have.
        let meet = "BEGIN NOT ATOMIC
                        INSERT INTO met VALUES ();
                        WHILE (SELECT COUNT(*) FROM met) < 2 DO DO SLEEP(0.005); END WHILE;
                    END";
        let query = || {
            let pool = pool.clone();
            executor::spawn(async move {
                let connection = pool.acquire().await.unwrap();
                connection.run(move |conn| conn.query_drop(meet)).await
            })
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
        let query = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) AS DOUBLE), SLEEP(0.2), CAST(UNIX_TIMESTAMP(SYSDATE(6)) AS DOUBLE)";
        let query = || {
            let pool = pool.clone();
            executor::spawn(async move {
                let connection = pool.acquire().await.unwrap();
                let row = connection.run(move |conn| conn.query_first::<(f64, u8, f64), _>(query));
                row.await.map(|row| row.unwrap())
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
        assert!(first.2 - first.0 >= 0.2, "it has slept: {first:?}");
        assert!(first.2 <= second.0, "{first:?} {second:?}");
    });
}

#[test]
fn a_wrong_password_and_a_missing_table_are_what_the_server_says() {
    with_server(|server| async move {
        let strangers = Pool::new(Mysql::new(options(&server).pass(Some("guess"))));
        match strangers.acquire().await {
            Err(AcquireError::Connect(error)) => assert_eq!(code(&error), ACCESS_DENIED),
            other => panic!("{other:?}"),
        }

        let pool = pool(&server, 1);
        let connection = pool.acquire().await.unwrap();
        let missing = connection.run(|conn| conn.query_drop("SELECT * FROM nowhere"));
        assert_eq!(code(&missing.await.unwrap_err()), NO_SUCH_TABLE);
        // Neither the connection nor the pool minds.
        assert_eq!(
            connection.run(|conn| one(conn, "SELECT 1")).await.unwrap(),
            1
        );
        drop(connection);
        let connection = pool.acquire().await.unwrap();
        assert_eq!(
            connection.run(|conn| one(conn, "SELECT 2")).await.unwrap(),
            2
        );
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
            executor::spawn(async move { held.run(|conn| conn.query_drop("DO SLEEP(600)")).await });
        let watcher = pool.acquire().await.unwrap();
        let sleeping =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'DO SLEEP(600)'";
        while watcher.run(move |conn| one(conn, sleeping)).await.unwrap() == 0 {}
        drop(watcher);

        block_in_place(|| server.kill());
        asked
            .await
            .unwrap()
            .expect_err("the query has ended with the server");
        for _ in 0..3 {
            let refused = pool.acquire().await;
            assert!(
                matches!(refused, Err(AcquireError::Connect(_))),
                "{refused:?}"
            );
        }

        block_in_place(|| server.restart());
        let (a, b) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        assert_eq!(a.run(|conn| one(conn, "SELECT 1")).await.unwrap(), 1);
        assert_eq!(b.run(|conn| one(conn, "SELECT 2")).await.unwrap(), 2);
    });
}

#[test]
fn a_transaction_is_there_once_it_is_committed_and_gone_when_it_is_dropped() {
    with_server(|server| async move {
        let connection = Mysql::new(options(&server)).connect().await.unwrap();
        let counts = connection.run(|conn| {
            conn.query_drop("CREATE TABLE fruits (name VARCHAR(20) PRIMARY KEY)")?;
            let mut transaction = conn.start_transaction(TxOpts::default())?;
            transaction.exec_drop("INSERT INTO fruits VALUES (?)", ("apple",))?;
            transaction.commit()?;
            let mut transaction = conn.start_transaction(TxOpts::default())?;
            transaction.exec_drop("INSERT INTO fruits VALUES (?)", ("pear",))?;
            let within: Option<i64> = transaction.query_first("SELECT COUNT(*) FROM fruits")?;
            drop(transaction);
            Ok((within, one(conn, "SELECT COUNT(*) FROM fruits")?))
        });
        assert_eq!(counts.await.unwrap(), (Some(2), 1));
    });
}

#[test]
fn a_call_that_is_dropped_goes_on_and_the_next_waits_for_it() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        let connection = pool.acquire().await.unwrap();
        connection
            .run(|conn| conn.query_drop("CREATE TABLE slow (id INT)"))
            .await
            .unwrap();
        let process = connection.run(|conn| one(conn, "SELECT CONNECTION_ID()"));
        let process = process.await.unwrap();
        let (begun, has_begun) = executor::sync::oneshot::channel();
        let slow = connection.run(|conn| {
            begun.send(()).unwrap();
            conn.query_drop("INSERT INTO slow SELECT SLEEP(0.1)")
        });
        executor::select! {
            _ = slow => panic!("it is not that quick"),
            _ = has_begun => {}
        }
        drop(connection);
        let connection = pool.acquire().await.unwrap();
        assert_eq!(
            connection
                .run(|conn| one(conn, "SELECT COUNT(*) FROM slow"))
                .await
                .unwrap(),
            1
        );
        let same = connection.run(|conn| one(conn, "SELECT CONNECTION_ID()"));
        assert_eq!(same.await.unwrap(), process);
    });
}

#[test]
fn what_tracks_a_connection_tracks_its_calls_and_its_goodbye() {
    let Some(server) = Running::shared() else {
        return;
    };
    let test = async {
        let (mysql, open) = (Mysql::new(options(&server)), TaskTracker::new());
        let connection = Connect::connect(&mysql, &open).await.unwrap();
        assert_eq!(open.len(), 0);
        // The only thread that may block is taken, so what is tracked stays.
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let taken = spawn_blocking(move || ends.recv());
        let mut call = Box::pin(connection.run(|_| Ok(())));
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        drop(call);
        assert_eq!(open.len(), 1, "the call");
        drop(connection);
        assert_eq!(open.len(), 2, "and the goodbye");
        open.close();
        end.send(()).unwrap();
        open.wait().await;
        taken.await.unwrap().unwrap();
    };
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let done = runtime.block_on(async { timeout(PATIENCE, test).await });
    done.expect("it hangs");
    drop(runtime);
    drop(server);
}

#[test]
fn a_closure_that_panics_does_so_in_its_caller_and_the_connection_goes_on() {
    with_server(|server| async move {
        let pool = pool(&server, 1);
        let panics = executor::spawn({
            let pool = pool.clone();
            async move {
                let connection = pool.acquire().await.unwrap();
                connection
                    .run(|_| -> mysql::Result<()> { panic!("on purpose") })
                    .await
            }
        });
        assert!(panics.await.unwrap_err().is_panic());
        let connection = pool.acquire().await.unwrap();
        assert_eq!(
            connection.run(|conn| one(conn, "SELECT 1")).await.unwrap(),
            1
        );
    });
}

#[test]
fn a_pool_that_is_closed_leaves_no_connection_at_the_server() {
    with_server(|server| async move {
        let pool = pool(&server, 3);
        let mut held = Vec::new();
        let mut processes = Vec::new();
        for _ in 0..3 {
            let connection = pool.acquire().await.unwrap();
            let process = connection.run(|conn| one(conn, "SELECT CONNECTION_ID()"));
            processes.push(process.await.unwrap().to_string());
            held.push(connection);
        }
        let watcher = Mysql::new(options(&server)).connect().await.unwrap();
        let processes = processes.join(", ");
        let count = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({processes})"
        );
        let count = || {
            let count = count.clone();
            watcher.run(move |conn| one(conn, &count))
        };
        assert_eq!(count().await.unwrap(), 3);
        held.pop();
        pool.close();
        assert!(matches!(pool.acquire().await, Err(AcquireError::Closed)));
        drop(held);
        pool.wait_closed().await;
        // The threads of the server take a moment to end.
        while count().await.unwrap() > 0 {
            yield_now().await;
        }
    });
}

/// The number that a query results in.
fn one(conn: &mut Conn, query: &str) -> mysql::Result<i64> {
    Ok(conn.query_first(query)?.expect("there is a row"))
}

/// The server's number of the error.
#[track_caller]
fn code(error: &Error) -> u16 {
    match error {
        Error::MySqlError(said) => said.code,
        other => panic!("the server has not said so: {other}"),
    }
}

const ACCESS_DENIED: u16 = 1045;
const NO_SUCH_TABLE: u16 = 1146;
