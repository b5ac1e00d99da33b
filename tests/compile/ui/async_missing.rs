#[executor::main]
fn main() {}

#[executor::test]
fn test() {}
