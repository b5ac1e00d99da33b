//! Finds the path by which the annotated crate reaches the library.

use proc_macro_crate::{Error, FoundCrate, crate_name};
use proc_macro2::{Ident, Span};
use syn::Path;

/// The package to look for in the user's `Cargo.toml`, and the name of the library in it.
const PACKAGE: &str = "executor-rt";
const LIBRARY: &str = "executor";

/// The library's path, from the name which the user's `Cargo.toml` gives to the package.
pub(crate) fn path() -> Path {
    let name = Ident::new(&library(crate_name(PACKAGE)), Span::call_site());
    syn::parse_quote!(::#name)
}

/// Only a rename changes how a library is written in code, so every other answer means the library's own name.
///
/// A dependency that is not renamed comes back as the package's name, with underscores. The package's own examples and
/// doctests come back as `Itself`. An error stands for a dependency that came another way, such as a build without
/// cargo, where the library's own name is the best guess.
fn library(found: Result<FoundCrate, Error>) -> String {
    match found {
        Ok(FoundCrate::Name(name)) if name != PACKAGE.replace('-', "_") => name,
        Ok(FoundCrate::Name(_) | FoundCrate::Itself) | Err(_) => LIBRARY.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_dependency_goes_by_its_new_name() {
        assert_eq!(library(Ok(FoundCrate::Name("tokio".into()))), "tokio");
    }

    #[test]
    fn a_dependency_under_the_package_name_goes_by_the_library_name() {
        assert_eq!(
            library(Ok(FoundCrate::Name("executor_rt".into()))),
            "executor"
        );
    }

    #[test]
    fn the_package_itself_and_an_unknown_build_go_by_the_library_name() {
        assert_eq!(library(Ok(FoundCrate::Itself)), "executor");
        assert_eq!(library(Err(Error::CargoManifestDirNotSet)), "executor");
    }
}
