//! Where a panic of a task goes. `ci/panic-abort` runs this in a build where panics do not unwind: there it ends the process.

#[executor::main]
async fn main() {
    let answer = executor::spawn(async { 42 }).await;
    println!("before: {}", answer.is_ok());
    let error = executor::spawn(async { panic!("for the test") }).await;
    println!(
        "after: {}",
        error.is_err_and(|error: executor::task::JoinError| error.is_panic())
    );
}
