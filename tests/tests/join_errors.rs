//! What a handle answers for a task without output: the questions, the texts, the payload.

use std::error::Error;
use std::future::pending;
use std::io;
use std::panic::panic_any;

use executor::task::JoinError;

use crate::support::current_thread;

fn error_of(future: impl Future<Output = ()> + Send + 'static) -> JoinError {
    let runtime = current_thread();
    runtime.block_on(runtime.spawn(future)).unwrap_err()
}

fn cancelled() -> JoinError {
    let runtime = current_thread();
    let handle = runtime.spawn(pending::<()>());
    handle.abort();
    runtime.block_on(handle).unwrap_err()
}

#[test]
fn a_cancelled_task_says_so() {
    let error = cancelled();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(
        error.to_string(),
        format!("task {} was cancelled", error.id())
    );
    assert!(format!("{error:?}").contains("Cancelled"));
    assert!(error.source().is_none());
    assert!(error.try_into_panic().unwrap_err().is_cancelled());
    let io = io::Error::from(cancelled());
    assert_eq!(
        (io.kind(), io.to_string()),
        (io::ErrorKind::Other, "task was cancelled".into())
    );
}

#[test]
fn a_panic_shows_its_message() {
    let error = error_of(async { panic!("static text") });
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(
        error.to_string(),
        format!("task {} panicked with message \"static text\"", error.id())
    );
    let error = error_of(async { panic!("formatted {}", 1 + 1) });
    assert!(
        error
            .to_string()
            .ends_with("panicked with message \"formatted 2\"")
    );
    assert!(format!("{error:?}").contains("formatted 2"));
    assert_eq!(
        *error.into_panic().downcast::<String>().unwrap(),
        "formatted 2"
    );
    assert_eq!(
        io::Error::from(error_of(async { panic!() })).to_string(),
        "task panicked"
    );
}

#[test]
fn a_message_cannot_forge_lines_of_a_log() {
    let error = error_of(async { panic!("a\n\x1b[31mb\0") });
    assert!(!error.to_string().contains(|c: char| c.is_control()));
    assert!(!format!("{error:?}").contains(|c: char| c.is_control()));
}

#[test]
fn a_payload_of_any_type_arrives() {
    let error = error_of(async { panic_any(17_u8) });
    assert_eq!(error.to_string(), format!("task {} panicked", error.id()));
    assert!(format!("{error:?}").contains("Panic"));
    assert_eq!(
        *error.try_into_panic().unwrap().downcast::<u8>().unwrap(),
        17
    );
}

#[test]
fn into_panic_of_a_cancelled_task_panics_and_names_the_cure() {
    let result = std::panic::catch_unwind(|| cancelled().into_panic());
    let text = *result.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("is_panic"), "{text}");
}
