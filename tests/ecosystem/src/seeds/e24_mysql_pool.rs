//! E24 of the articles on asyncio: two queries of a MySQL server, side by side on a pool of connections.
//!
//! The original prints tuples of tuples, this one lists of them. The server may be at another port than the original's, and know another user.
//!
//! `cargo run -p executor-tests-ecosystem --bin seed_e24_mysql_pool -- [PORT [USER]]`

use std::error::Error;

use ecosystem::mysql::Mysql;
use ecosystem::pool::Pool;
use executor::task::try_gather;
use mysql::OptsBuilder;
use mysql::prelude::Queryable;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

async fn fetch_data(pool: Pool<Mysql>, query: &'static str) -> Result<Vec<(i64, String)>> {
    let conn = pool.acquire().await?;
    let result = conn.run(move |cur| cur.query(query)).await?;
    Ok(result)
}

#[executor::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(3306), |port| port.parse())?;
    let user = arguments.next().unwrap_or("root".to_owned());
    let server = OptsBuilder::new()
        .ip_or_hostname(Some("127.0.0.1"))
        .tcp_port(port)
        .user(Some(user))
        .pass(Some("passwd"))
        .db_name(Some("db"));
    let pool = Pool::new(Mysql::new(server));

    let queries = ["SELECT * FROM table1", "SELECT * FROM table2"];
    let tasks = queries.map(|query| fetch_data(pool.clone(), query));
    let results = try_gather(tasks).await?;
    for result in results {
        println!("{result:?}");
    }

    pool.close();
    pool.wait_closed().await;
    Ok(())
}
