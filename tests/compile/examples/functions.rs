//! Functions other than `main` keep arguments, receivers, generics, visibility, attributes and every kind of return
//! type, and the body can neither see nor disturb the names of the expansion.
#![deny(warnings)]

use std::fmt::Debug;

pub struct Counter(u32);

impl Counter {
    #[executor::main(flavor = "current_thread")]
    pub(crate) async fn add(&mut self, step: u32) -> &mut Self {
        self.0 += step;
        self
    }

    #[executor::main(flavor = "current_thread")]
    async fn into_inner(self) -> u32 {
        self.0
    }
}

#[executor::main(flavor = "current_thread")]
async fn with_default<T>(mut list: Vec<T>) -> Vec<T>
where
    T: Default,
{
    list.push(T::default());
    list
}

#[executor::main(flavor = "current_thread")]
async fn opaque(text: &str) -> impl Iterator<Item = char> {
    text.chars()
}

#[executor::main(flavor = "current_thread")]
async fn boxed(big: bool) -> Box<dyn Debug> {
    if big {
        return Box::new(u64::MAX);
    }
    Box::new(1_u8)
}

#[executor::main(flavor = "current_thread")]
#[must_use]
async fn same_names(runtime: u32, future: u32, output: u32) -> u32 {
    #![allow(
        unused_variables,
        reason = "an inner attribute stands for the whole function"
    )]
    let unused = ();
    runtime + future + output + nothing()
}

fn nothing() -> u32 {
    0
}

#[executor::main(flavor = "current_thread")]
async fn diverges() -> ! {
    panic!("on purpose")
}

macro_rules! from_fragments {
    ($name:ident, $flavor:literal, $workers:expr, $output:ty, $body:block) => {
        #[executor::main(flavor = $flavor, worker_threads = $workers)]
        async fn $name() -> $output $body
    };
}

from_fragments!(fragments, "multi_thread", 1, u32, { 7 });

fn main() {
    let mut counter = Counter(1);
    counter.add(1).0 += 1;
    assert_eq!(counter.into_inner(), 3);
    assert_eq!(with_default(vec![1]), [1, 0]);
    assert_eq!(opaque("ab").last(), Some('b'));
    assert_eq!(format!("{:?}", boxed(false)), "1");
    assert_eq!(same_names(1, 2, 3), 6);
    let _: fn() -> ! = diverges;
    assert_eq!(fragments(), 7);
}
