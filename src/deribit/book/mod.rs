//! The order book, maintained.
//!
//! [`Book`] is what users hold: it follows a channel, and has it begin anew when a message is missing. [`OrderBook`] is
//! the pure one below it, for those who have the messages already: it does no input or output. Both give their
//! [`Levels`] as live only while nothing is known to be missing.

mod handle;
mod ladder;
mod levels;
mod message;
mod order_book;
mod status;
#[cfg(test)]
mod tests;

pub use handle::{Book, Change};
pub use levels::{Fill, Levels, Side};
pub use order_book::OrderBook;
pub use status::{Reason, Status};
