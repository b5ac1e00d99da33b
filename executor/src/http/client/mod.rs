//! A client that keeps its connections, and limits how many requests there are at a time and how long each may take.
//!
//! ```no_run
//! # async fn example() -> Result<(), executor::http::client::Error> {
//! use executor::http::Client;
//!
//! let client = Client::new();
//! let response = client.get("http://example.org/").await?;
//! println!("{}", response.status());
//! println!("{}", response.into_body().text().await?);
//! # Ok(())
//! # }
//! ```
//!
//! It does HTTP/1.1, and with the feature `tls` `https://` URLs, over HTTP/2 where the server wants that. It does one request at a time and
//! leaves policy to others: it follows no redirects, keeps no cookies, decompresses nothing and knows no proxies. [`Client`] is a
//! tower service, so layers that do such things can be put around it.
//!
//! | file | concept |
//! |---|---|
//! | `handle` | `Client`: a request, and when it is made once more |
//! | `builder` | limits and timeouts |
//! | `pool` | places for requests, and connections that wait for the next |
//! | `connection` | how a connection is made, and what goes over it |
//! | `tls` | whom an `https://` URL's server has to convince |
//! | `body` | what is sent and what is received |
//! | `origin` | whom a URL speaks of |
//! | `error` | what can go wrong |

mod body;
mod builder;
mod connection;
mod error;
mod handle;
mod origin;
mod pool;
#[cfg(feature = "tls")]
mod tls;

pub use body::Body;
pub use builder::ClientBuilder;
pub use error::Error;
pub use handle::Client;
