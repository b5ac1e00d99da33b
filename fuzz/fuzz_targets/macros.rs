//! What parses the input of the macros: whatever is written there, the answer is code, never a panic of the compiler.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

// The files of the macros' package, which exports nothing but macros.
#[allow(dead_code)]
#[path = "../../executor/macros/src/args.rs"]
mod args;
#[allow(dead_code)]
#[path = "../../executor/macros/src/concurrent.rs"]
mod concurrent;
#[allow(dead_code)]
#[path = "../../executor/macros/src/expand.rs"]
mod expand;
#[allow(dead_code)]
#[path = "../../executor/macros/src/join.rs"]
mod join;
#[allow(dead_code)]
#[path = "../../executor/macros/src/krate.rs"]
mod krate;
#[allow(dead_code)]
#[path = "../../executor/macros/src/select.rs"]
mod select;

// The first byte says which macro, the rest is a text: what comes before a zero byte are the arguments of an attribute.
fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    // The parser of texts goes down the stack with each bracket; the compiler has its own, and refuses such code before.
    if text
        .bytes()
        .filter(|byte| b"([{<-!&*|".contains(byte))
        .count()
        > 100
    {
        return;
    }
    let (arguments, item) = text.split_once('\0').unwrap_or((text, "async fn f() {}"));
    let (Ok(arguments), Ok(item)) = (
        arguments.parse::<TokenStream>(),
        item.parse::<TokenStream>(),
    ) else {
        return;
    };
    let code = match which % 5 {
        0 => expand::expand(args::Kind::Main, arguments, item),
        1 => expand::expand(args::Kind::Test, arguments, item),
        2 => select::expand(arguments),
        3 => join::expand(join::Kind::Join, arguments),
        _ => join::expand(join::Kind::TryJoin, arguments),
    };
    assert!(!code.is_empty());
});
