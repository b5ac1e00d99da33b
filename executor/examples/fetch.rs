//! Fetches many pages at once, and prints how large each is and how long it took, in the order in which they were asked for.
//!
//! ```text
//! cargo run -p executor-rt --features hyper --example fetch -- http://example.org/ http://example.com/
//! cargo run -p executor-rt --features hyper --example fetch -- check      fetches from a server of its own
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use executor::net::{TcpListener, TcpStream};
use executor::time::{sleep, timeout};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[executor::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["check"] {
        return check().await;
    }
    fetch_all(&arguments).await;
    Ok(())
}

/// Fetches all pages at once. Returns how many came.
async fn fetch_all(urls: &[String]) -> usize {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for url in urls {
        let url = url.clone();
        tasks.push(executor::spawn(async move {
            let start = Instant::now();
            let page = timeout(LIMIT, fetch(&url)).await;
            (page, start.elapsed())
        }));
    }
    let mut fetched = 0;
    // They run already, so waiting for them in order delays only what is printed.
    for (url, task) in urls.iter().zip(tasks) {
        match task.await {
            Ok((Ok(Ok((status, size))), time)) => {
                fetched += 1;
                println!("{status} {size:9} bytes {time:9.1?}  {url}");
            }
            Ok((Ok(Err(error)), time)) => {
                println!("failed              {time:9.1?}  {url}: {error}")
            }
            Ok((Err(_), time)) => println!("given up            {time:9.1?}  {url}"),
            Err(error) => println!("{url}: {error}"),
        }
    }
    println!(
        "{fetched} of {} pages in {:.1?}",
        urls.len(),
        start.elapsed()
    );
    fetched
}

/// The status of a page, and the size of its body.
async fn fetch(url: &str) -> Result<(StatusCode, usize)> {
    let url: Uri = url.parse()?;
    let host = url.host().ok_or("there is no host in the URL")?;
    if url.scheme_str() != Some("http") {
        return Err("only http:// is spoken here".into());
    }
    // In a URL, but not elsewhere, an IPv6 address stands in brackets.
    let name = host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((name, url.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    // This moves the bytes. It ends with the sender, or with an error, which the sender then reports, too.
    executor::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let host = url.authority().map_or(host, |authority| authority.as_str());
    let request = Request::get(path)
        .header("host", host)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let mut body = response.into_body();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        size += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok((status, size))
}

/// Fetches pages from a server that takes its time: all together should take as long as the slowest.
async fn check() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    executor::spawn(serve(listener));
    let delays = [400, 100, 300, 200, 0, 400, 300, 200];
    let urls = delays.map(|delay| format!("http://{address}/{delay}"));
    let fetched = fetch_all(&urls).await;
    println!(
        "one after the other: at least {} ms; the slowest: 400 ms",
        delays.iter().sum::<u64>()
    );
    if fetched != delays.len() {
        return Err("not every page came".into());
    }
    Ok(())
}

async fn serve(listener: TcpListener) -> Result<Infallible> {
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = hyper::server::conn::http1::Builder::new();
        executor::spawn(connection.serve_connection(stream, service_fn(page)));
    }
}

/// `/300` is a page that takes 300 ms.
async fn page(request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let delay = request.uri().path()[1..].parse()?;
    sleep(Duration::from_millis(delay)).await;
    Ok(Response::new(Full::from(vec![b'x'; 1000 * delay as usize])))
}

/// For each page.
const LIMIT: Duration = Duration::from_secs(10);
