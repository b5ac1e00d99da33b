//! `select!`: waits for several futures in one task, and takes the first that is ready.
//!
//! ```text
//! select! { p0 = f0, if c0 => h0, … }   ──▶   enum Output { B0(T0), …, Disabled }
//!                                             let off = [!c0, …];
//!                                             let output = { let futures = (pin!(f0), …); poll them until one matches its pattern };
//!                                             match output { B0(p0) => h0, … }
//! ```
//! The futures are gone before a handler runs, so a handler may use what they borrowed.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Brace;
use syn::{Block, Error, Expr, Pat, Result, Token};

use crate::concurrent::{Head, each_from, local};

/// `pattern = future, if guard => handler`
struct Branch {
    pattern: Pat,
    future: Expr,
    guard: Option<Expr>,
    handler: Expr,
}

struct Select {
    head: Head,
    branches: Vec<Branch>,
    otherwise: Option<Expr>,
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    parse
        .parse2(input)
        .map_or_else(Error::into_compile_error, |select| select.into_code())
}

fn parse(input: ParseStream<'_>) -> Result<Select> {
    let head = Head::parse(input)?;
    let mut branches = Vec::new();
    while !input.is_empty() {
        if input.peek(Token![else]) {
            input.parse::<Token![else]>()?;
            input.parse::<Token![=>]>()?;
            let otherwise = Some(handler(input)?);
            if !input.is_empty() {
                return Err(input.error("`else` is the last branch"));
            }
            return Ok(Select {
                head,
                branches,
                otherwise,
            });
        }
        branches.push(input.parse()?);
    }
    if branches.is_empty() {
        return Err(
            input.error("`select!` needs at least one branch: `pattern = future => handler`")
        );
    }
    Ok(Select {
        head,
        branches,
        otherwise: None,
    })
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        let guard = if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![if]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        input.parse::<Token![=>]>()?;
        Ok(Self {
            pattern,
            future,
            guard,
            handler: handler(input)?,
        })
    }
}

/// A block, after which a comma may stand, or an expression, which ends at one.
fn handler(input: ParseStream<'_>) -> Result<Expr> {
    if input.peek(Brace) {
        let block: Block = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        return Ok(syn::parse_quote!(#block));
    }
    let handler = input.parse()?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(handler)
}

impl Select {
    fn into_code(self) -> TokenStream {
        let Head { krate, biased } = &self.head;
        let otherwise = match self.otherwise {
            Some(otherwise) => otherwise.into_token_stream(),
            None => quote! {
                ::core::panic!("all branches are disabled and there is no else branch")
            },
        };
        if self.branches.is_empty() {
            return otherwise;
        }
        let count = self.branches.len();
        let variants: Vec<Ident> = (0..count).map(|index| format_ident!("B{index}")).collect();
        let names: Vec<Ident> = (0..count).map(|index| local("future", index)).collect();
        let guards = self.branches.iter().map(|branch| match &branch.guard {
            Some(guard) => quote!(!(#guard)),
            None => quote!(false),
        });
        let futures = self.branches.iter().map(|branch| &branch.future);
        let arms: Vec<_> = self
            .branches
            .iter()
            .enumerate()
            .map(|(index, branch)| arm(index, &names[index], &variants[index], &branch.pattern))
            .collect();
        let start = if *biased {
            quote!(0)
        } else {
            quote!(#krate::macros::support::random_below(#count))
        };
        // Hygienic, as locals are and items are not.
        let [output, off, start_name] =
            ["output", "off", "start"].map(|name| Ident::new(name, Span::mixed_site()));
        let each = each_from(&start_name.to_token_stream(), &arms);
        let handlers = self
            .branches
            .iter()
            .zip(&variants)
            .map(|(branch, variant)| {
                let (pattern, handler) = (&branch.pattern, &branch.handler);
                quote!(__ExecutorSelect::#variant(#pattern) => #handler,)
            });
        quote! {{
            #[doc(hidden)]
            enum __ExecutorSelect<#(#variants),*> {
                #(#variants(#variants),)*
                Disabled,
            }
            #[allow(unused_mut)]
            let mut #output = {
                // Guards first, all of them, then the futures, those of branches that are off, too.
                let mut #off = [#(#guards),*];
                // Bound before they are passed on, so that what an expression borrows from itself lives as long.
                #(let #names = #futures;)*
                #(let mut #names = ::core::pin::pin!(::core::future::IntoFuture::into_future(#names));)*
                #krate::macros::support::poll_fn(|context| {
                    ::core::task::ready!(#krate::macros::support::poll_budget(context));
                    let mut pending = false;
                    let #start_name: usize = #start;
                    #each
                    if pending {
                        ::core::task::Poll::Pending
                    } else {
                        ::core::task::Poll::Ready(__ExecutorSelect::Disabled)
                    }
                })
                .await
            };
            #[allow(unreachable_patterns, clippy::ignored_unit_patterns)]
            match #output {
                #(#handlers)*
                __ExecutorSelect::Disabled => #otherwise,
                _ => ::core::unreachable!("the output has matched its pattern before"),
            }
        }}
    }
}

/// Polls one branch, unless it is off. It is off from the moment its future is ready: what does not match its pattern is dropped.
fn arm(index: usize, name: &Ident, variant: &Ident, pattern: &Pat) -> TokenStream {
    let off = Ident::new("off", Span::mixed_site());
    quote! {{
        if !#off[#index] {
            match ::core::future::Future::poll(#name.as_mut(), context) {
                ::core::task::Poll::Pending => pending = true,
                #[allow(unused_mut)]
                ::core::task::Poll::Ready(mut ready) => {
                    #off[#index] = true;
                    let mut matches = false;
                    // The guard sees whether the pattern matches, and leaves the value whole. An output that cannot be is matched, too.
                    #[allow(unused_variables, unused_mut, unreachable_patterns, clippy::ignored_unit_patterns)]
                    match ready {
                        #pattern if { matches = true; false } => ::core::unreachable!(),
                        ready if matches => return ::core::task::Poll::Ready(__ExecutorSelect::#variant(ready)),
                        _ => {}
                    }
                }
            }
        }
    }}
}
