#[executor::test]
#[test]
async fn second_by_hand() {}

#[executor::test]
#[executor::test]
async fn second_of_ours() {}

fn main() {}
