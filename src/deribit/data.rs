//! What the venue sends: the data of channels and the results of methods.
//!
//! | in | is |
//! | --- | --- |
//! | numbers | `f64`, decoded once from the text that was sent; also where they were sent as text |
//! | amounts | US dollars for inverse futures, the base currency for linear ones, options and spot |
//! | times | milliseconds since 1970 |
//! | ids | text |
//! | words | an enum that keeps those it does not know as `Unknown` |
//!
//! What may be missing or null is an `Option`, a flag that is missing is not set, a list that is missing is empty.
//! Unknown members are ignored. All objects can be written as JSON again, under the venue's names.
//!
//! Sources: the venue's OpenAPI and AsyncAPI documents (2.1.1), its articles of 2026, and what its servers were seen
//! to send.

mod account;
mod book;
mod chart;
mod history;
mod instrument;
mod lenient;
mod list;
mod market;
mod object;
mod order;
mod platform;
mod rfq;
#[cfg(test)]
mod tests;
mod trade;
mod words;

pub use account::*;
pub use book::*;
pub use chart::*;
pub use history::*;
pub use instrument::*;
pub(crate) use lenient::{Lenient, Member};
pub use list::OneOrMany;
pub use market::*;
pub use order::*;
pub use platform::*;
pub use rfq::*;
pub use trade::*;
pub use words::*;
