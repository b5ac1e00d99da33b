#[executor::test(name = 3)]
async fn number() {}

#[executor::test(name = "")]
async fn empty() {}

fn main() {}
