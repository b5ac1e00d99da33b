//! The integration tests: everything through the public API, one module per area.

mod compile;
mod smoke;
