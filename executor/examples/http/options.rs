//! What the command line says.

use std::error::Error;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

pub(crate) struct Options {
    /// Only serve, and where.
    pub(crate) serve: Option<SocketAddr>,
    /// How long the load lasts, for each number of connections.
    pub(crate) length: Duration,
    pub(crate) connections: Vec<usize>,
    /// Do not look for `wrk`.
    pub(crate) own_client: bool,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            serve: None,
            length: Duration::from_secs(3),
            connections: vec![8, 64, 512],
            own_client: false,
        };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--serve" => {
                    let given = arguments.next_if(|next| !next.starts_with("--"));
                    let address = given.as_deref().unwrap_or("127.0.0.1:8080");
                    options.serve = Some(number(&argument, address)?);
                }
                "--seconds" => {
                    let seconds: u32 = number(&argument, &value(&argument, arguments.next())?)?;
                    options.length = Duration::from_secs(seconds.max(1).into());
                }
                "--connections" => {
                    let list = value(&argument, arguments.next())?;
                    let list = list.split(',').map(|one| number(&argument, one));
                    options.connections = list.collect::<Result<_, _>>()?;
                    if options.connections.contains(&0) {
                        return Err("0 connections are no load".into());
                    }
                }
                "--own-client" => options.own_client = true,
                _ => return Err(format!("unknown argument {argument}\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

fn value(name: &str, value: Option<String>) -> Result<String, String> {
    value.ok_or_else(|| format!("{name} needs a value\n{USAGE}"))
}

fn number<T: FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .map_err(|error| format!("{name} {text}: {error}\n{USAGE}"))
}

const USAGE: &str = "usage: http [--seconds N] [--connections A,B,..] [--own-client]\n       http --serve [ADDRESS:PORT]";
