//! The child process that loads a server: one thread, one epoll, none of the runtimes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Instant;

use mio::{Poll, Registry, Token};

use super::client::{Client, Connecting, Connection, Datagrams, Says};
use super::seen::LOAD;
use super::{Service, closed, open};
use crate::Result;
use crate::cli::Options;
use crate::process::{Usage, more_descriptors};

/// Loads the server at `--port` for `--seconds`. Prints a line when everything is open, waits for one, and prints what came of it as a
/// line of JSON. It keeps its connections open until the standard input ends.
pub(crate) fn load_child(options: &Options) -> Result {
    more_descriptors()?;
    let server: SocketAddr = (Ipv4Addr::LOCALHOST, options.port).into();
    match options.service {
        Service::Hyper | Service::Limited | Service::Raw => run(options, |registry, token| {
            Connection::open(server, Says::HTTP, registry, token)
        }),
        Service::Echo | Service::Idle => run(options, |registry, token| {
            Connection::open(server, Says::ECHO, registry, token)
        }),
        Service::Connect => run(options, |registry, token| {
            Ok(Connecting::new(server, registry.clone(), token))
        }),
        Service::Udp => run(options, |registry, token| {
            Ok(Datagrams::open(server, registry, token)?)
        }),
    }
}

fn run<C: Client>(options: &Options, new: impl Fn(&Rc<Registry>, Token) -> Result<C>) -> Result {
    let [connections] = options.connections[..] else {
        return Err("a load has one number of connections".into());
    };
    let mut poll = Poll::new()?;
    let registry = Rc::new(poll.registry().try_clone()?);
    let mut clients = Vec::with_capacity(connections);
    for index in 0..connections {
        clients.push(new(&registry, Token(index))?);
    }
    println!("ready");
    wait()?;
    let (start, before) = (Instant::now(), Usage::of_this_process()?);
    let seen = match options.rate {
        None => closed::load(&mut poll, &mut clients, options.length)?,
        Some(rate) => open::load(&mut poll, &mut clients, options.length, rate)?,
    };
    let used = Usage::of_this_process()?.since(before);
    let part = (used.user + used.system).as_secs_f64() / start.elapsed().as_secs_f64();
    let mut line = seen.line();
    line[LOAD] = (100.0 * part).into();
    println!("{line}");
    wait()
}

/// For a line of the standard input, or its end.
fn wait() -> Result {
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
