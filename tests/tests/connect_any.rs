//! Several addresses of one host: who answers first wins, and when nobody does the error says what was wrong with each.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use executor::net::tcp::ConnectError;
use executor::net::{TcpListener, TcpStream};
use executor::runtime::is_rt_shutdown_err;
use executor::time::Instant;

use crate::support::{
    Dead, block_on, child, each_runtime, fds, kind, paused, poll_once, refusing_address, until,
    within, workers,
};

#[test]
fn an_address_that_does_not_answer_costs_a_quarter_of_a_second() {
    within(60, || {
        paused().block_on(async {
            let dead = [Dead::new(), Dead::new()];
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let start = Instant::now();
            let addresses = [dead[0].address, dead[1].address, good];
            let stream = TcpStream::connect_any(&addresses[..]).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), good);
            assert_eq!(start.elapsed(), Duration::from_millis(500));

            let start = Instant::now();
            let delay = Duration::from_secs(7);
            let stream = TcpStream::connect_any_with_delay(&addresses[1..], delay).await;
            assert_eq!(stream.unwrap().peer_addr().unwrap(), good);
            assert_eq!(start.elapsed(), delay);
        });
    });
}

#[test]
fn a_delay_of_any_length_only_has_the_next_address_wait_until_the_one_before_has_failed() {
    within(30, || {
        paused().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let addresses = [refusing_address(), good];
            let start = Instant::now();
            let stream = TcpStream::connect_any_with_delay(&addresses[..], Duration::MAX).await;
            assert_eq!(stream.unwrap().peer_addr().unwrap(), good);
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn an_address_that_refuses_costs_nothing() {
    within(30, || {
        paused().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let addresses = [refusing_address(), refusing_address(), good];
            let start = Instant::now();
            let stream = TcpStream::connect_any(&addresses[..]).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), good);
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn only_the_failure_of_the_newest_attempt_lets_the_next_begin() {
    within(60, || {
        paused().block_on(async {
            let dead = Dead::new();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let addresses = [dead.address, refusing_address(), good];
            let start = Instant::now();
            TcpStream::connect_any(&addresses[..]).await.unwrap();
            // The second begins when the first has been alone for long enough; it fails, and the third begins at once.
            assert_eq!(start.elapsed(), Duration::from_millis(250));
        });
    });
}

#[test]
fn when_all_fail_each_attempt_is_told_of_and_the_families_take_turns() {
    within(30, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let four = [(); 3].map(|()| refusing_address());
                // Refused, or not even reachable where there is no IPv6.
                let six = [1, 2].map(|port| SocketAddr::new("::1".parse().unwrap(), port));
                let addresses = [four[0], four[1], four[2], six[0], six[1]];
                let error = TcpStream::connect_any(&addresses[..]).await.unwrap_err();
                let all = ConnectError::of(&error).unwrap();
                let tried: Vec<_> = all.attempts().iter().map(|(address, _)| *address).collect();
                assert_eq!(tried, [four[0], six[0], four[1], six[1], four[2]]);
                for (address, error) in all.attempts() {
                    if address.is_ipv4() {
                        assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
                    }
                }
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                for address in addresses {
                    assert!(error.to_string().contains(&address.to_string()), "{error}");
                }
            });
        });
    });
}

#[test]
fn names_are_looked_up_and_a_list_may_be_empty() {
    within(30, || {
        workers(2).block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let good = listener.local_addr().unwrap();
            let stream = TcpStream::connect_any(("localhost", good.port())).await;
            assert_eq!(stream.unwrap().peer_addr().unwrap(), good);

            let none: &[SocketAddr] = &[];
            let result = TcpStream::connect_any(none).await;
            assert_eq!(kind(result), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn attempts_that_have_lost_or_are_given_up_leave_no_descriptors() {
    let test = "connect_any::attempts_that_have_lost_or_are_given_up_leave_no_descriptors";
    child(test, || {
        let before = fds();
        let runtime = workers(2);
        runtime.block_on(async {
            let dead = Dead::new();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let open = fds();
            let addresses = [dead.address, listener.local_addr().unwrap()];
            let stream = TcpStream::connect_any_with_delay(&addresses[..], Duration::ZERO).await;
            let _accepted = listener.accept().await.unwrap();
            assert_eq!(fds(), open + 2, "the connection's two ends");
            drop(stream.unwrap());

            let mut given_up = Box::pin(TcpStream::connect_any(&addresses[..1]));
            assert!(poll_once(given_up.as_mut()).is_pending());
        });
        drop(runtime);
        until(|| fds() == before);
    });
}

#[test]
fn a_runtime_that_has_ended_says_so() {
    within(30, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let result = block_on(TcpStream::connect_any(refusing_address()));
        assert!(is_rt_shutdown_err(&result.unwrap_err()));
    });
}
