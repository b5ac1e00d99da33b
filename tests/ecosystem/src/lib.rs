//! How crates of other people are brought to run on this library: a file for each, to be read and copied.
