//! A worker: takes jobs out of the queue, does them, and says that they are done; and takes over those of workers that have gone.

use std::error::Error;
use std::time::Duration;

use executor::time::{Instant, sleep};
use futures::future::try_join_all;

use crate::end;
use crate::queue::{Job, Queue};

pub(crate) async fn run(name: &str, redis: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let end = executor::spawn(end::asked_or_orphaned()?);
    let (mut queue, _connection) = Queue::connect(redis).await?;
    println!("{name} is process {}", std::process::id());
    let (mut done, mut taken_over) = (0, 0);
    let mut looked = Instant::now();
    while !end.is_finished() {
        // Not in a `select!` with the end: jobs that come while the call is dropped would be this worker's, and nobody would do them
        // until they are taken over.
        let jobs = if looked.elapsed() < ABANDONED {
            queue.take(name, BATCH, WAIT).await?
        } else {
            looked = Instant::now();
            let jobs = queue.take_over(name, BATCH, ABANDONED).await?;
            taken_over += jobs.len();
            jobs
        };
        try_join_all(jobs.iter().map(|job| do_one(queue.clone(), job))).await?;
        done += jobs.len();
    }
    println!("{name}: {done} jobs done, {taken_over} of them taken over");
    Ok(())
}

/// May happen twice to the same job: if its worker is killed between the work and the word that it is done, or takes so long
/// that another takes it over.
async fn do_one(mut queue: Queue, job: &Job) -> redis::RedisResult<()> {
    let result = work(&job.text).await;
    queue.done(job, &result).await
}

/// Stands for what takes long.
async fn work(text: &str) -> String {
    sleep(Duration::from_millis(20)).await;
    text.to_uppercase()
}

/// How many jobs a worker does at once.
const BATCH: usize = 10;

/// How long a worker waits for jobs before it looks whether it is to end.
const WAIT: Duration = Duration::from_millis(200);

/// A job that has been with a worker for so long is taken over. Longer than any job takes.
const ABANDONED: Duration = Duration::from_secs(1);
