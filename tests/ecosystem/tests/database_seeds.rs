//! The programs of the articles on asyncio that need a database: on real servers they print what the originals do, see the book.

use std::process::Command;

use ecosystem::mysql::Mysql;
use ecosystem::postgres::Postgres;
use mysql::OptsBuilder;
use mysql::prelude::Queryable;
use servers::{Mariadb, Server};

use crate::run;

#[test]
fn e17_prints_the_row() {
    if let Some(server) = Server::<Mariadb>::shared() {
        let port = server.port().to_string();
        assert_eq!(
            printed(env!("CARGO_BIN_EXE_seed_e17_mysql_select"), &[&port]),
            "(42,)\n"
        );
    }
}

#[test]
fn e18_fetches_the_table() {
    let Some(server) = Server::<servers::Postgres>::shared() else {
        return;
    };
    let port = server.port();
    run(async move {
        let mut config: tokio_postgres::Config = server.config().parse().unwrap();
        let connection = Postgres::new(config.clone()).connect().await.unwrap();
        connection
            .execute("CREATE DATABASE testdb", &[])
            .await
            .unwrap();
        config.dbname("testdb");
        let connection = Postgres::new(config).connect().await.unwrap();
        let tables = "CREATE TABLE my_table (id int, name text);
                      INSERT INTO my_table VALUES (1, 'one'), (2, 'two')";
        connection.batch_execute(tables).await.unwrap();
        let program = env!("CARGO_BIN_EXE_seed_e18_postgres_fetch");
        let output = printed(program, &[&port.to_string()]);
        assert_eq!(output, "(1, \"one\")\n(2, \"two\")\n");
    });
}

#[test]
fn e24_prints_both_tables_in_the_order_of_the_queries() {
    let Some(server) = Server::<Mariadb>::shared() else {
        return;
    };
    let port = server.port();
    run(async move {
        let options = OptsBuilder::new()
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(port)
            .prefer_socket(false)
            .user(Some(Mariadb::USER))
            .pass(Some(Mariadb::PASSWORD));
        let connection = Mysql::new(options).connect().await.unwrap();
        let tables = [
            "CREATE DATABASE db",
            "CREATE TABLE db.table1 (id INT, name TEXT)",
            "CREATE TABLE db.table2 LIKE db.table1",
            "INSERT INTO db.table1 VALUES (1, 'one'), (2, 'two')",
            "INSERT INTO db.table2 VALUES (3, 'three')",
        ];
        let made =
            connection.run(move |conn| tables.iter().try_for_each(|each| conn.query_drop(each)));
        made.await.unwrap();
        let program = env!("CARGO_BIN_EXE_seed_e24_mysql_pool");
        let output = printed(program, &[&port.to_string(), Mariadb::USER]);
        assert_eq!(output, "[(1, \"one\"), (2, \"two\")]\n[(3, \"three\")]\n");
        drop(server);
    });
}

/// What a program prints, which must succeed.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
