//! E03 of the articles on asyncio: two pages that are fetched at the same time, and printed in order.
//!
//! Nothing but the quotes differs, see `seed_e09_other_work`; and a page that fails ends the program with its error, not with a traceback. The
//! original's session has no time limit of its own making: aiohttp's is five minutes, and so is this client's.
//!
//! `cargo run -p executor-rt --features http --example seed_e03_fetch_urls [URL..]`

use executor::http::Client;
use executor::task::{running, try_gather};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

async fn fetch_url(session: Client, url: String) -> Result<String> {
    let response = session.get(url).await?;
    Ok(response.into_body().text().await?)
}

#[executor::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let urls = arguments_or(["http://example1.com", "http://example2.com"]);
    let session = Client::new();
    let tasks: Vec<_> = urls
        .into_iter()
        .map(|url| executor::spawn(fetch_url(session.clone(), url)))
        .collect();
    let results = try_gather(running(tasks)).await?;
    println!("{}", shown(&results));
    Ok(())
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").replace('"', "'")
}

fn arguments_or<const N: usize>(urls: [&str; N]) -> Vec<String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.is_empty() {
        true => urls.map(str::to_owned).into(),
        false => arguments,
    }
}
