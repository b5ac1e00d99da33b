//! Pages of a server that takes its time for each, fetched so many at a time: what a client's pool and its limit cost.
//!
//! The server is in the process that runs the rounds. It says in each page how many are under way, so that a client which keeps no limit is found out.

use std::mem;
use std::time::{Duration, Instant};

use super::Row;
use crate::Result;
use crate::cli::Options;
use crate::peers::Pages;
use crate::process::Usage;

pub(super) fn rows<R: Pages>() -> Vec<Row> {
    let title = "200 pages that take 50 ms each, at most so many at a time: by a new client, and by it again when it has connections. \
                 200 ms would be perfect";
    let row = Row::new("pages", title, &METRICS, pages::<R>);
    vec![row.with("limit", LIMIT)]
}

const METRICS: [&str; 4] = ["ms", "ms again", "CPU us/page", "most at a time"];

fn pages<R: Pages>(options: &Options) -> Result<Vec<f64>> {
    let runtime = R::start(options.workers)?;
    let url = format!("http://127.0.0.1:{}/", options.port);
    let client = runtime.block_on(async { R::client(LIMIT) })?;
    let before = Usage::of_this_process()?;
    let all = || {
        let fetching = all::<R>(client.clone(), url.clone());
        runtime.block_on(async { R::spawn(fetching).await })
    };
    let (first, most) = all()?;
    let (again, most_again) = all()?;
    let used = Usage::of_this_process()?.since(before);
    mem::forget(runtime);
    Ok(vec![
        first.as_secs_f64() * 1000.0,
        again.as_secs_f64() * 1000.0,
        (used.user + used.system).as_secs_f64() * 1e6 / (2 * PAGES) as f64,
        most.max(most_again) as f64,
    ])
}

/// How long it takes to fetch them all, each in a task of its own, and how many the server had at a time.
async fn all<R: Pages>(client: R::Client, url: String) -> Result<(Duration, usize)> {
    let start = Instant::now();
    let fetch = |_| {
        let (client, url) = (client.clone(), url.clone());
        R::spawn(async move { R::page(&client, &url).await })
    };
    let tasks: Vec<_> = (0..PAGES).map(fetch).collect();
    let mut most = 0;
    for task in tasks {
        most = most.max(task.await?.parse()?);
    }
    let took = start.elapsed();
    match most {
        0..=LIMIT => Ok((took, most)),
        _ => Err(format!("{most} pages at a time, and not {LIMIT}").into()),
    }
}

#[cfg(feature = "sockets")]
pub(super) use server::Server;

#[cfg(feature = "sockets")]
mod server {
    //! The pages, by our server.

    use std::convert::Infallible;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use executor::net::TcpListener;
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper::{Request, Response};

    use crate::Result;
    use crate::cli::Options;
    use crate::peers::{Executor, Runtime};

    /// It serves until it is dropped.
    pub(crate) struct Server {
        port: u16,
        _runtime: Executor,
    }

    impl Server {
        pub(crate) fn start(options: &Options) -> Result<Self> {
            let runtime = Executor::start(options.workers)?;
            let port = runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let port = listener.local_addr()?.port();
                let server = executor::http::serve(listener, service_fn(page));
                executor::spawn(async move { server.serve_forever().await });
                Result::Ok(port)
            })?;
            let _runtime = runtime;
            Ok(Self { port, _runtime })
        }

        pub(crate) fn port(&self) -> u16 {
            self.port
        }
    }

    /// How many pages are under way, this one included.
    async fn page(_: Request<Incoming>) -> std::result::Result<Response<String>, Infallible> {
        // Relaxed: only the number matters.
        let now = UNDER_WAY.fetch_add(1, Relaxed) + 1;
        executor::time::sleep(Duration::from_millis(50)).await;
        UNDER_WAY.fetch_sub(1, Relaxed);
        Ok(Response::new(now.to_string()))
    }

    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
}

const PAGES: usize = 200;
const LIMIT: usize = 50;
