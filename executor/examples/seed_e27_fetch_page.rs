//! E27 of the articles on asyncio: one page over TLS.
//!
//! Whom to trust the system knows, or the file that the variable `SSL_CERT_FILE` names.
//!
//! `cargo run -p executor-rt --features http,tls --example seed_e27_fetch_page [URL]`

use executor::http::Client;
use executor::http::client::Error;

async fn fetch_page(url: &str) -> Result<String, Error> {
    let session = Client::new();
    let response = session.get(url).await?;
    response.into_body().text().await
}

// Run the main coroutine
#[executor::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("https://example.com");
    let html = fetch_page(url).await?;
    println!("{html}");
    Ok(())
}
