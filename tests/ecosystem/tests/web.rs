//! What the tests of web servers have in common: an authority for certificates, curl and node, requests, a process of its own for what is counted.

use std::convert::Infallible;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use bytes::Bytes;
use executor::net::{Server, TcpListener, TcpStream};
use executor::runtime::Builder;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::PATIENCE;

/// On a port that the system chooses.
pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap()
}

/// An authority that nobody else knows, and a certificate by it for `localhost` and `127.0.0.1`. All as PEM.
pub(crate) struct Certified {
    pub(crate) root: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

pub(crate) fn certified() -> Certified {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "an authority of this test");
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);

    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let params = CertificateParams::new(names).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Certified {
        root: pem("CERTIFICATE", root.der()),
        chain: pem("CERTIFICATE", certificate.der()),
        key: pem("PRIVATE KEY", &key.serialize_der()),
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at| three.get(at).copied().unwrap_or(0);
        let all = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for digit in 0..4 {
            let index = (all >> (18 - 6 * digit)) & 63;
            let is_padding = digit > three.len();
            text.push(if is_padding {
                '='
            } else {
                char::from(DIGITS[index as usize])
            });
        }
    }
    text
}

/// A file with this content, and the directory that it goes with.
pub(crate) fn file(name: &str, content: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    (directory, path)
}

/// Whether a program is there that can do this. If not, the test is to do nothing, which this says; or it fails, where `EXECUTOR_TEST_TOOLS=required` says that it is.
pub(crate) fn has(command: &[&str]) -> bool {
    let (program, arguments) = command.split_first().unwrap();
    let found = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        let required = env::var("EXECUTOR_TEST_TOOLS").is_ok_and(|tools| tools == "required");
        let message = format!("`{}` does not work here", command.join(" "));
        assert!(!required, "{message}");
        eprintln!("SKIPPED: {message}");
    }
    found
}

pub(crate) const CURL: [&str; 2] = ["curl", "--version"];

/// What curl prints, or what it says on standard error.
pub(crate) async fn curl(arguments: &[&str]) -> Result<String, String> {
    let output = executor::process::Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20"])
        .args(arguments)
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// A service that says what was asked for, by which version of HTTP.
pub(crate) async fn says(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = format!("{:?} {}", request.version(), request.uri().path());
    Ok(Response::new(Full::new(text.into())))
}

pub(crate) type Sender = http1::SendRequest<Empty<Bytes>>;

/// A client on a connection of its own, which stays until the client is dropped.
pub(crate) async fn client(stream: TcpStream) -> Sender {
    let (sender, connection) = http1::handshake(stream).await.unwrap();
    executor::spawn(connection);
    sender
}

pub(crate) async fn get(sender: &mut Sender, path: &str) -> hyper::Result<(Response<()>, Bytes)> {
    sender.ready().await?;
    let request = Request::get(path).header("host", "localhost");
    let response = sender
        .send_request(request.body(Empty::new()).unwrap())
        .await?;
    let (head, body) = response.into_parts();
    Ok((
        Response::from_parts(head, ()),
        body.collect().await?.to_bytes(),
    ))
}

/// Runs a future under a clock that stands still while anything happens, and jumps when all tasks wait.
pub(crate) fn paused(future: impl Future<Output = ()> + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = Builder::new_current_thread().start_paused(true).build();
        runtime.unwrap().block_on(future);
        let _ = done.send(());
    });
    let waited = is_done.recv_timeout(PATIENCE);
    assert!(waited != Err(RecvTimeoutError::Timeout), "it hangs");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `body` in a new process, in which nothing else happens. `test` is the full name of the calling test.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if env::var(MARK).is_ok_and(|mark| mark == test) {
        return body();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(MARK, test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(
        text.contains("1 passed"),
        "the name of the test is wrong: {text}"
    );
    print!("{text}");
}

const MARK: &str = "EXECUTOR_TEST_ALONE";

/// The memory that this process has, in KiB.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// How many connections this process may have both ends of, up to `wanted`: all the descriptors that it may ask for, less what else it needs.
pub(crate) fn room_for(wanted: usize) -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure outlives the call.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: as above.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((got, set), (0, 0));
    let room = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
    wanted.min((room - 100) / 2)
}
