//! A runtime as a part of something else: in a library, beside another runtime, and inside a program of plain threads.
//!
//! ```text
//! cargo run -p executor-rt --example embed
//! ```

use std::io;
use std::sync::mpsc;
use std::thread;

use executor::runtime::{Builder, Handle};
use executor::sync::{mpsc as channel, oneshot};
use executor::time::{Duration, Instant, sleep};

fn main() -> io::Result<()> {
    a_library_takes_a_handle()?;
    two_runtimes_talk()?;
    threads_use_a_runtime()
}

/// What a library looks like that needs a runtime and does not want to choose one: its user passes a [`Handle`].
mod ticker {
    use executor::runtime::Handle;
    use executor::sync::watch;
    use executor::task::JoinHandle;
    use executor::time::{Duration, interval};

    /// Counts, in the background, until it is dropped.
    pub(crate) struct Ticker {
        ticks: watch::Receiver<u64>,
        task: JoinHandle<()>,
    }

    impl Ticker {
        /// Starts counting on the runtime of `handle`. May be called from anywhere, also outside of any runtime.
        pub(crate) fn start(handle: &Handle, period: Duration) -> Self {
            let (sender, ticks) = watch::channel(0);
            let task = handle.spawn(async move {
                // Made inside the task, so it belongs to the task's runtime.
                let mut interval = interval(period);
                loop {
                    interval.tick().await;
                    sender.send_modify(|ticks| *ticks += 1);
                }
            });
            Self { ticks, task }
        }

        /// Waits until it has counted to `ticks`. Runs on any runtime: a channel belongs to none.
        pub(crate) async fn reach(&self, ticks: u64) -> u64 {
            let mut receiver = self.ticks.clone();
            let reached = receiver.wait_for(|&now| now >= ticks).await;
            *reached.expect("the task lives as long as the ticker")
        }
    }

    impl Drop for Ticker {
        fn drop(&mut self) {
            // Without this the task would go on for as long as its runtime.
            self.task.abort();
        }
    }
}

fn a_library_takes_a_handle() -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
    let ticker = ticker::Ticker::start(runtime.handle(), Duration::from_millis(1));
    let ticks = runtime.block_on(ticker.reach(5));
    println!("the library has ticked {} times or more", ticks.min(5));
    Ok(())
}

/// One runtime answers, the other computes, so that computing delays no answer. They exchange messages over channels.
fn two_runtimes_talk() -> io::Result<()> {
    let front = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("front")
        .build()?;
    let back = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("back")
        .build()?;

    let (requests, mut inbox) = channel::channel::<(u64, oneshot::Sender<u64>)>(16);
    let computing = back.handle().clone();
    back.spawn(async move {
        while let Some((number, answer)) = inbox.recv().await {
            computing.spawn(async move {
                // The one who asked may have given up.
                let _ = answer.send((1..=number).product());
            });
        }
    });

    let asking = front.spawn(async move {
        let mut answers = Vec::new();
        for number in [5, 10, 20] {
            let (sender, receiver) = oneshot::channel();
            requests.send((number, sender)).await.ok()?;
            answers.push(receiver.await.ok()?);
        }
        Some(answers)
    });
    let answers = front
        .block_on(asking)?
        .expect("the other runtime lives longer");
    println!("the other runtime has answered {answers:?}");
    // The one that asks ends first: nobody waits for an answer that cannot come.
    drop(front);
    drop(back);
    Ok(())
}

/// Plain threads start tasks, wait for them, and are told by them.
fn threads_use_a_runtime() -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..4 {
            let handle = runtime.handle().clone();
            let sender = sender.clone();
            scope.spawn(move || {
                // Waits here, as for any function.
                let doubled = handle.block_on(doubled(number));
                // Does not wait: the task tells when it is done.
                handle.spawn(async move { sender.send(doubled + self::doubled(doubled).await) });
            });
        }
        drop(sender);
        let mut all: Vec<u64> = results.iter().collect();
        all.sort_unstable();
        println!("the threads were told {all:?}");
    });

    // A thread that is in a runtime may use everything that needs one, also functions that take no handle.
    let _entered = runtime.enter();
    let deadline = Instant::now() + Duration::from_millis(5);
    let task = executor::spawn(async move {
        executor::time::sleep_until(deadline).await;
        Handle::current().runtime_flavor()
    });
    println!(
        "a thread that had entered it spawned on {:?}",
        runtime.block_on(task)?
    );
    Ok(())
}

async fn doubled(number: u64) -> u64 {
    sleep(Duration::from_millis(1)).await;
    2 * number
}
