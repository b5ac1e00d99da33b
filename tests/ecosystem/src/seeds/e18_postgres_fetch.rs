//! E18 of the articles on asyncio: all rows of a table of a PostgreSQL server.
//!
//! The original prints nothing of what it fetches; this one does, a row a line. The server may be at another port than the original's.
//!
//! `cargo run -p executor-tests-ecosystem --bin seed_e18_postgres_fetch -- [PORT]`

use ecosystem::postgres::{Error, Postgres};
use tokio_postgres::{Config, Row};

async fn fetch_data(port: u16) -> Result<Vec<Row>, Error> {
    let mut server = Config::new();
    server
        .user("postgres")
        .password("password")
        .dbname("testdb")
        .host("127.0.0.1")
        .port(port);
    let conn = Postgres::new(server).connect().await?;
    let values = conn.query("SELECT * FROM my_table", &[]).await?;
    conn.close().await;
    Ok(values)
}

#[executor::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .map_or(Ok(5432), |port| port.parse())?;
    for row in fetch_data(port).await? {
        println!("{:?}", (row.get::<_, i32>(0), row.get::<_, &str>(1)));
    }
    Ok(())
}
