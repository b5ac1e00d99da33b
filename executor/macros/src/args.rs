//! Reads the arguments of the attributes and refuses combinations without meaning.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Lit, LitStr, Path, Result, Token};

/// Which of the two attributes is being expanded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Main,
    Test,
}

impl Kind {
    /// The name after `executor::`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
        }
    }

    fn default_flavor(self) -> Flavor {
        match self {
            Self::Main => Flavor::MultiThread,
            Self::Test => Flavor::CurrentThread,
        }
    }
}

/// Which scheduler the runtime gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flavor {
    MultiThread,
    CurrentThread,
    /// One thread, and tasks that need not be `Send`.
    Local,
}

/// The value of an argument, and the place of its name for messages about it.
#[derive(Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// The arguments of one attribute, checked against each other.
pub(crate) struct Args {
    pub(crate) flavor: Flavor,
    pub(crate) worker_threads: Option<Given<usize>>,
    pub(crate) start_paused: Option<Given<bool>>,
    /// The variant of `UnhandledPanic`.
    pub(crate) unhandled_panic: Option<&'static str>,
    /// The runtime's, not that of its threads.
    pub(crate) name: Option<String>,
    pub(crate) debug: Option<bool>,
    pub(crate) cancel_on_ctrl_c: Option<bool>,
    pub(crate) krate: Option<Path>,
}

impl Args {
    /// What an attribute without arguments asks for.
    pub(crate) fn none(kind: Kind) -> Self {
        Self {
            flavor: kind.default_flavor(),
            worker_threads: None,
            start_paused: None,
            unhandled_panic: None,
            name: None,
            debug: None,
            cancel_on_ctrl_c: None,
            krate: None,
        }
    }

    pub(crate) fn parse(kind: Kind, tokens: TokenStream) -> Result<Self> {
        let written = Written::parse.parse2(tokens)?;
        let args = Self {
            flavor: written
                .flavor
                .map_or(kind.default_flavor(), |given| given.value),
            worker_threads: written.worker_threads,
            start_paused: written.start_paused,
            unhandled_panic: written.unhandled_panic.map(|given| given.value),
            name: written.name.map(|given| given.value),
            debug: written.debug.map(|given| given.value),
            cancel_on_ctrl_c: written.cancel_on_ctrl_c.map(|given| given.value),
            krate: written.krate.map(|given| given.value),
        };
        args.check_flavor(kind)?;
        Ok(args)
    }

    /// The current-thread flavour has no workers to count.
    fn check_flavor(&self, kind: Kind) -> Result<()> {
        let Self {
            flavor: Flavor::CurrentThread | Flavor::Local,
            worker_threads: Some(given),
            ..
        } = self
        else {
            return Ok(());
        };
        let message = format!(
            "`worker_threads` needs the other flavor: write `#[executor::{}(flavor = \"multi_thread\", worker_threads = ..)]`",
            kind.name()
        );
        Err(Error::new(given.span, message))
    }
}

/// The arguments as they were written, each at most once.
#[derive(Default)]
struct Written {
    flavor: Option<Given<Flavor>>,
    worker_threads: Option<Given<usize>>,
    start_paused: Option<Given<bool>>,
    unhandled_panic: Option<Given<&'static str>>,
    name: Option<Given<String>>,
    debug: Option<Given<bool>>,
    cancel_on_ctrl_c: Option<Given<bool>>,
    krate: Option<Given<Path>>,
}

impl Written {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut written = Self::default();
        while !input.is_empty() {
            let name = Ident::parse_any(input).map_err(|error| {
                Error::new(error.span(), format!("expected an argument: {KNOWN}"))
            })?;
            match name.to_string().as_str() {
                "flavor" => fill(&mut written.flavor, &name, input, flavor)?,
                "worker_threads" => {
                    fill(&mut written.worker_threads, &name, input, worker_threads)?
                }
                "start_paused" => fill(&mut written.start_paused, &name, input, start_paused)?,
                "unhandled_panic" => {
                    fill(&mut written.unhandled_panic, &name, input, unhandled_panic)?
                }
                "name" => fill(&mut written.name, &name, input, runtime_name)?,
                "debug" => fill(&mut written.debug, &name, input, debug)?,
                "cancel_on_ctrl_c" => fill(
                    &mut written.cancel_on_ctrl_c,
                    &name,
                    input,
                    cancel_on_ctrl_c,
                )?,
                "crate" => fill(&mut written.krate, &name, input, krate)?,
                unknown => {
                    let message = format!("unknown argument `{unknown}`: {KNOWN}");
                    return Err(Error::new(name.span(), message));
                }
            }
            if !input.is_empty() {
                let comma = input.parse::<Token![,]>();
                comma.map_err(|error| {
                    Error::new(error.span(), "expected a comma before the next argument")
                })?;
            }
        }
        Ok(written)
    }
}

const KNOWN: &str = "use `flavor`, `worker_threads`, `start_paused`, `unhandled_panic`, `name`, `debug`, `cancel_on_ctrl_c` or `crate`";

/// What an argument makes of its value, or else what it says instead.
type Read<T> = fn(&Expr) -> std::result::Result<T, &'static str>;

/// Reads `= value` after an argument's name.
fn fill<T>(
    place: &mut Option<Given<T>>,
    name: &Ident,
    input: ParseStream<'_>,
    read: Read<T>,
) -> Result<()> {
    if place.is_some() {
        let message = format!("`{name}` is given twice: keep one of the two");
        return Err(Error::new(name.span(), message));
    }
    let equals: Option<Token![=]> = input.parse()?;
    if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
        let message = format!("`{name}` needs a value: write `{name} = ..`");
        return Err(Error::new(name.span(), message));
    }
    let mut written: Expr = input.parse()?;
    // `macro_rules!` puts an invisible group around each of its fragments.
    while let Expr::Group(group) = written {
        written = *group.expr;
    }
    let value = read(&written).map_err(|message| Error::new_spanned(&written, message))?;
    *place = Some(Given {
        value,
        span: name.span(),
    });
    Ok(())
}

fn flavor(written: &Expr) -> std::result::Result<Flavor, &'static str> {
    match string(written).map(LitStr::value).as_deref() {
        Some("multi_thread") => Ok(Flavor::MultiThread),
        Some("current_thread") => Ok(Flavor::CurrentThread),
        Some("local") => Ok(Flavor::Local),
        _ => Err(
            "no such flavor: use `flavor = \"multi_thread\"`, `flavor = \"current_thread\"` or `flavor = \"local\"`",
        ),
    }
}

fn worker_threads(written: &Expr) -> std::result::Result<usize, &'static str> {
    let number = match written {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        _ => None,
    };
    number
        .filter(|&workers| workers > 0)
        .ok_or("expected a number of workers, at least 1, written out as in `worker_threads = 2`")
}

fn start_paused(written: &Expr) -> std::result::Result<bool, &'static str> {
    boolean(written).ok_or("expected `true` or `false` without quotes, as in `start_paused = true`")
}

fn debug(written: &Expr) -> std::result::Result<bool, &'static str> {
    boolean(written).ok_or("expected `true` or `false` without quotes, as in `debug = true`")
}

fn cancel_on_ctrl_c(written: &Expr) -> std::result::Result<bool, &'static str> {
    boolean(written)
        .ok_or("expected `true` or `false` without quotes, as in `cancel_on_ctrl_c = true`")
}

fn unhandled_panic(written: &Expr) -> std::result::Result<&'static str, &'static str> {
    match string(written).map(LitStr::value).as_deref() {
        Some("ignore") => Ok("Ignore"),
        Some("shutdown_runtime") => Ok("ShutdownRuntime"),
        _ => Err(
            "no such policy: use `unhandled_panic = \"ignore\"` or `unhandled_panic = \"shutdown_runtime\"`",
        ),
    }
}

/// A blank one is refused here, because the runtime's builder would refuse it when the program starts.
fn runtime_name(written: &Expr) -> std::result::Result<String, &'static str> {
    string(written)
        .map(LitStr::value)
        .filter(|name| !name.trim().is_empty())
        .ok_or("expected a name for the runtime in quotes, as in `name = \"my-server\"`")
}

/// The path keeps the place of the string, so that a wrong path is reported there.
fn krate(written: &Expr) -> std::result::Result<Path, &'static str> {
    string(written)
        .and_then(|path| path.parse_with(Path::parse_mod_style).ok())
        .ok_or(
            "expected the path of the library in quotes, as in `crate = \"framework::executor\"`",
        )
}

fn boolean(written: &Expr) -> Option<bool> {
    match written {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(boolean),
            ..
        }) => Some(boolean.value),
        _ => None,
    }
}

fn string(written: &Expr) -> Option<&LitStr> {
    match written {
        Expr::Lit(ExprLit {
            lit: Lit::Str(string),
            ..
        }) => Some(string),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn refusal(kind: Kind, tokens: TokenStream) -> String {
        Args::parse(kind, tokens)
            .err()
            .expect("these arguments should be refused")
            .to_string()
    }

    #[test]
    fn each_attribute_has_its_default_flavor() {
        for (kind, flavor) in [
            (Kind::Main, Flavor::MultiThread),
            (Kind::Test, Flavor::CurrentThread),
        ] {
            let args = Args::parse(kind, quote!()).unwrap();
            assert_eq!(args.flavor, flavor);
            assert!(
                args.worker_threads.is_none()
                    && args.start_paused.is_none()
                    && args.unhandled_panic.is_none()
                    && args.name.is_none()
                    && args.debug.is_none()
                    && args.cancel_on_ctrl_c.is_none()
                    && args.krate.is_none()
            );
        }
    }

    #[test]
    fn every_argument_is_read() {
        let args = quote!(
            flavor = "current_thread",
            start_paused = true,
            unhandled_panic = "shutdown_runtime",
            name = "a b",
            debug = true,
            cancel_on_ctrl_c = true,
            crate = "a::b",
        );
        let args = Args::parse(Kind::Main, args).unwrap();
        let krate = args.krate.unwrap();
        assert_eq!(args.flavor, Flavor::CurrentThread);
        assert!(args.start_paused.unwrap().value);
        assert_eq!(args.unhandled_panic.unwrap(), "ShutdownRuntime");
        assert_eq!(args.name.unwrap(), "a b");
        assert_eq!(args.debug, Some(true));
        assert_eq!(args.cancel_on_ctrl_c, Some(true));
        assert_eq!(quote!(#krate).to_string(), "a :: b");

        let args = Args::parse(
            Kind::Test,
            quote!(worker_threads = 0x10usize, flavor = "multi_thread"),
        )
        .unwrap();
        assert_eq!(args.flavor, Flavor::MultiThread);
        assert_eq!(args.worker_threads.unwrap().value, 16);
    }

    #[test]
    fn a_path_may_start_at_a_root_or_a_keyword() {
        for path in ["::tokio", "crate::rt", "self::rt", "super::rt"] {
            assert!(
                Args::parse(Kind::Main, quote!(crate = #path)).is_ok(),
                "{path}"
            );
        }
    }

    #[test]
    fn values_of_the_wrong_kind_are_refused() {
        for (args, cure) in [
            (quote!(worker_threads = "2"), "at least 1"),
            (quote!(worker_threads = 0), "at least 1"),
            (
                quote!(worker_threads = 99999999999999999999999),
                "at least 1",
            ),
            (quote!(worker_threads = -1), "at least 1"),
            (quote!(worker_threads = N), "at least 1"),
            (quote!(flavor = 2), "no such flavor"),
            (quote!(flavor = "threaded"), "no such flavor"),
            (quote!(flavor = multi_thread), "no such flavor"),
            (quote!(start_paused = "true"), "without quotes"),
            (quote!(debug = 1), "without quotes"),
            (quote!(cancel_on_ctrl_c = "yes"), "without quotes"),
            (quote!(unhandled_panic = true), "no such policy"),
            (quote!(unhandled_panic = "abort"), "no such policy"),
            (quote!(name = 3), "in quotes"),
            (quote!(name = ""), "in quotes"),
            (quote!(name = " \t"), "in quotes"),
            (quote!(crate = 3), "in quotes"),
            (quote!(crate = ""), "in quotes"),
            (quote!(crate = "not a path"), "in quotes"),
        ] {
            let refusal = refusal(Kind::Main, args);
            assert!(refusal.contains(cure), "{refusal}");
        }
    }

    #[test]
    fn a_name_without_a_value_and_a_second_value_are_refused() {
        for args in [
            quote!(flavor),
            quote!(flavor =),
            quote!(flavor =, start_paused = true),
        ] {
            assert!(refusal(Kind::Main, args).contains("`flavor` needs a value"));
        }
        assert!(
            refusal(Kind::Main, quote!(worker_threads = 1, worker_threads = 1))
                .contains("given twice")
        );
        assert!(refusal(Kind::Main, quote!(threaded)).contains("unknown argument `threaded`"));
    }

    #[test]
    fn an_argument_of_the_other_flavor_is_refused() {
        let multi = "`#[executor::test(flavor = \"multi_thread\", worker_threads = ..)]`";
        assert!(refusal(Kind::Test, quote!(worker_threads = 2)).contains(multi));
        assert!(Args::parse(Kind::Main, quote!(start_paused = true)).is_ok());
    }
}
