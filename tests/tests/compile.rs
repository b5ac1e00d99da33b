//! What the attributes accept, and the errors they give for what they refuse.
//!
//! The expected errors beside the cases in `ui/` are those of one compiler version. After an intended change, or with a
//! new compiler, write them anew with `TRYBUILD=overwrite cargo test -p executor-tests compile::` and read the diff.

#[test]
fn attributes_accept_what_they_document() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn attributes_refuse_the_rest_and_name_the_cure() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
