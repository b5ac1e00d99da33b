//! What `select!`, `join!` and `try_join!` have in common: how their input begins, and the order in which they poll.
//!
//! The library's macros by these names pass `$crate` on, so that the code they make finds the library under any name:
//! `$crate ; [biased ;] …`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::ParseStream;
use syn::{Path, Result, Token, custom_keyword};

custom_keyword!(biased);

/// The beginning of every input.
pub(crate) struct Head {
    /// The library's path.
    pub(crate) krate: Path,
    /// Poll in the order as written, always.
    pub(crate) biased: bool,
}

impl Head {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = Path::parse_mod_style(input)?;
        input.parse::<Token![;]>()?;
        let biased = input.peek(biased) && input.peek2(Token![;]);
        if biased {
            input.parse::<biased>()?;
            input.parse::<Token![;]>()?;
        }
        Ok(Self { krate, biased })
    }
}

/// A name that nothing in the user's code can meet.
pub(crate) fn local(name: &str, index: usize) -> Ident {
    format_ident!("{name}{index}", span = Span::mixed_site())
}

/// Runs each of `arms` once, the first one being number `start`, then those after it, then those before it.
pub(crate) fn each_from(start: &TokenStream, arms: &[TokenStream]) -> TokenStream {
    let count = arms.len();
    if let [only] = arms {
        return quote!(for _ in 0..1 { #only });
    }
    let numbers = 0..count;
    quote! {
        for turn in 0..#count {
            match (#start + turn) % #count {
                #(#numbers => #arms)*
                _ => ::core::unreachable!(),
            }
        }
    }
}
