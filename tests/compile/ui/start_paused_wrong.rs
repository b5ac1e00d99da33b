#[executor::test(start_paused = "true")]
async fn test() {}

fn main() {}
