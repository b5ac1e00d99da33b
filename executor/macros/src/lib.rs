//! The attributes `#[executor::main]` and `#[executor::test]`, and what is behind `select!`, `join!` and `try_join!`.
//!
//! ```text
//! #[executor::main(worker_threads = 2)]        fn main() -> R {
//! async fn main() -> R { body }        ──▶         let runtime = Builder::new_multi_thread().worker_threads(2).build()…;
//!                                                  runtime.block_on(async move { body })
//!                                              }
//! ```
//!
//! `args` reads what stands in the parentheses, `krate` finds what the user's `Cargo.toml` calls the library, and
//! `expand` puts the new function together. `select` and `join` write the code of the macros by these names, `concurrent` what
//! they share. Use all of them through the library.

use proc_macro::TokenStream;

use crate::args::Kind;

mod args;
mod concurrent;
mod expand;
mod join;
mod krate;
mod select;

/// Runs an async function on a runtime of its own: the usual way to start a program.
///
/// The function loses its `async`. When it is called it builds a runtime, drives its body to the end with
/// `Runtime::block_on`, and shuts the runtime down before it returns. Everything else about the function stays:
/// return type, generics, visibility and other attributes.
///
/// ```
/// #[executor::main]
/// async fn main() {
///     println!("hello from a runtime");
/// }
/// ```
///
/// # Arguments
///
/// | argument | meaning | when left out |
/// |---|---|---|
/// | `flavor = "multi_thread"` | tasks run on a pool of worker threads | this one |
/// | `flavor = "current_thread"` | tasks run on the calling thread only | |
/// | `flavor = "local"` | as `current_thread`, and tasks need not be `Send`: `spawn_local` works everywhere | |
/// | `worker_threads = 2` | how many workers; needs `multi_thread` | the runtime builder's default |
/// | `start_paused = true` | time stands still until everything waits for it; needs the feature `test-util` | `false` |
/// | `unhandled_panic = "shutdown_runtime"` | the first task that panics ends the runtime, as `Builder::unhandled_panic` | `"ignore"` |
/// | `name = "my-server"` | the runtime's name, as `Builder::name` | none |
/// | `cancel_on_ctrl_c = true` | Ctrl-C cancels the function, and the second one ends the process, as `Builder::cancel_on_ctrl_c` | `false` |
/// | `debug = true` | debug mode, as `Builder::debug` | what `EXECUTOR_DEBUG` says |
/// | `crate = "path"` | where the library is found | its name in `Cargo.toml` |
///
/// ```
/// #[executor::main(flavor = "multi_thread", worker_threads = 2)]
/// async fn main() -> std::io::Result<()> {
///     Ok(())
/// }
/// ```
///
/// # Renaming the library
///
/// A dependency under another name, `tokio = { package = "executor-rt", .. }`, makes the attribute `#[tokio::main]` and
/// needs nothing more. `crate` is for what `Cargo.toml` does not show: a re-export, as in
/// `#[framework::main(crate = "framework::executor")]`, two names for the same package, or the name `executor_rt`.
///
/// # Functions other than `main`
///
/// The attribute works on any async function. Others than `main` may take arguments, which move into the body. The
/// runtime they build must not be started from inside another one, so call them from plain threads only.
///
/// # Panics
///
/// The function panics if the runtime cannot be built, which happens when the process is out of threads or file
/// descriptors. Call `runtime::Builder` by hand to handle that error instead.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Main, args.into(), item.into()).into()
}

/// Makes a `#[test]` of an async function, each test on a runtime of its own.
///
/// Takes the arguments of [`main`](macro@main), but the default flavour is `current_thread`. The attribute adds
/// `#[test]` itself. `#[ignore]`, `#[should_panic]` and a `Result` return type work as in any other test.
///
/// ```
/// #[executor::test]
/// async fn adds() {
///     assert_eq!(async { 1 + 1 }.await, 2);
/// }
///
/// #[executor::test(flavor = "multi_thread", worker_threads = 2)]
/// async fn parses() -> Result<(), std::num::ParseIntError> {
///     assert_eq!("2".parse::<u32>()?, 2);
///     Ok(())
/// }
/// ```
///
/// # Panics
///
/// The test fails if the runtime cannot be built, which happens when the process is out of threads or file descriptors;
/// `cargo test -- --test-threads=1` lets fewer runtimes exist at a time.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Test, args.into(), item.into()).into()
}

/// The code of the library's `select!`, where it is documented.
#[doc(hidden)]
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select::expand(input.into()).into()
}

/// The code of the library's `join!`, where it is documented.
#[doc(hidden)]
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    join::expand(join::Kind::Join, input.into()).into()
}

/// The code of the library's `try_join!`, where it is documented.
#[doc(hidden)]
#[proc_macro]
pub fn try_join(input: TokenStream) -> TokenStream {
    join::expand(join::Kind::TryJoin, input.into()).into()
}
