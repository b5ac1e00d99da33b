//! Redis by the crate of that name on our sockets, against a real server.

use std::sync::Arc;

use ecosystem::redis::{Connection, connect, connect_with};
use executor::sync::mpsc;
use executor::task::block_in_place;
use executor::time::{Duration, timeout};
use redis::streams::StreamReadOptions;
use redis::{
    AsyncConnectionConfig, AsyncTypedCommands, ConnectionInfo, ErrorKind, IntoConnectionInfo, Msg,
    ProtocolVersion, ServerErrorKind, pipe,
};
use servers::Server;

use crate::run;

type Running = Server<servers::Redis>;

/// Runs a test against a server that other tests use, too: keys have names of their own.
fn with_server<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Arc<Running>) -> F) {
    if let Some(server) = Running::shared() {
        // It is stopped after the runtime, at the earliest.
        run(test(server.clone()));
        drop(server);
    }
}

fn info(server: &Running) -> ConnectionInfo {
    server.url().into_connection_info().unwrap()
}

async fn connected(server: &Running) -> Connection {
    connect(&info(server)).await.unwrap()
}

#[test]
fn many_tasks_share_a_connection() {
    with_server(|server| async move {
        let connection = connected(&server).await;
        let tasks: Vec<_> = (0..1000)
            .map(|number| {
                let mut connection = connection.clone();
                executor::spawn(async move {
                    let key = format!("shared {number}");
                    connection.set(&key, number).await?;
                    connection.incr("shared", 1).await?;
                    connection.get(&key).await
                })
            })
            .collect();
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap().unwrap(), Some(number.to_string()));
        }
        let mut connection = connection;
        assert_eq!(connection.get("shared").await.unwrap().unwrap(), "1000");
    });
}

#[test]
fn a_pipeline_has_its_answers_in_order() {
    with_server(|server| async move {
        let mut connection = connected(&server).await;
        let mut commands = pipe();
        for number in 0..10_000 {
            commands.cmd("ECHO").arg(number);
        }
        let answers: Vec<u32> = commands.query_async(&mut *connection).await.unwrap();
        assert!(answers.into_iter().eq(0..10_000));

        // As a transaction, of which nobody sees a part.
        let mut transfer = pipe();
        transfer.atomic().incr("one", 5).incr("other", -5);
        let balance: (i32, i32) = transfer.query_async(&mut *connection).await.unwrap();
        assert_eq!(balance, (5, -5));
    });
}

#[test]
fn what_is_published_reaches_every_subscriber() {
    with_server(|server| async move {
        let settings = info(&server).redis_settings().clone();
        let pushing =
            info(&server).set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        let mut subscribers = Vec::new();
        for _ in 0..10 {
            let (sender, messages) = mpsc::unbounded_channel();
            let config = AsyncConnectionConfig::new().set_push_sender(sender);
            let mut connection = connect_with(&pushing, config).await.unwrap();
            connection.subscribe("news").await.unwrap();
            subscribers.push((connection, messages));
        }
        let mut publisher = connected(&server).await;
        for text in ["one", "two", "three"] {
            assert_eq!(publisher.publish("news", text).await.unwrap(), 10);
        }
        for (_connection, messages) in &mut subscribers {
            for text in ["one", "two", "three"] {
                // What is pushed is also that the subscription has begun.
                let message = loop {
                    let pushed = messages.recv().await.expect("the connection is open");
                    if let Some(message) = Msg::from_push_info(pushed) {
                        break message;
                    }
                };
                assert_eq!(message.get_channel_name(), "news");
                assert_eq!(message.get_payload::<String>().unwrap(), text);
            }
        }
    });
}

#[test]
fn a_job_that_its_worker_leaves_undone_is_claimed_by_another() {
    with_server(|server| async move {
        let mut connection = connected(&server).await;
        connection
            .xgroup_create_mkstream("jobs", "workers", "0")
            .await
            .unwrap();
        let waiting = executor::spawn({
            // A command that blocks keeps others of its connection waiting.
            let mut worker = connected(&server).await;
            async move {
                let options = StreamReadOptions::default()
                    .group("workers", "first")
                    .block(0)
                    .count(1);
                worker.xread_options(&["jobs"], &[">"], &options).await
            }
        });
        for job in ["one", "two"] {
            connection.xadd("jobs", "*", &[("job", job)]).await.unwrap();
        }
        let taken = waiting
            .await
            .unwrap()
            .unwrap()
            .expect("it blocks until there is one");
        let [job] = &taken.keys[0].ids[..] else {
            panic!("{taken:?}");
        };
        assert_eq!(job.get::<String>("job").unwrap(), "one");

        let second = StreamReadOptions::default().group("workers", "second");
        let rest = connection.xread_options(&["jobs"], &[">"], &second).await;
        let rest = rest.unwrap().unwrap();
        assert_eq!(rest.keys[0].ids[0].get::<String>("job").unwrap(), "two");
        let claimed = connection
            .xautoclaim_options("jobs", "workers", "second", 0, "0-0", Default::default())
            .await
            .unwrap();
        let ids: Vec<_> = claimed.claimed.iter().map(|claimed| &claimed.id).collect();
        assert_eq!(ids, [&job.id, &rest.keys[0].ids[0].id]);
        assert_eq!(connection.xack("jobs", "workers", &ids).await.unwrap(), 2);
    });
}

#[test]
fn the_last_clone_closes_the_connection_though_a_command_blocks() {
    with_server(|server| async move {
        let blocked = connected(&server).await;
        let mut other = blocked.clone();
        let id: u64 = redis::cmd("CLIENT")
            .arg("ID")
            .query_async(&mut *other)
            .await
            .unwrap();
        let answer = timeout(Duration::from_millis(20), other.blpop("nothing comes", 0.0)).await;
        answer.expect_err("the limit is ours");
        let mut watcher = connected(&server).await;
        assert!(clients(&mut watcher).await.contains(&format!("id={id} ")));
        drop((blocked, other));
        while clients(&mut watcher).await.contains(&format!("id={id} ")) {}
    });
}

/// The server's list of its connections.
async fn clients(connection: &mut Connection) -> String {
    let mut list = redis::cmd("CLIENT");
    list.arg("LIST")
        .query_async(&mut **connection)
        .await
        .unwrap()
}

#[test]
fn a_wrong_password_and_a_wrong_command_are_what_the_server_says() {
    with_server(|server| async move {
        let mut connection = connected(&server).await;
        let () = redis::cmd("ACL")
            .arg(&["SETUSER", "reader", "on", ">secret", "~*", "+@all"])
            .query_async(&mut *connection)
            .await
            .unwrap();
        let reader = |password| {
            let settings = info(&server).redis_settings().clone();
            let settings = settings.set_username("reader").set_password(password);
            info(&server).set_redis_settings(settings)
        };
        let error = connect(&reader("guess")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{error}");
        let mut reader = connect(&reader("secret")).await.unwrap();

        reader.set("text", "no number").await.unwrap();
        let error = reader.incr("text", 1).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ResponseError)
        );
        assert_eq!(reader.get("text").await.unwrap().unwrap(), "no number");
    });
}

#[test]
fn a_unix_socket_is_as_good() {
    with_server(|server| async move {
        let near = server.unix_url().into_connection_info().unwrap();
        let mut connection = connect(&near).await.unwrap();
        connection.set("near", 7).await.unwrap();
        assert_eq!(connection.get("near").await.unwrap().unwrap(), "7");
    });
}

#[test]
fn a_server_that_is_killed_is_an_error_until_it_is_back() {
    let Some(mut server) = Running::start() else {
        return;
    };
    run(async move {
        let mut connection = connected(&server).await;
        let waiting = executor::spawn({
            let mut connection = connection.clone();
            async move { connection.blpop("nothing comes", 0.0).await }
        });
        let mut watcher = connected(&server).await;
        while !clients(&mut watcher).await.contains("cmd=blpop") {}
        block_in_place(|| server.kill());
        let error = waiting.await.unwrap().unwrap_err();
        assert!(error.is_connection_dropped(), "{error}");
        let error = connection.get("key").await.unwrap_err();
        assert!(error.is_connection_dropped(), "{error}");
        let error = connect(&info(&server)).await.unwrap_err();
        assert!(error.is_connection_refusal(), "{error}");
        block_in_place(|| server.restart());
        connected(&server).await.set("key", "value").await.unwrap();
    });
}
