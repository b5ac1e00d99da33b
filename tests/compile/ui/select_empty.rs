//! A `select!` has a branch at least.

async fn example() {
    executor::select! {}
}

fn main() {
    let _ = example();
}
