#[executor::main]
async fn main(name: String, number: u32) {}

#[executor::test]
async fn test(number: u32) {}
