//! A driver of a database, tokio-postgres, with a real server at the other end: rows in long answers, and questions with one row each.
//!
//! The server is started once, by the process that runs the rounds, and shares the machine's processors with each runtime in turn.

use std::mem;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use servers::{Postgres, Server};
use tokio_postgres::{Client, Config, NoTls};

use super::Row;
use super::meter::{COST, per_operation};
use crate::Result;
use crate::cli::Options;
use crate::peers::Streams;

/// The server. Nothing, and a line that says so, where PostgreSQL is not installed.
pub(super) fn server() -> Option<Server<Postgres>> {
    let server = Server::start();
    if server.is_none() {
        eprintln!("compare: postgres is left out: there is no PostgreSQL here");
    }
    server
}

pub(super) fn rows<R: Streams>() -> Vec<Row> {
    let long = "so many connections, each asks for 10,000 rows of a number and a text, over and over; for each row";
    let short = "so many connections, each asks for one row by its number, over and over; for each question";
    let row = |name, title, question: Question, connections| {
        let measure = move |options: &Options| cost::<R>(options, question, connections);
        Row::new(name, title, &COST, measure).with("connections", connections)
    };
    vec![
        row("rows", long, Question::All, 1),
        row("rows", long, Question::All, 4),
        row("questions", short, Question::One, 1),
        row("questions", short, Question::One, 16),
    ]
}

#[derive(Clone, Copy)]
enum Question {
    /// The whole table.
    All,
    /// One row of it.
    One,
}

fn cost<R: Streams>(options: &Options, question: Question, connections: usize) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let opening = async move { R::spawn(clients::<R>(address, connections)).await };
    let clients = runtime.block_on(opening)?;
    // A run takes half a second or so.
    let (times, operations) = match (question, options.smoke) {
        (Question::All, true) => (1, ROWS),
        (Question::All, false) => (50, 50 * ROWS),
        (Question::One, true) => (10, 10),
        (Question::One, false) => (2000, 2000),
    };
    let operations = operations * connections as u64;
    let cost = per_operation(options, operations, 1, |repeats| {
        let clients = clients.clone();
        runtime.block_on(
            async move { R::spawn(ask_all::<R>(clients, question, times * repeats)).await },
        )
    });
    mem::forget(runtime);
    cost
}

/// Connections, and the table, where it is not there yet.
async fn clients<R: Streams>(address: SocketAddr, count: usize) -> Result<Vec<Arc<Client>>> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let (client, connection) = Config::new()
            .user(Postgres::SUPERUSER)
            .password(Postgres::PASSWORD)
            .connect_raw(R::open(address).await?, NoTls)
            .await?;
        R::spawn_detached(async move {
            // Its errors reach the questions.
            let _ = connection.await;
        });
        clients.push(Arc::new(client));
    }
    let table = format!(
        "SET client_min_messages = warning;
         CREATE TABLE IF NOT EXISTS numbers AS
             SELECT id, 'this is number ' || id AS name FROM generate_series(1, {ROWS}) id;
         CREATE UNIQUE INDEX IF NOT EXISTS numbers_id ON numbers (id)"
    );
    clients[0].batch_execute(&table).await?;
    Ok(clients)
}

async fn ask_all<R: Streams>(
    clients: Vec<Arc<Client>>,
    question: Question,
    times: u32,
) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| {
            R::spawn(async move {
                match question {
                    Question::All => ask_for_all(&client, times).await,
                    Question::One => ask_for_one(&client, times).await,
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the server answers");
    }
    start.elapsed()
}

async fn ask_for_all(client: &Client, times: u32) -> Result {
    let statement = client.prepare("SELECT id, name FROM numbers").await?;
    for _ in 0..times {
        let rows = client.query(&statement, &[]).await?;
        let ids = rows.iter().map(|row| i64::from(row.get::<_, i32>(0)));
        let letters = rows.iter().map(|row| row.get::<_, &str>(1).len());
        let sum: i64 = ids.sum();
        assert_eq!(sum as u64, ROWS * (ROWS + 1) / 2, "rows are lost");
        assert!(letters.sum::<usize>() > 0);
    }
    Ok(())
}

async fn ask_for_one(client: &Client, times: u32) -> Result {
    let question = "SELECT name FROM numbers WHERE id = $1";
    let statement = client.prepare(question).await?;
    for time in 0..times {
        let id = (u64::from(time) % ROWS) as i32 + 1;
        let row = client.query_one(&statement, &[&id]).await?;
        assert!(row.get::<_, &str>(0).ends_with(&id.to_string()));
    }
    Ok(())
}

const ROWS: u64 = 10_000;
