//! The articles' programs that fetch pages, against live servers: what they print, to the last byte.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::{Command, Output};

use executor::http::{ServerBuilder, serve};
use executor::net::{Server, TcpListener};
use executor::task::spawn_blocking;
use executor::tls::TlsAcceptor;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};

use crate::run;
use crate::web::certified;

const FETCH_URLS: &str = env!("CARGO_BIN_EXE_seed_e03_fetch_urls");
const SINGLE_GET: &str = env!("CARGO_BIN_EXE_seed_e16_single_get");
const SCRAPE_ALL: &str = env!("CARGO_BIN_EXE_seed_e22_scrape_all");
const FETCH_PAGE: &str = env!("CARGO_BIN_EXE_seed_e27_fetch_page");

/// Pages of fixed sizes, and one that is not there.
async fn page(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let body = match request.uri().path() {
        "/" => "<h1>It's here</h1>\n".to_owned(),
        "/page1" => "a".repeat(1256),
        // Characters are counted, not bytes.
        "/page2" => "\u{e9}\u{20ac}".repeat(500),
        "/page3" => String::new(),
        path => {
            let mut missing = Response::new(format!("no {path}"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return Ok(missing);
        }
    };
    Ok(Response::new(body))
}

async fn site() -> Server<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, service_fn(page))
}

fn url(server: &Server<SocketAddr>, path: &str) -> String {
    format!("http://{}/{path}", server.local_addr().unwrap())
}

/// Runs a program, which may take as long as the test.
async fn output(
    program: &'static str,
    environment: &[(&'static str, &str)],
    urls: &[&str],
) -> Output {
    let mut command = Command::new(program);
    command.args(urls).envs(environment.iter().copied());
    spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

#[track_caller]
fn printed(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn e03_prints_what_two_servers_have() {
    run(async {
        let (one, other) = (site().await, site().await);
        let urls = [&*url(&one, ""), &url(&other, "missing")];
        let expected = "['<h1>It's here</h1>\\n', 'no /missing']\n";
        assert_eq!(printed(output(FETCH_URLS, &[], &urls).await), expected);
        assert_eq!((one.report().accepted, other.report().accepted), (1, 1));
    });
}

#[test]
fn e03_ends_with_the_first_error() {
    run(async {
        let site = site().await;
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}/", unused.local_addr().unwrap());
        drop(unused);
        let output = output(FETCH_URLS, &[], &[&url(&site, ""), &nobody]).await;
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("Connection refused"), "{error}");
        assert!(output.stdout.is_empty());
    });
}

#[test]
fn e16_prints_a_page() {
    run(async {
        let site = site().await;
        let output = output(SINGLE_GET, &[], &[&url(&site, "")]).await;
        assert_eq!(printed(output), "<h1>It's here</h1>\n\n");
    });
}

#[test]
fn e22_prints_the_sizes_of_pages() {
    run(async {
        let site = site().await;
        let urls = ["page1", "page2", "page3"].map(|path| url(&site, path));
        let output = output(SCRAPE_ALL, &[], &urls.each_ref().map(|url| &**url)).await;
        let expected = "Page 1 content size: 1256 characters\n\
                        Page 2 content size: 1000 characters\n\
                        Page 3 content size: 0 characters\n";
        assert_eq!(printed(output), expected);
    });
}

#[test]
fn e27_prints_a_page_over_tls_and_refuses_who_is_not_trusted() {
    run(async {
        let certified = certified();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (chain, key) = (certified.chain.as_bytes(), certified.key.as_bytes());
        let acceptor = TlsAcceptor::from_pem(chain, key).unwrap();
        let server = ServerBuilder::new().tls(acceptor);
        let server = server.serve(listener, service_fn(page));
        let port = server.local_addr().unwrap().port();
        let url = format!("https://localhost:{port}/");

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("authority.pem");
        std::fs::write(&file, &certified.root).unwrap();
        let trust = [("SSL_CERT_FILE", file.to_str().unwrap())];
        let trusted = output(FETCH_PAGE, &trust, &[&url]).await;
        assert_eq!(printed(trusted), "<h1>It's here</h1>\n\n");

        let other = crate::web::certified();
        std::fs::write(&file, other.root).unwrap();
        let refused = output(FETCH_PAGE, &trust, &[&url]).await;
        assert_eq!(refused.status.code(), Some(1));
        let error = String::from_utf8(refused.stderr).unwrap();
        // `main` shows its error in the form for programmers.
        assert!(error.contains("InvalidCertificate"), "{error}");
    });
}
