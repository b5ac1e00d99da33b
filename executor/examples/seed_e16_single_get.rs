//! E16 of the articles on asyncio: one page.
//!
//! `cargo run -p executor-rt --features http --example seed_e16_single_get [URL]`

use executor::http::Client;
use executor::http::client::Error;

async fn fetch(session: &Client, url: &str) -> Result<String, Error> {
    let response = session.get(url).await?;
    response.into_body().text().await
}

#[executor::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("http://example.com");
    let session = Client::new();
    let html = fetch(&session, url).await?;
    println!("{html}");
    Ok(())
}
