//! What is of Unix alone: pipes.

pub mod pipe;
