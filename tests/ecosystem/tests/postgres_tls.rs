//! PostgreSQL over TLS, against a real server with a certificate of an authority of the test's own.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};

use ecosystem::pool::Pool;
use ecosystem::postgres::{Error, Postgres};
use executor::tls::{TlsConnector, roots_from_pem};
use servers::Server;
use tokio_postgres::Config;
use tokio_postgres::config::ChannelBinding;

use crate::postgres::{one, polled_until};
use crate::run;
use crate::web::certified;

/// A server with TLS.
struct Encrypted {
    server: Server<servers::Postgres>,
    /// The authority that the client trusts.
    root: String,
}

impl Encrypted {
    fn config(&self) -> Config {
        self.server.config().parse().unwrap()
    }

    fn connector(&self) -> TlsConnector {
        TlsConnector::with_roots(roots_from_pem(self.root.as_bytes()).unwrap())
    }

    fn postgres(&self) -> Postgres {
        Postgres::with_tls(self.config(), self.connector())
    }
}

/// Runs a test against a server of its own.
fn with_encrypted<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(Encrypted) -> F + Send + 'static,
) {
    if let Some(mut server) = Server::<servers::Postgres>::start() {
        let by = certified();
        server.restart_with_tls(&by.chain, &by.key);
        let root = by.root;
        run(test(Encrypted { server, root }));
    }
}

#[test]
fn questions_and_their_cancellations_are_encrypted() {
    with_encrypted(|server| async move {
        let postgres = server.postgres();
        let connection = postgres.connect().await.unwrap();
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let encrypted = connection.query_one(encrypted, &[]).await.unwrap();
        assert!(encrypted.get::<_, bool>(0));

        // From here on the server talks to nobody without.
        let rules = server.server.directory().join("data/pg_hba.conf");
        std::fs::write(rules, "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
        connection
            .execute("SELECT pg_reload_conf()", &[])
            .await
            .unwrap();
        let plain = Postgres::new(server.config());
        while plain.connect().await.is_ok() {}

        let pool = Pool::builder(postgres).max_size(1).build();
        let asking = pool.acquire().await.unwrap();
        let process = one(&asking, "SELECT pg_backend_pid()").await;
        let active = format!(
            "SELECT count(*)::int FROM pg_stat_activity WHERE pid = {process} AND state = 'active'"
        );
        let query = asking.cancel_on_drop(asking.batch_execute("SELECT pg_sleep(600)"));
        polled_until(query, || async { one(&connection, &active).await == 1 }).await;
        while one(&connection, &active).await == 1 {}
        // More than fits into a record of TLS.
        let long = "SELECT repeat('x', 1000000)";
        let long = connection.query_one(long, &[]).await.unwrap();
        assert_eq!(long.get::<_, &str>(0).len(), 1_000_000);
    });
}

#[test]
fn the_password_is_bound_to_the_servers_certificate() {
    with_encrypted(|server| async move {
        let mut bound = server.config();
        bound.channel_binding(ChannelBinding::Require);
        let postgres = Postgres::with_tls(bound.clone(), server.connector());
        let connection = postgres.connect().await.unwrap();
        assert_eq!(one(&connection, "SELECT 7").await, 7);
        // Without TLS there is nothing to bind it to.
        Postgres::new(bound).connect().await.unwrap_err();
    });
}

#[test]
fn a_server_is_refused_whose_authority_is_a_strangers_or_whose_name_is_anothers() {
    with_encrypted(|server| async move {
        let stranger = roots_from_pem(certified().root.as_bytes()).unwrap();
        let stranger = TlsConnector::with_roots(stranger);
        let refused = Postgres::with_tls(server.config(), stranger)
            .connect()
            .await;
        assert_eq!(tls_error(refused).kind(), ErrorKind::InvalidData);

        // The same address by a name that the certificate has not.
        let mut named = Config::new();
        named
            .host("db.example")
            .hostaddr(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .port(server.server.port())
            .user(servers::Postgres::SUPERUSER)
            .password(servers::Postgres::PASSWORD);
        let refused = Postgres::with_tls(named.clone(), server.connector())
            .connect()
            .await;
        let error = tls_error(refused);
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("db.example"), "{error}");
        let listening = Postgres::with_tls(named, server.connector()).listen().await;
        tls_error(listening);
    });
}

#[test]
fn a_server_without_tls_is_refused_and_a_unix_socket_has_none() {
    let Some(server) = Server::<servers::Postgres>::shared() else {
        return;
    };
    run({
        let server = server.clone();
        async move {
            let connector = || {
                let root = certified().root;
                TlsConnector::with_roots(roots_from_pem(root.as_bytes()).unwrap())
            };
            let config: Config = server.config().parse().unwrap();
            let refused = Postgres::with_tls(config.clone(), connector())
                .connect()
                .await;
            let Err(Error::Postgres(error)) = refused else {
                panic!("{refused:?}");
            };
            let why = std::error::Error::source(&error).unwrap().to_string();
            assert_eq!(why, "server does not support TLS");

            let mut near = Config::new();
            near.host_path(server.directory())
                .port(server.port())
                .user(servers::Postgres::SUPERUSER)
                .password(servers::Postgres::PASSWORD);
            let connection = Postgres::with_tls(near, connector())
                .connect()
                .await
                .unwrap();
            let watcher = Postgres::new(config).connect().await.unwrap();
            let slow = "SELECT pg_sleep(600) AS near";
            let active = format!(
                "SELECT count(*)::int FROM pg_stat_activity WHERE query = '{slow}' AND state = 'active'"
            );
            let query = connection.cancel_on_drop(connection.batch_execute(slow));
            polled_until(query, || async { one(&watcher, &active).await == 1 }).await;
            while one(&watcher, &active).await == 1 {}
        }
    });
    drop(server);
}

/// What went wrong in the handshake.
#[track_caller]
fn tls_error<T: std::fmt::Debug>(refused: Result<T, Error>) -> io::Error {
    let Err(Error::Postgres(error)) = refused else {
        panic!("{refused:?}");
    };
    let source = error.into_source().expect("the handshake has failed");
    *source
        .downcast::<io::Error>()
        .expect("the handshake has failed")
}
