//! Each branch says what to do.

async fn example() {
    executor::select! {
        _ = async {}
    }
}

fn main() {
    let _ = example();
}
