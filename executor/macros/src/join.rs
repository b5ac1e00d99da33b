//! `join!` and `try_join!`: wait for several futures in one task, and for all of them.
//!
//! ```text
//! join!(f0, f1)   ──▶   let futures = (pin!(maybe_done(f0)), pin!(maybe_done(f1)));
//!                       poll_fn(|context| poll each; all done? then Ready((output0, output1))).await
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Result, Token};

use crate::concurrent::{Head, each_from, local};

/// Which of the two macros is being expanded.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Join,
    TryJoin,
}

pub(crate) fn expand(kind: Kind, input: TokenStream) -> TokenStream {
    parse
        .parse2(input)
        .map_or_else(Error::into_compile_error, |(head, futures)| {
            code(kind, &head, &futures)
        })
}

fn parse(input: ParseStream<'_>) -> Result<(Head, Vec<Expr>)> {
    let head = Head::parse(input)?;
    let futures = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    Ok((head, futures.into_iter().collect()))
}

fn code(kind: Kind, head: &Head, futures: &[Expr]) -> TokenStream {
    let Head { krate, biased } = head;
    let support = quote!(#krate::macros::support);
    let (wrap, outputs) = match kind {
        Kind::Join => (quote!(#support::maybe_done), quote!()),
        Kind::TryJoin => (
            quote!(#support::try_maybe_done),
            quote!(::core::result::Result::Ok),
        ),
    };
    let names: Vec<Ident> = (0..futures.len())
        .map(|index| local("future", index))
        .collect();
    let arms: Vec<_> = names.iter().map(|name| arm(kind, name)).collect();
    let first = Ident::new("first", Span::mixed_site());
    let each = each_from(&first.to_token_stream(), &arms);
    let count = futures.len();
    // Each poll begins with another future: with a budget that one of them always uses up, the others would starve.
    let rotate = if *biased || count < 2 {
        quote!()
    } else {
        quote!(#first = (#first + 1) % #count;)
    };
    let each = if futures.is_empty() { quote!() } else { each };
    quote! {{
        #(let #names = #futures;)*
        #(let mut #names = ::core::pin::pin!(#wrap(::core::future::IntoFuture::into_future(#names)));)*
        #[allow(unused_mut)]
        let mut #first: usize = 0;
        #[allow(unused_variables, unused_mut)]
        #support::poll_fn(move |context| {
            let mut pending = false;
            #each
            #rotate
            if pending {
                ::core::task::Poll::Pending
            } else {
                ::core::task::Poll::Ready(#outputs((
                    #(#names.as_mut().take_output().expect("every future has completed"),)*
                )))
            }
        })
        .await
    }}
}

fn arm(kind: Kind, name: &Ident) -> TokenStream {
    match kind {
        Kind::Join => quote! {{
            pending |= ::core::future::Future::poll(#name.as_mut(), context).is_pending();
        }},
        Kind::TryJoin => quote! {{
            match ::core::future::Future::poll(#name.as_mut(), context) {
                ::core::task::Poll::Ready(::core::result::Result::Ok(())) => {}
                ::core::task::Poll::Ready(::core::result::Result::Err(error)) => {
                    return ::core::task::Poll::Ready(::core::result::Result::Err(error));
                }
                ::core::task::Poll::Pending => pending = true,
            }
        }},
    }
}
