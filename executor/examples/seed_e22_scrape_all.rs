//! E22 of the articles on asyncio: pages that are fetched at the same time, and how long each is.
//!
//! `cargo run -p executor-rt --features http --example seed_e22_scrape_all [URL..]`

use executor::http::Client;
use executor::task::try_gather;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

async fn fetch(session: Client, url: String) -> Result<String> {
    let response = session.get(url).await?;
    Ok(response.into_body().text().await?)
}

async fn scrape_all(urls: Vec<String>) -> Result<Vec<String>> {
    let session = Client::new();
    let mut tasks = Vec::new();
    for url in urls {
        tasks.push(fetch(session.clone(), url));
    }
    try_gather(tasks).await
}

#[executor::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let urls = arguments_or([
        "http://example.com/page1",
        "http://example.com/page2",
        "http://example.com/page3",
    ]);
    let results = scrape_all(urls).await?;
    for (i, result) in (1..).zip(&results) {
        println!(
            "Page {i} content size: {} characters",
            result.chars().count()
        );
    }
    Ok(())
}

fn arguments_or<const N: usize>(urls: [&str; N]) -> Vec<String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.is_empty() {
        true => urls.map(str::to_owned).into(),
        false => arguments,
    }
}
