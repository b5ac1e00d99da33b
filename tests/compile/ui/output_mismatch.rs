#[executor::main]
async fn main() -> Result<(), String> {
    if std::env::args().count() > 1 {
        return 1;
    }
    "text"
}

#[executor::main]
async fn unit() {
    5
}

#[executor::main]
async fn semicolon() -> Option<u32> {
    Some(1);
}

#[executor::main]
async fn question_mark() {
    std::fs::read("file")?;
}

#[executor::main]
async fn missing_type() -> Missing {
    1
}
