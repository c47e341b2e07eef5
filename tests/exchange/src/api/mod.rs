//! What all calls have in common: how their parameters are read, and how they are refused.

mod codes;
pub(crate) mod error;
pub(crate) mod filters;
pub(crate) mod params;
