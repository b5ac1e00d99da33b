//! `Queue`: jobs in a stream of Redis, of which a group of consumers takes each once, and again if it is not acknowledged.
//!
//! ```text
//!   add ─▶ XADD ─▶ jobs ─▶ take ─▶ with a worker ─▶ done ─▶ results, and gone from the stream
//!                                    ▲    │ its worker has gone
//!                                    └────┘ take_over
//! ```

use std::time::Duration;

use executor::net::TcpStream;
use executor::task::JoinHandle;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimOptions, StreamId, StreamReadOptions};
use redis::{
    AsyncConnectionConfig, AsyncTypedCommands, ErrorKind, RedisConnectionInfo, RedisResult, pipe,
};

/// Clones share the connection.
#[derive(Clone)]
pub(crate) struct Queue {
    connection: MultiplexedConnection,
    /// Where the next look for abandoned jobs begins.
    cursor: String,
}

pub(crate) struct Job {
    id: String,
    pub(crate) text: String,
}

impl Queue {
    /// Connects, and makes the group if there is none. The task ends with the connection.
    pub(crate) async fn connect(address: &str) -> RedisResult<(Self, JoinHandle<()>)> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Its time limits are tokio's or smol's; ours are where they are needed.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let info = RedisConnectionInfo::default();
        let (mut connection, driver) =
            MultiplexedConnection::new_with_config(&info, stream, config).await?;
        let driver = executor::spawn(driver);
        let made = connection.xgroup_create_mkstream(JOBS, GROUP, "0").await;
        if made.as_ref().is_err_and(|e| e.code() != Some("BUSYGROUP")) {
            made?;
        }
        let cursor = START.to_owned();
        Ok((Self { connection, cursor }, driver))
    }

    /// Once this has returned the job is in Redis, and nobody but Redis can lose it.
    pub(crate) async fn add(&mut self, text: &str) -> RedisResult<String> {
        let id = self.connection.xadd(JOBS, "*", &[(TEXT, text)]).await?;
        id.ok_or_else(|| (ErrorKind::Client, "the stream has gone").into())
    }

    /// Up to `count` jobs that nobody has had. They are this worker's from now on. Empty if none came for so long.
    pub(crate) async fn take(
        &mut self,
        worker: &str,
        count: usize,
        wait: Duration,
    ) -> RedisResult<Vec<Job>> {
        let options = StreamReadOptions::default()
            .group(GROUP, worker)
            .count(count)
            .block(wait.as_millis() as usize);
        let new = &[">"];
        let reply = self
            .connection
            .xread_options(&[JOBS], new, &options)
            .await?;
        let streams = reply.into_iter().flat_map(|reply| reply.keys);
        Ok(streams
            .flat_map(|stream| stream.ids)
            .map(Job::from)
            .collect())
    }

    /// Up to `count` jobs that somebody has had for longer than `idle`.
    pub(crate) async fn take_over(
        &mut self,
        worker: &str,
        count: usize,
        idle: Duration,
    ) -> RedisResult<Vec<Job>> {
        let options = StreamAutoClaimOptions::default().count(count);
        let idle = idle.as_millis() as usize;
        let reply = self
            .connection
            .xautoclaim_options(JOBS, GROUP, worker, idle, &self.cursor, options)
            .await?;
        self.cursor = reply.next_stream_id;
        Ok(reply.claimed.into_iter().map(Job::from).collect())
    }

    /// Keeps the result, the first one if there are two, and forgets the job: all of it or nothing.
    pub(crate) async fn done(&mut self, job: &Job, result: &str) -> RedisResult<()> {
        pipe()
            .atomic()
            .hset_nx(RESULTS, &job.id, result)
            .xack(JOBS, GROUP, &[&job.id])
            .xdel(JOBS, &[&job.id])
            .exec_async(&mut self.connection)
            .await
    }
}

impl From<StreamId> for Job {
    fn from(entry: StreamId) -> Self {
        Self {
            text: entry.get(TEXT).unwrap_or_default(),
            id: entry.id,
        }
    }
}

const JOBS: &str = "jobs";
const RESULTS: &str = "results";
const GROUP: &str = "workers";
const TEXT: &str = "text";

/// Before the first entry.
const START: &str = "0-0";
