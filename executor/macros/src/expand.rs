//! Turns an async function into one that runs its body on a runtime.

use proc_macro2::extra::DelimSpan;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{
    AttrStyle, Attribute, Error, Result, ReturnType, Signature, Type, Visibility, braced, token,
};

use crate::args::{Args, Flavor, Kind};
use crate::krate;

/// The whole expansion.
///
/// After a mistake in the arguments the function is expanded as if there had been none, so that the only error is the
/// one about the mistake, and editors go on understanding the body.
pub(crate) fn expand(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let name = kind.name();
            let message = format!(
                "`#[executor::{name}]` needs an async function: put it above an `async fn`"
            );
            return with_error(Error::new(error.span(), message), item);
        }
    };
    if let Err(refusal) = function.check(kind) {
        return with_error(refusal, function.remains(item));
    }
    match Args::parse(kind, args) {
        Ok(args) => function.on_a_runtime(kind, &args),
        Err(refusal) => with_error(refusal, function.on_a_runtime(kind, &Args::none(kind))),
    }
}

fn with_error(refusal: Error, item: TokenStream) -> TokenStream {
    let mut tokens = refusal.into_compile_error();
    tokens.extend(item);
    tokens
}

/// A function whose body stays the tokens it came as: parsing it would cost time and change nothing.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    braces: DelimSpan,
    body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let content;
        let token::Brace { span: braces } = braced!(content in input);
        // Inner attributes mean the whole function, and an async block takes none.
        for attribute in content.call(Attribute::parse_inner)? {
            attributes.push(Attribute {
                style: AttrStyle::Outer,
                ..attribute
            });
        }
        Ok(Self {
            attributes,
            visibility,
            signature,
            braces,
            body: content.parse()?,
        })
    }
}

impl Function {
    /// Refuses what cannot run. The second `#[test]` comes first, because an attribute given twice finds on its second
    /// turn a function that is no longer async, where the missing `async` would be the wrong complaint.
    fn check(&self, kind: Kind) -> Result<()> {
        let Signature {
            asyncness,
            fn_token,
            ident,
            inputs,
            ..
        } = &self.signature;
        let name = kind.name();
        if let (Kind::Test, Some(second)) = (
            kind,
            self.attributes.iter().find(|attribute| is_test(attribute)),
        ) {
            let message = "second test attribute: remove it, `#[executor::test]` already makes this function a test";
            return Err(Error::new_spanned(second, message));
        }
        if asyncness.is_none() {
            let message =
                format!("`#[executor::{name}]` needs an async function: write `async fn`");
            return Err(Error::new_spanned(fn_token, message));
        }
        let function = match kind {
            Kind::Main if ident == "main" => "the main function",
            Kind::Main => return Ok(()),
            Kind::Test => "a test",
        };
        if !inputs.is_empty() {
            let message =
                format!("{function} cannot take arguments: remove them, nothing could pass any");
            return Err(Error::new_spanned(inputs, message));
        }
        Ok(())
    }

    /// What to leave of a refused function so that the compiler has nothing to add to the refusal. An async function
    /// would be another error as `main` or under `#[test]`, and so would a program without `main`.
    fn remains(&self, item: TokenStream) -> TokenStream {
        match &self.signature {
            Signature {
                asyncness: None, ..
            } => item,
            Signature { ident, .. } if ident == "main" => quote!(fn #ident() {}),
            _ => TokenStream::new(),
        }
    }

    /// The new function. Its local variables are hygienic, so the body sees none of them.
    fn on_a_runtime(self, kind: Kind, args: &Args) -> TokenStream {
        let here = Span::mixed_site();
        let runtime = runtime(kind, args);
        let (outer_hint, inner_hint) = self.output_hints();
        let Self {
            attributes,
            visibility,
            mut signature,
            braces,
            body,
        } = self;
        let asyncness = signature.asyncness.take();
        let body = block(quote!(#inner_hint #body), braces);
        let future = quote_spanned!(here=> #asyncness move #body);
        let test = match kind {
            Kind::Main => None,
            Kind::Test => Some(quote!(#[::core::prelude::v1::test])),
        };
        // The pin keeps a large future from being copied, and `dyn` keeps `block_on` from being compiled once per test.
        // The future is declared after the runtime so that whatever it still holds is dropped before the runtime is.
        let statements = quote_spanned! {here=>
            #outer_hint
            let runtime = #runtime;
            let future: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = _>> = ::core::pin::pin!(#future);
            runtime.block_on(future)
        };
        let block = block(statements, braces);
        quote! {
            #(#attributes)*
            #test
            #visibility #signature #block
        }
    }

    /// Statements for the start of the new function and of the async block in it, which make the compiler check the
    /// block against the function's return type.
    ///
    /// An async block, unlike an async function, guesses its output from its first `return`, `?` or last expression, and
    /// type errors then point to where the guess meets the truth. The closure `nothing` carries the truth into the block:
    /// a `return` of its result outside fixes its type, and a `return` of its result inside passes that on. Neither ever
    /// runs. Repeating the type's own tokens inside would report every mistake in them twice, and `impl Trait` could
    /// not be repeated.
    fn output_hints(&self) -> (TokenStream, TokenStream) {
        let here = Span::mixed_site();
        // The compiler says "return type inferred to be .. here" of the whole expression `output.0`, so its two ends
        // take the places of the ends of the type. That is also why the output travels in a tuple.
        let (first, last) = match &self.signature.output {
            ReturnType::Default => ends(&self.signature.ident),
            // A `return` of this type is unreachable code, and the compiler would warn about it.
            ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => {
                return Default::default();
            }
            ReturnType::Type(_, output) => ends(output),
        };
        let output = quote_spanned!(here.located_at(first)=> output.);
        let field = quote_spanned!(here.located_at(last)=> 0);
        let hint = quote_spanned! {here=>
            if let ::core::option::Option::Some(output) = nothing() {
                return #output #field;
            }
        };
        let nothing = quote_spanned! {here=>
            let nothing = || -> ::core::option::Option<(_,)> { ::core::option::Option::None };
        };
        (quote!(#nothing #hint), hint)
    }
}

/// An expression for the runtime the arguments ask for.
fn runtime(kind: Kind, args: &Args) -> TokenStream {
    let here = Span::mixed_site();
    let krate = args.krate.clone().unwrap_or_else(krate::path);
    let flavor = match args.flavor {
        Flavor::MultiThread => "new_multi_thread",
        Flavor::CurrentThread | Flavor::Local => "new_current_thread",
    };
    let flavor = Ident::new(flavor, here);
    // Named at the argument's place: without the feature `test-util` there is no `start_paused` to call.
    let worker_threads = args.worker_threads.as_ref().map(|given| {
        let value = given.value;
        quote_spanned!(given.span=> .worker_threads(#value))
    });
    let start_paused = args.start_paused.as_ref().map(|given| {
        let value = given.value;
        quote_spanned!(given.span=> .start_paused(#value))
    });
    let unhandled_panic = args.unhandled_panic.map(|policy| {
        let policy = Ident::new(policy, here);
        quote_spanned!(here=> .unhandled_panic(#krate::runtime::UnhandledPanic::#policy))
    });
    let name = args
        .name
        .as_ref()
        .map(|name| quote_spanned!(here=> .name(#name)));
    let debug = args
        .debug
        .map(|debug| quote_spanned!(here=> .debug(#debug)));
    let cancel_on_ctrl_c = args
        .cancel_on_ctrl_c
        .map(|cancel| quote_spanned!(here=> .cancel_on_ctrl_c(#cancel)));
    let build = match args.flavor {
        Flavor::MultiThread | Flavor::CurrentThread => quote_spanned!(here=> .build()),
        Flavor::Local => quote_spanned! {here=>
            .build_local(#krate::runtime::LocalOptions::default())
        },
    };
    let failure = format!(
        "#[executor::{}] could not build its runtime: allow the process more threads or open files (see `ulimit -a`), \
         or build it with runtime::Builder and handle the error",
        kind.name(),
    );
    quote_spanned! {here=>
        #krate::runtime::Builder::#flavor() #worker_threads #start_paused #unhandled_panic #name #debug #cancel_on_ctrl_c #build .expect(#failure)
    }
}

fn block(statements: TokenStream, braces: DelimSpan) -> Group {
    let mut block = Group::new(Delimiter::Brace, statements);
    block.set_span(braces.join());
    block
}

/// The places of the first and the last token.
fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens
        .to_token_stream()
        .into_iter()
        .map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    (first, spans.last().unwrap_or(first))
}

/// `#[test]`, also by its full path.
fn is_test(attribute: &Attribute) -> bool {
    let path = attribute
        .path()
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let path: Vec<String> = path.collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(path[..], ["test"] | ["core" | "std", "prelude", _, "test"])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion without spaces.
    fn expanded(kind: Kind, args: TokenStream) -> String {
        expand(
            kind,
            args,
            quote!(
                async fn start() {}
            ),
        )
        .to_string()
        .replace(' ', "")
    }

    #[test]
    fn the_arguments_reach_the_builder() {
        let builder = "let runtime = ::executor::runtime::Builder::";
        for (kind, args, calls) in [
            (Kind::Main, quote!(), "new_multi_thread().build()"),
            (Kind::Test, quote!(), "new_current_thread().build()"),
            (
                Kind::Main,
                quote!(worker_threads = 3),
                "new_multi_thread().worker_threads(3usize).build()",
            ),
            (
                Kind::Test,
                quote!(start_paused = true),
                "new_current_thread().start_paused(true).build()",
            ),
            (
                Kind::Main,
                quote!(name = "main"),
                "new_multi_thread().name(\"main\").build()",
            ),
            (
                Kind::Main,
                quote!(cancel_on_ctrl_c = true),
                "new_multi_thread().cancel_on_ctrl_c(true).build()",
            ),
            (
                Kind::Main,
                quote!(flavor = "current_thread"),
                "new_current_thread().build()",
            ),
            (
                Kind::Test,
                quote!(flavor = "multi_thread"),
                "new_multi_thread().build()",
            ),
            (
                Kind::Main,
                quote!(flavor = "local", start_paused = true),
                "new_current_thread().start_paused(true).build_local(::executor::runtime::LocalOptions::default())",
            ),
        ] {
            let expanded = expanded(kind, args);
            assert!(
                expanded.contains(&format!("{builder}{calls}").replace(' ', "")),
                "{expanded}"
            );
        }
    }

    #[test]
    fn only_a_test_gets_the_test_attribute() {
        let attribute = "#[::core::prelude::v1::test]fnstart()";
        assert!(expanded(Kind::Test, quote!()).contains(attribute));
        assert!(!expanded(Kind::Main, quote!()).contains("prelude"));
    }

    #[test]
    fn a_refused_argument_is_the_only_thing_wrong_with_the_expansion() {
        let expanded = expanded(Kind::Main, quote!(unknown = 1));
        assert!(expanded.contains("compile_error!"), "{expanded}");
        assert!(
            expanded.contains("fnstart()") && !expanded.contains("asyncfn"),
            "{expanded}"
        );
    }
}
