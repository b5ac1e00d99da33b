//! sqlx, which knows tokio only, with a tokio beside our runtime, against a real server.

use executor::tokio_compat::in_tokio;
use servers::{Postgres, Server};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::run;

/// Runs a test with a pool of two connections.
fn with_pool<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(PgPool) -> F + Send + 'static,
) {
    let Some(server) = Server::<Postgres>::shared() else {
        return;
    };
    let (user, password) = (Postgres::SUPERUSER, Postgres::PASSWORD);
    let url = format!(
        "postgres://{user}:{password}@127.0.0.1:{}/postgres",
        server.port()
    );
    run(in_tokio(async move {
        let options = PgPoolOptions::new().max_connections(2);
        let pool = options.connect(&url).await.unwrap();
        test(pool.clone()).await;
        pool.close().await;
    }));
    drop(server);
}

#[test]
fn rows_are_selected_and_a_transaction_that_is_dropped_is_rolled_back() {
    with_pool(async |pool| {
        let create = "CREATE TABLE sqlx_fruits (id int, name text)";
        sqlx::query(create).execute(&pool).await.unwrap();
        let insert = "INSERT INTO sqlx_fruits VALUES ($1, $2)";
        let mut transaction = pool.begin().await.unwrap();
        let one = sqlx::query(insert).bind(1).bind("apple");
        one.execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let mut transaction = pool.begin().await.unwrap();
        let two = sqlx::query(insert).bind(2).bind("pear");
        two.execute(&mut *transaction).await.unwrap();
        drop(transaction);
        let rows = sqlx::query_as::<_, (i32, String)>("SELECT * FROM sqlx_fruits");
        assert_eq!(
            rows.fetch_all(&pool).await.unwrap(),
            [(1, "apple".to_owned())]
        );
    });
}

#[test]
fn queries_in_our_tasks_run_side_by_side() {
    with_pool(async |pool| {
        sqlx::query("CREATE SEQUENCE sqlx_met")
            .execute(&pool)
            .await
            .unwrap();
        // Each counts itself, and ends when both have.
        let meet = "DO $$ BEGIN
                        PERFORM nextval('sqlx_met');
                        WHILE (SELECT last_value < 2 FROM sqlx_met) LOOP PERFORM pg_sleep(0.005); END LOOP;
                    END $$";
        let query = || {
            let pool = pool.clone();
            executor::spawn(in_tokio(
                async move { sqlx::query(meet).execute(&pool).await },
            ))
        };
        let (one, other) = (query(), query());
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();
    });
}

#[test]
fn a_missing_table_is_what_the_server_says() {
    with_pool(async |pool| {
        let error = sqlx::query("SELECT * FROM nowhere")
            .execute(&pool)
            .await
            .unwrap_err();
        let said = error.into_database_error().expect("the server says so");
        assert_eq!(said.code().as_deref(), Some("42P01"));
    });
}
