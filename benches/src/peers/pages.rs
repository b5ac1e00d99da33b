//! Clients of HTTP that keep their connections, and make no more than so many requests at a time.

use std::future::Future;
use std::sync::Arc;

use super::{Runtime, Tokio};
use crate::Result;

/// A runtime with such a client. Called inside of it only.
pub(crate) trait Pages: Runtime {
    /// Clones share connections and limit.
    type Client: Clone + Send + Sync + 'static;

    /// All requests are to one host.
    fn client(limit: usize) -> Result<Self::Client>;

    /// What is there, which is text.
    fn page(client: &Self::Client, url: &str) -> impl Future<Output = Result<String>> + Send;
}

#[cfg(feature = "sockets")]
impl Pages for super::Executor {
    type Client = executor::http::Client;

    fn client(limit: usize) -> Result<Self::Client> {
        let builder = executor::http::Client::builder();
        Ok(builder.limit_per_host(limit).build())
    }

    async fn page(client: &Self::Client, url: &str) -> Result<String> {
        Ok(client.get(url).await?.into_body().text().await?)
    }
}

/// The client reqwest has no such limit; a semaphore around it is what its users take.
impl<const SETTINGS: u8> Pages for Tokio<SETTINGS> {
    type Client = (reqwest::Client, Arc<tokio::sync::Semaphore>);

    fn client(limit: usize) -> Result<Self::Client> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok((client, Arc::new(tokio::sync::Semaphore::new(limit))))
    }

    async fn page((client, places): &Self::Client, url: &str) -> Result<String> {
        let _place = places.acquire().await?;
        Ok(client.get(url).send().await?.text().await?)
    }
}
