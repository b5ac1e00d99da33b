//! `else` is the last branch.

async fn example() {
    executor::select! {
        else => {}
        _ = async {} => {}
    }
}

fn main() {
    let _ = example();
}
