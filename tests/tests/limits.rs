//! The largest numbers that the types allow, and what lies beyond: an error or a runtime that works, never a panic or an overflow.

use std::io::SeekFrom;
use std::time::Duration;

use executor::fs::File;
use executor::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use executor::net::{TcpSocket, UdpSocket, UnixSocket};
use executor::runtime::Builder;
use executor::signal::unix::{SignalKind, signal};
use executor::time::{Instant, interval, interval_at, timeout};

use crate::support::{Directory, assert_usable, current_thread, within, workers};

#[test]
fn a_runtime_with_the_largest_settings_works_and_ends() {
    within(60, || {
        for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
            for end in [Duration::ZERO, Duration::MAX] {
                let runtime = builder()
                    .worker_threads(2)
                    .max_spare_workers(1024)
                    .stall_threshold(Duration::MAX)
                    .max_blocking_threads(usize::MAX)
                    .thread_keep_alive(Duration::MAX)
                    .event_interval(u32::MAX)
                    .global_queue_interval(u32::MAX)
                    .max_io_events_per_tick(usize::MAX)
                    .max_io_events_per_busy_tick(usize::MAX)
                    .name("n".repeat(1 << 20))
                    .build()
                    .unwrap();
                assert_usable(&runtime);
                runtime.shutdown_timeout(end);
            }
        }
    });
}

#[test]
fn names_of_any_length_and_content_are_shown_and_escaped() {
    within(60, || {
        let runtime = workers(1);
        let _entered = runtime.enter();
        for name in ["\u{1b}[31m\n<script>\0".to_owned(), "x".repeat(1 << 20)] {
            let task = executor::task::Builder::new().name(&name);
            let task = task.spawn(async {}).unwrap();
            let shown = format!("{task:?}");
            assert!(
                !shown.chars().any(char::is_control),
                "a log shows it as it is"
            );
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn sockets_take_the_largest_numbers_or_say_that_the_system_does_not() {
    within(60, || {
        current_thread().block_on(async {
            for number in [0, 1 << 31, u32::MAX - 1, u32::MAX] {
                let socket = TcpSocket::new_v4().unwrap();
                let _ = socket.set_send_buffer_size(number);
                let _ = socket.set_recv_buffer_size(number);
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let listener = socket.listen(number).unwrap();
                let _ = listener.set_ttl(number);

                let directory = Directory::new();
                let socket = UnixSocket::new_stream().unwrap();
                socket.bind(directory.file("s")).unwrap();
                socket.listen(number).unwrap();

                let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let _ = udp.set_ttl(number);
            }
        });
    });
}

#[test]
fn files_refuse_places_beyond_their_end_of_numbers() {
    within(60, || {
        current_thread().block_on(async {
            let directory = Directory::new();
            let mut file = File::options();
            let mut file = file
                .read(true)
                .write(true)
                .create(true)
                .open(directory.file("f"))
                .await
                .unwrap();
            file.set_max_buf_size(usize::MAX);
            file.write_all(b"hello").await.unwrap();
            for place in [
                SeekFrom::Start(u64::MAX),
                SeekFrom::Current(i64::MIN),
                SeekFrom::End(i64::MIN),
                SeekFrom::End(i64::MAX),
                SeekFrom::Current(i64::MAX),
            ] {
                assert!(file.seek(place).await.is_err(), "{place:?}");
            }
            assert!(file.set_len(u64::MAX).await.is_err());
            // A byte that is read ahead must not make the sum of two numbers overflow.
            file.seek(SeekFrom::Start(0)).await.unwrap();
            let mut byte = [0];
            file.read_exact(&mut byte).await.unwrap();
            assert!(file.seek(SeekFrom::Current(i64::MIN)).await.is_err());
            let mut rest = String::new();
            file.read_to_string(&mut rest).await.unwrap();
            assert_eq!(rest, "ello");
        });
    });
}

#[test]
fn signals_of_any_number_are_heard_or_refused() {
    within(60, || {
        let runtime = workers(1);
        let _entered = runtime.enter();
        for number in [i32::MIN, -1, 0, 65, 128, 1 << 16, i32::MAX] {
            assert!(signal(SignalKind::from_raw(number)).is_err(), "{number}");
        }
    });
}

#[test]
fn points_in_time_stop_at_the_end_of_the_clock() {
    within(60, || {
        current_thread().block_on(async {
            let now = Instant::now();
            assert_eq!(now.checked_add(Duration::MAX), None);
            assert_eq!(now.checked_sub(Duration::MAX), None);
            let mut far = interval(Duration::MAX);
            far.tick().await;
            far.reset();
            far.reset_after(Duration::MAX);
            far.reset_immediately();
            far.tick().await;
            assert!(timeout(Duration::from_millis(1), far.tick()).await.is_err());
            let mut soon = interval_at(now, Duration::from_nanos(u64::MAX));
            soon.tick().await;
            assert!(
                timeout(Duration::from_millis(1), soon.tick())
                    .await
                    .is_err()
            );
        });
    });
}
