//! The errors that the attributes give for what they refuse. What they accept is in `examples`, which `tests/tests/examples.rs` runs.
//!
//! The expected errors beside the cases in `ui/` are those of one compiler version. After an intended change, or with a
//! new compiler, write them anew with `TRYBUILD=overwrite cargo test -p executor-tests-compile` and read the diff.

#[test]
fn attributes_refuse_the_rest_and_name_the_cure() {
    // None that passes is here: trybuild builds and runs those, but only checks the others, all at once.
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
