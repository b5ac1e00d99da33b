//! `wrk`: runs it, and reads what it prints.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::load::Requests;

pub(crate) fn is_installed() -> bool {
    let mut command = Command::new("wrk");
    let version = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    !version.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Blocks until it has ended.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    length: Duration,
) -> Result<Requests, String> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--latency", "--timeout", "10s"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", length.as_secs())])
        .arg(format!("http://{address}/"))
        .output()
        .map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk: {}\n{text}{errors}", output.status));
    }
    // Printed only if there were any.
    if text.contains("Socket errors:") || text.contains("Non-2xx") {
        return Err(format!("wrk saw errors:\n{text}"));
    }
    parse(&text).ok_or_else(|| format!("wrk printed something unknown:\n{text}"))
}

/// ```text
///   Thread Stats   Avg      Stdev     Max   +/- Stdev
///     Latency   635.91us    0.89ms  12.92ms   93.69%
///   Latency Distribution
///      50%  250.00us
///   22464657 requests in 30.00s, 17.76GB read
/// Requests/sec: 748868.53
/// ```
fn parse(text: &str) -> Option<Requests> {
    // The word behind the first words of a line.
    let find = |start: &[&str], index: usize| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            start
                .iter()
                .all(|&word| words.next() == Some(word))
                .then(|| words.nth(index))?
        })
    };
    let number = text.lines().find(|line| line.contains(" requests in "))?;
    Some(Requests {
        number: number.split_whitespace().next()?.parse().ok()?,
        per_second: find(&["Requests/sec:"], 0)?.parse().ok()?,
        p50: duration(find(&["50%"], 0)?)?,
        p90: duration(find(&["90%"], 0)?)?,
        p99: duration(find(&["99%"], 0)?)?,
        max: duration(find(&["Latency"], 2).filter(|word| *word != "+/-")?)?,
    })
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let value: f64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(value * seconds))
}
