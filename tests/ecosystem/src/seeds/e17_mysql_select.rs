//! E17 of the articles on asyncio: one query of a MySQL server.
//!
//! The driver blocks, so what it does is a closure; a row is a tuple, printed as Python does. The server may be at another port than the original's.
//!
//! `cargo run -p executor-tests-ecosystem --bin seed_e17_mysql_select -- [PORT]`

use ecosystem::mysql::Mysql;
use mysql::OptsBuilder;
use mysql::prelude::Queryable;

async fn fetch_data(port: u16) -> mysql::Result<()> {
    let server = OptsBuilder::new()
        .ip_or_hostname(Some("127.0.0.1"))
        .tcp_port(port)
        .user(Some("root"))
        .pass(Some(""))
        .db_name(Some("test"));
    let conn = Mysql::new(server).connect().await?;
    let result: Option<(i64,)> = conn.run(|cur| cur.query_first("SELECT 42;")).await?;
    if let Some(row) = result {
        println!("{row:?}");
    }
    conn.close().await;
    Ok(())
}

#[executor::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .map_or(Ok(3306), |port| port.parse())?;
    Ok(fetch_data(port).await?)
}
